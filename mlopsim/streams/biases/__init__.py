"""How groups come to be treated unlike each other, one file each."""
