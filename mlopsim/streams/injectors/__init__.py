"""What goes wrong with rows, one file each."""
