"""Selectors of governed deployments, one file each."""
