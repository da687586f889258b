"""Compiled loops of the explainers; imported inside methods only."""
