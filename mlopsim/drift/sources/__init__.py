"""Where signals come from: one file per source."""
