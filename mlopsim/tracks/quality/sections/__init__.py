"""The sections of a report of the quality track, one file each."""
