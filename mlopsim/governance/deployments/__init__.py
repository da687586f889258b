"""Deployments that are governed, one file each."""
