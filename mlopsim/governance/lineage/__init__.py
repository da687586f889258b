"""What served at a time, where it came from, and how it is told to registries."""
