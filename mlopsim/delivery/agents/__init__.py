"""Learning agents: training with stable-baselines3, storing without pickles, a forward pass without torch."""
