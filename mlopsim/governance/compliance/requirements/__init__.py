"""The requirements, one file a source."""
