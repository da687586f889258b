"""Audits, one file each."""
