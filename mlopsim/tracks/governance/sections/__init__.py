"""Sections of the governance track's reports, one file each."""
