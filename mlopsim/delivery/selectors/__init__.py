"""Selectors: one policy a file."""
