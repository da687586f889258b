"""Errors put into a user's data file: only the wrong cells change, the truth lies beside it."""
