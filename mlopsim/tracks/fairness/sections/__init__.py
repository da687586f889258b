"""The sections of a report on the fairness track, one file each."""
