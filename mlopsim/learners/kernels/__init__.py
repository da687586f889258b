"""Compiled kernels of the closed-form learners; imported inside methods only (numba is heavy)."""
