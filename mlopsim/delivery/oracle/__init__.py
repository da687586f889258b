"""The clairvoyant optimum of a roll-out: exact where possible, otherwise a bracket."""
