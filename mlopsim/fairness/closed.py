"""Closed forms."""

def four_fifths_false_block(n: int, p: float) -> float:
    """X."""
    from scipy.stats import binom
    import numpy as np
    f = binom.pmf(np.arange(n + 1), n, p)
    i = np.arange(n + 1)
    lo, hi = np.minimum.outer(i, i), np.maximum.outer(i, i)
    return float((np.outer(f, f) * (lo < 0.8 * hi)).sum())
