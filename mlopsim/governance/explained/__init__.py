"""Why a decision was taken: exact alternatives, beliefs, counterfactuals, attributions, a small tree."""
