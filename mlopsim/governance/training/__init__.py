"""Training policies of governed deployments, one file each."""
