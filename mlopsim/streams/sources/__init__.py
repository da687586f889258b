"""Streams: synthetic, procedural and from files."""
