"""Compiled loops of gates; imported inside methods only (numba is heavy)."""
