"""Contract checks of changes of given rows."""

from __future__ import annotations

from typing import Any

import numpy as np

from mlopsim.checks.base import Check, generator, identical, repeats, require
from mlopsim.checks.valid_stream import valid_stream
from mlopsim.core.spec import make
from mlopsim.streams.stream import Stream


def _change(cls: type[Any]) -> None:
    base: Stream = make("stream", "bundled", dataset="wine").generate(np.random.SeedSequence(0))
    moved = np.arange(len(base.y)) >= int(base.bounds[base.warmup + 1])
    copies = base.X.copy(), base.y.copy(), base.g.copy()

    def apply(seed: int) -> Any:
        found = make("change", cls.name).apply(base, moved, generator(seed))
        return found.X, found.y, found.g

    # what is drawn may be the same for every seed: a permutation of two, a swap of all labels
    X, y, g = repeats("what the change makes of rows", apply, varies=False)
    require(identical(copies, (base.X, base.y, base.g)), "changes the rows that it is given")
    still = identical((X[~moved], y[~moved], g[~moved]), tuple(rows[~moved] for rows in copies))
    require(still, "changes rows that do not follow the new law")
    require(
        not identical((X[moved], y[moved], g[moved]), tuple(rows[moved] for rows in copies)),
        "changes nothing",
    )
    stream = make("stream", "injected", base={"bundled": {"dataset": "wine"}}, change=cls.name, at=12)
    valid_stream(stream.generate(np.random.SeedSequence(0)))


CHECKS = [
    Check(name="change", text="moved rows change, all others stay, the seed decides everything", run=_change),
]
