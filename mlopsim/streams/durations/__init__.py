"""Laws of how long a concept lasts."""
