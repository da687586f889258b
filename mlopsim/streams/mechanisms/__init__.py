"""Which rows errors prefer, one file each."""
