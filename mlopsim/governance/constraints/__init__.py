"""Constraints: what compliance means, one file each."""
