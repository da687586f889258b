"""Everything that does not depend on decisions: building, caching, reading."""
