"""When errors happen, one file each."""
