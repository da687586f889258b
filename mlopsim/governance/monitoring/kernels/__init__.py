"""Compiled loops of monitors."""
