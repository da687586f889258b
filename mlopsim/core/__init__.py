"""Registry, building from specs, digests, seeds, errors, atomic files."""
