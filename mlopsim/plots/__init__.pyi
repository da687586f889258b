from . import (
    cdf,
    critical_difference,
    curves,
    heatmap,
    interval_panels,
    leaderboard,
    profile,
    timeline,
    tradeoff,
)

__all__ = [
    "cdf",
    "critical_difference",
    "curves",
    "heatmap",
    "interval_panels",
    "leaderboard",
    "profile",
    "timeline",
    "tradeoff",
]
