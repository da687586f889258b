"""Attributions of model outputs to features: exact where there is a closed form, sampled, and by LIME."""
