"""Damage with a known cause: what robustness.py feeds to the command line, one family a file."""
