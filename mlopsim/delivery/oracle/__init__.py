"""The clairvoyant optimum of a walk: exact where possible, otherwise a bracket."""
