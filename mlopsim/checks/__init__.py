"""Contract checks: what every component must fulfil, ours and a third party's alike; one file a kind."""
