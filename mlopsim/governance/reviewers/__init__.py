"""Reviewers, one file each."""
