"""Sections of reports of the drift track: one file each."""
