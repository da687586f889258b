"""Contract checks of shifts."""

from __future__ import annotations

from typing import Any

import numpy as np

from mlopsim.checks.base import Check, refused, repeats, require
from mlopsim.checks.valid_stream import valid_stream
from mlopsim.core.spec import make
from mlopsim.streams.stream import Stream


def _shifted(cls: type[Any], seed: int, **params: Any) -> Stream:
    source = make(
        "stream", "synthetic", windows=40, rows=30, warmup=8, groups=[0.6, 0.4], shifts=[{cls.name: params}],
        schedule="none",
    )  # fmt: skip
    stream: Stream = source.generate(np.random.SeedSequence(seed))
    return stream


def _shift(cls: type[Any]) -> None:
    stream = repeats("a shifted stream", lambda seed: _shifted(cls, seed))
    valid_stream(stream)
    require(len(stream.events) == 1, f"states {len(stream.events)} events for one shift that stays")
    stream = _shifted(cls, 0, at=12, until=24)
    valid_stream(stream)
    windows = [stream.window_of(event.start) for event in stream.events or ()]
    require(windows == [12, 24], f"a shift from window 12 to 24 states events in {windows}")
    require(not _shifted(cls, 0, at=0).events, "a shift that is always there states an event")
    refused(lambda: _shifted(cls, 0, at=3), "begins in the warm-up")


CHECKS = [
    Check(name="shift", text="events come after the warm-up, where stated, and follow the seed", run=_shift),
]
