"""Signals, detectors, their calibration and scoring."""
