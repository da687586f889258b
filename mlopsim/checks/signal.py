"""Contract checks of sources of signals."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from mlopsim.checks.base import Check, ContractError, identical, own_randomness, repeats, require
from mlopsim.core.digest import canonical_json
from mlopsim.core.spec import canonical, make
from mlopsim.drift.scenario import CHANNELS, Channel, Place, Scenario, Source
from mlopsim.drift.signal import Signal

#: a stream on which each channel has ticks before and after a change
STREAM = {
    "synthetic": {
        "windows": 24, "rows": 50, "warmup": 8, "bayes": False, "concept": "sea",
        "schedule": {"abrupt": {"order": [0, 3], "limit": 1, "duration": {"fixed": {"mean": 6}}}},
    }
}  # fmt: skip
#: drift-free rows that are asked for
ROWS = 700


def _built(cls: type[Any]) -> Source:
    source = make("signal", cls.name)
    if not isinstance(source, Source):
        raise ContractError("is no Source", remedy="derive from mlopsim.drift.scenario.Source")
    return source


def _place(source: Source, index: int = 0, split: str = "test") -> Place:
    if not source.reads_stream:
        return Place(stream={}, learner={}, index=index, split=split)
    return Place(
        stream=canonical("stream", STREAM), learner=canonical("learner", "ridge"), index=index, split=split
    )


def _channels(cls: type[Any]) -> Iterator[tuple[Source, str]]:
    source = _built(cls)
    for channel in source.offered():
        yield source, channel


def _offered(cls: type[Any]) -> None:
    source = _built(cls)
    offered = source.offered()
    require(
        isinstance(offered, tuple) and len(offered) > 0 and set(offered) <= set(CHANNELS),
        f"offers {offered!r}",
        remedy=f"a tuple of some of {', '.join(CHANNELS)}",
    )
    require(len(set(offered)) == len(offered), f"offers a channel twice: {offered}")
    require(isinstance(source.reads_stream, bool), f"reads_stream is {source.reads_stream!r}")


def _formed(channel: Any, name: str, where: str) -> Channel:
    require(isinstance(channel, Channel), f"{where} has {type(channel).__name__}, not a Channel")
    found: Channel = channel
    require(isinstance(found.signal, Signal), f"{where}: the channel holds {type(found.signal).__name__}")
    kind = found.signal.kind
    require(
        kind is CHANNELS[name], f"{where}: ticks of '{name}' are {kind.value}, not {CHANNELS[name].value}"
    )
    require(found.signal.data.dtype == np.float64, f"{where}: ticks are {found.signal.data.dtype}")
    require(found.rows >= 1 and found.lag >= 0, f"{where}: a tick has {found.rows} rows and lag {found.lag}")
    return found


def _scenario(cls: type[Any]) -> None:
    for source, name in _channels(cls):
        found = source.scenario(_place(source), name)
        require(isinstance(found, Scenario), f"scenario() gives {type(found).__name__}, not a Scenario")
        channel, n = _formed(found.channel, name, "scenario()"), found.rows
        require(n >= 1, f"a scenario has {n} rows")
        require(
            channel.ticks_within(n + channel.lag) <= len(channel.signal.data),
            f"{name}: fewer ticks ({len(channel.signal.data)}) than {n} rows are made of",
        )
        for what, spans in (("harmful", found.harmful), ("harmless", found.harmless)):
            wrong = [span for span in spans if not 0 <= span[0] <= span[1] < n]
            require(not wrong, f"{what} changes {wrong} lie outside of the {n} rows")
            require(list(spans) == sorted(spans), f"{what} changes are not in time order")


def _seed(cls: type[Any]) -> None:
    for source, name in _channels(cls):

        def drawn(index: int, source: Source = source, name: str = name) -> Any:
            found = source.scenario(_place(source, index), name)
            return found.channel.signal.data, found.harmful, found.harmless

        def quiet(index: int, source: Source = source, name: str = name) -> Any:
            return source.quiet(_place(source, index), name, ROWS).signal.data

        repeats(f"the scenario seen through '{name}'", drawn)
        repeats(f"the drift-free signal '{name}'", quiet)


def _splits(cls: type[Any]) -> None:
    for source, name in _channels(cls):
        found = [
            source.scenario(_place(source, split=split), name).channel.signal.data
            for split in ("train", "validation", "test")
        ]
        same = any(identical(found[i], found[j]) for i, j in ((0, 1), (0, 2), (1, 2)))
        require(
            not same,
            f"two splits have the same '{name}'",
            remedy="draw from place.seed(Axis.SCENARIO) and kin",
        )


def _quiet(cls: type[Any]) -> None:
    for source, name in _channels(cls):
        channel = _formed(source.quiet(_place(source), name, ROWS), name, "quiet()")
        drawn = source.scenario(_place(source), name).channel
        require(
            (channel.rows, channel.lag) == (drawn.rows, drawn.lag),
            f"ticks of '{name}' without a change have other rows or another lag than those with one",
        )
        require(
            len(channel.signal.data) == ROWS // channel.rows,
            f"{ROWS} drift-free rows give {len(channel.signal.data)} ticks of {channel.rows} rows",
        )


def _null(cls: type[Any]) -> None:
    for source, name in _channels(cls):
        place = _place(source)
        with own_randomness():
            law = source.null(place.stream, place.learner, name, ROWS)
        require(
            isinstance(law, dict) and set(law) == {"signal", "stream", "learner"},
            "null() does not name signal, stream and learner",
        )
        canonical_json(law)
        alone = make("signal", law["signal"])
        again = alone.null(law["stream"], law["learner"], name, ROWS)
        require(
            canonical_json(law) == canonical_json(again),
            f"the drift-free law of '{name}' names another one as its own",
            remedy="null() of what null() gives must give the same parts",
        )
        own = alone.quiet(Place(stream=law["stream"], learner=law["learner"]), name, ROWS)
        require(
            identical(own.signal.data, source.quiet(place, name, ROWS).signal.data),
            f"the drift-free law of '{name}' draws other ticks than the source",
            remedy="null() must name all that quiet() depends on",
        )


CHECKS = [
    Check(name="offered", text="offers known channels, once each", run=_offered),
    Check(
        name="scenario", text="ticks are of their channel's kind, changes lie within the rows", run=_scenario
    ),
    Check(name="seed", text="the seed decides everything", run=_seed),
    Check(name="splits", text="training, validation and test scenarios differ", run=_splits),
    Check(name="quiet", text="drift-free signals have the asked length and the scenario's form", run=_quiet),
    Check(name="null", text="the drift-free law is whole, and is its own", run=_null),
]
