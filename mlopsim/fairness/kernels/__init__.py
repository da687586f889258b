"""Compiled loops of the audits; they import numba, so audits import them inside methods."""
