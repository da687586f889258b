"""The deployment: dynamics, environments, oracle, selectors."""
