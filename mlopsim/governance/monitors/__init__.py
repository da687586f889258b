"""Monitors of what serves: one component a file."""
