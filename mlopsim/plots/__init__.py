"""Figures from tables, with no knowledge of tracks."""
