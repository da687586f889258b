"""From presets and overrides (Hydra) to what is run."""
