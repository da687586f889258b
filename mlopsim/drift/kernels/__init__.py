"""Compiled loops of the detectors; they import numba, so detectors import them inside methods."""
