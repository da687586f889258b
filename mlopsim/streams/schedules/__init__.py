"""Schedules: which concept is active when."""
