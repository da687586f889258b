"""Data files: one reader for every format and every command."""
