"""Which windows a version is trained on, one policy a file."""
