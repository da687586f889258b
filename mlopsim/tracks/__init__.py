"""One file per track: the only room that combines siblings."""
