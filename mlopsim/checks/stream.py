"""Contract checks of streams.

A stream whose data are not on this machine is only checked in form, by the general checks: nothing is
fetched for that. A stream that is the same for every seed says so by a class attribute ``fixed = True``.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from mlopsim.checks.base import Check, generator, repeats, require
from mlopsim.checks.valid_stream import valid_stream
from mlopsim.core.errors import DataError, MissingExtraError
from mlopsim.core.spec import make
from mlopsim.streams.sources.base import TableStream


def _csv(folder: Path) -> dict[str, Any]:
    rng = generator()
    rows = [f"{x:.4f},{'ab'[i % 2]},{'yes' if x > 0.5 else 'no'}" for i, x in enumerate(rng.random(400))]
    path = folder / "rows.csv"
    path.write_text("\n".join(["x,kind,label", *rows]) + "\n", encoding="utf-8")
    return {"path": str(path), "rows": 10}


#: how to have an example of a stream whose defaults name no data; None: its data must be fetched
EXAMPLES: dict[str, Callable[[Path], dict[str, Any]] | None] = {"stream/file": _csv, "stream/openml": None}


def _stream(cls: type[Any]) -> None:
    full_name: str = cls.full_name
    prepare = EXAMPLES.get(full_name)
    if prepare is None and full_name in EXAMPLES:
        return
    with tempfile.TemporaryDirectory() as folder:
        params = prepare(Path(folder)) if prepare is not None else {}
        if issubclass(cls, TableStream):
            # all scenarios of a file are the same unless a part of it is drawn
            params["thin"] = 0.5
        source = make("stream", cls.name, **params)
        seed = np.random.SeedSequence(0)
        try:
            valid_stream(source.generate(seed))
        except (DataError, MissingExtraError) as error:
            require(
                error.remedy is not None, f"its data are not here, and no remedy is named: {error.message}"
            )
            return
        require(
            seed.n_children_spawned == 0,
            "spawns from the seed that it was given, so the next stream from it would differ",
            remedy="mlopsim.streams.layout.branch(seed, 0)",
        )
        repeats(
            "the stream",
            lambda number: make("stream", cls.name, **params).generate(np.random.SeedSequence(number)),
            varies=not getattr(source, "fixed", False),
        )


CHECKS = [
    Check(name="stream", text="rows, truth and events are valid and follow the seed", run=_stream),
]
