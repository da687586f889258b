"""Sections that reports of all tracks have."""
