"""Rolling origins: a real stream is one series, and what starts at one time is one lucky or unlucky model.

A stream that is drawn from a law has a scenario a seed. A real stream has one history: all of its seeds serve
the same windows, and ``never`` is a single model. So its deployments start at several times (Tashman,
"Out-of-sample tests of forecasting accuracy", International Journal of Forecasting 16, 2000, calls them
rolling origins): each is a block of windows of its own, with the initial version of its own start. Blocks
overlap and follow one another; :mod:`mlopsim.stats.block_intervals` says what that does to an interval.
"""

from __future__ import annotations

from dataclasses import dataclass

from mlopsim.core.errors import ConfigError

#: windows that a block has at least, if the stream has as many: a retrain must be able to pay
LEAST = 20


@dataclass(frozen=True, kw_only=True)
class Block:
    """The windows of one deployment on a stream.

    Parameters
    ----------
    number : int
        From 1.
    first, end : int
        It serves the windows ``first..end - 1``; its initial version is trained on those up to ``first - 1``.
    apart : int
        How many blocks of this stream share no window with one another.
    """

    number: int
    first: int
    end: int
    apart: int


def blocks_of(warmup: int, windows: int, origins: int, overlap: float, least: int = LEAST) -> list[Block]:
    """Spread blocks of equal length evenly over the windows after the warm-up.

    Parameters
    ----------
    warmup, windows : int
        The stream's W and T.
    origins : int
        Number of blocks, at most; fewer where they would be shorter than ``least`` windows.
    overlap : float
        Share of a block's windows that the next one has as well, 0 <= overlap < 1.
    least : int

    Returns
    -------
    list of Block
        The first one starts with window W, the last one ends with window T - 1.

    Examples
    --------
    >>> [(block.first, block.end) for block in blocks_of(10, 110, 3, 0.5)]
    [(10, 60), (35, 85), (60, 110)]
    >>> blocks_of(10, 110, 3, 0.5)[0].apart, len(blocks_of(10, 40, 7, 0.5)), len(blocks_of(5, 12, 7, 0.5))
    (2, 2, 1)
    """
    if not 0 <= warmup < windows or origins < 1 or not 0.0 <= overlap < 1.0:
        raise ConfigError(f"no blocks of {windows} windows after {warmup}, {origins} with overlap {overlap}")
    deployed = windows - warmup
    count, length = 1, deployed
    for count in range(origins, 0, -1):
        length = int(deployed / (1.0 + (count - 1) * (1.0 - overlap)) + 1e-9)
        if length >= least:
            break
    starts = [warmup + k * (deployed - length) // max(count - 1, 1) for k in range(count)]
    apart, free = 0, 0
    for start in starts:
        if start >= free:
            apart, free = apart + 1, start + length
    return [
        Block(number=k, first=start, end=start + length, apart=apart)
        for k, start in enumerate(starts, start=1)
    ]
