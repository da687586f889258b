"""Intervals, tests, rankings; everything random takes a Generator."""
