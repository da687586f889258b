"""Constrained learning: prices of costs, training at them, mixtures of policies, a toy with a closed form."""
