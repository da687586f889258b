"""Optimum under constraints: what a clairvoyant earns within a limit, exactly or between two ends."""
