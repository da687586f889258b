"""Gates that guard training data, their calibration, stages and scoring."""
