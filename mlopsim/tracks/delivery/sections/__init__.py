"""The sections of a report of the delivery track, one file each."""
