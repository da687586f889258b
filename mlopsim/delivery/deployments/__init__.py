"""Deployments: the parameters of the dynamics over a World."""
