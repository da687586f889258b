"""Rows that come twice."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mlopsim.core.errors import DataError
from mlopsim.core.registry import register
from mlopsim.core.spec import check_range
from mlopsim.streams.injectors.base import Aim, Corrupted, Injector, history
from mlopsim.streams.stream import Stream


@register("injector", "duplicate_rows", version=2)
@dataclass(kw_only=True)
class DuplicateRows(Injector):
    r"""Rows are copies of another row of their window, label and group included, in the place of lost ones.

    The number of rows stays; what is hit is the copy, not the row that is copied. The window must have a row
    that is not hit.

    A row i that is hit becomes :math:`x_i \leftarrow x_{s(i)} + \mathrm{jitter} \cdot \sigma \, e_i`,
    :math:`e_i \sim N(0, I)` on numeric columns, with :math:`s(i)` uniform over ``sources`` rows of its window
    that are not hit.

    Parameters
    ----------
    sources : int, default 5
        Rows of a window that are copied; the fewer, the heavier each weighs.
    jitter : float, default 0.0
        Normal noise on the numeric columns of a copy, in standard deviations of the warm-up: near-duplicates.

    Notes
    -----
    It stands for a job that sends rows twice; few ``sources`` pull a model to them.

    Examples
    --------
    >>> from mlopsim import make
    >>> source = make("stream", "corrupted", base={"bundled": {"dataset": "wine"}}, rate=0.5,
    ...               injector="duplicate_rows", timing={"step": {"at": 10}})
    >>> stream = source.generate(np.random.SeedSequence(0))
    >>> len(np.unique(stream.X[160:], axis=0)) < 10
    True
    """

    sources: int = 5
    jitter: float = 0.0

    def __post_init__(self) -> None:
        check_range("injector/duplicate_rows.sources", self.sources, 1, 10**6)
        check_range("injector/duplicate_rows.jitter", self.jitter, 0.0, 1e3)

    def apply(self, stream: Stream, aim: Aim) -> Corrupted:
        """Put copies in the place of the rows that are hit."""
        rows = aim.rows(stream)
        source = np.arange(len(stream.y))
        for t in range(stream.windows):
            window = np.arange(stream.bounds[t], stream.bounds[t + 1])
            hit, whole = window[rows[window]], window[~rows[window]]
            if not len(hit):
                continue
            if not len(whole):
                raise DataError(
                    f"injector/duplicate_rows: no row of window {t} is left to be copied",
                    remedy="use a rate below 1",
                )
            copied = aim.rng.permutation(whole)[: self.sources]
            source[hit] = copied[aim.rng.integers(len(copied), size=len(hit))]
        X = stream.X[source]
        if self.jitter > 0.0:
            numeric = np.array(
                [j for j in range(len(stream.features)) if j not in stream.categories], dtype=int
            )
            spread = np.nanstd(history(stream)[:, numeric], axis=0)
            noise = aim.rng.normal(size=(int(rows.sum()), len(numeric)))
            X[np.ix_(rows, numeric)] += self.jitter * spread * noise
        return Corrupted.of(stream, X, stream.y[source], rows, source=source)
