"""The governance track: the closed loop, all combinations of its parts, and the optimum under limits."""
