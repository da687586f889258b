"""From a stream and a learner to a World."""

from __future__ import annotations

from typing import Any

import numpy as np

from mlopsim.core.errors import DataError
from mlopsim.core.spec import make
from mlopsim.core.threads import one_thread
from mlopsim.learners.base import Learner
from mlopsim.streams.stream import Stream
from mlopsim.world.shift import shift_statistics
from mlopsim.world.source import Source
from mlopsim.world.spec import WorldSpec
from mlopsim.world.world import World

#: labels, answers and groups take 8 bits
MAX_CODES = 256


def build_world(spec: WorldSpec) -> World:
    """Compute a World in memory.

    Parameters
    ----------
    spec : WorldSpec
        What it is made from; equal specs give equal bits on one platform.

    Returns
    -------
    World

    Raises
    ------
    DataError
        If the stream cannot be used.
    """
    return _build(Source.of(spec), spec)


def build_from_stream(
    stream: Stream,
    learner: Learner | str | dict[str, Any],
    training: Any = "last",
    *,
    seed: int | np.random.SeedSequence = 0,
) -> World:
    """Compute the World of a stream that is at hand; it has no address and cannot be cached.

    Parameters
    ----------
    stream : Stream
        The rows.
    learner, training : component or spec
        What is trained, on which windows.
    seed : int or SeedSequence, default 0
        Version v is trained with the branch ``spawn_key + (v,)`` of it.

    Returns
    -------
    World
    """
    root = np.random.SeedSequence(seed) if isinstance(seed, int) else seed

    def seed_of(version: int) -> np.random.SeedSequence:
        return np.random.SeedSequence(root.entropy, spawn_key=(*root.spawn_key, version))

    source = Source(
        stream=stream,
        learner=make("learner", learner) if isinstance(learner, str | dict) else learner,
        training=make("training", training) if isinstance(training, str | dict) else training,
        seed=seed_of,
    )
    return _build(source, None)


def _build(source: Source, spec: WorldSpec | None) -> World:
    from mlopsim.world._kernels import count_kernel

    stream = source.stream
    windows, classes, groups, n = stream.windows, stream.n_classes, len(stream.groups), len(stream.y)
    for name, count in (("classes", classes), ("groups", groups)):
        if count > MAX_CODES:
            raise DataError(f"{count} {name} are too many", remedy=f"use at most {MAX_CODES}")
    for name, values, count in (("label", stream.y, classes), ("group", stream.g, groups)):
        if values.min() < 0 or values.max() >= count:
            raise DataError(f"the stream holds a {name} outside 0..{count - 1}")
    window = np.repeat(np.arange(windows), np.diff(stream.bounds))
    size = int(np.diff(stream.bounds).max())
    counts = np.zeros(
        (windows, windows, groups, classes, classes),
        dtype=np.uint16 if size <= np.iinfo(np.uint16).max else np.uint32,
    )
    bits = np.zeros((windows, -(-n // 8)), dtype=np.uint8)
    bounds = np.ascontiguousarray(stream.bounds, dtype=np.int64)
    fed = source.fed
    labels, members = (stream.y, stream.g) if fed is None else (fed.true, fed.g)
    y, g = labels.astype(np.uint8), members.astype(np.uint8)
    for v, row, answers in source.predictions():
        versions, rows = answers.shape
        correct = np.zeros(answers.shape, dtype=np.bool_)
        count_kernel(answers, y, g, bounds, row, counts[v : v + versions], correct)
        bits[v : v + versions, row // 8 : -(-(row + rows) // 8)] = np.packbits(correct, axis=1)
    with one_thread():
        shift = shift_statistics(
            stream.X, source.encoded, stream.bounds, source.start, stream.warmup, stream.categories
        )
    return World(
        spec=spec,
        arrays={
            "counts": counts,
            "bits": bits,
            "shift": shift,
            "start": source.start,
            "bounds": bounds,
            "y": labels.astype(np.int16),
            "g": members.astype(np.int16),
            "concept": _dominant(stream, window),
            "bayes": _mean_bayes(stream),
        },
        warmup=stream.warmup,
        classes=stream.classes,
        features=stream.features,
        groups=stream.groups,
        events=stream.events,
        source=None if spec is not None else source,
    )


def _dominant(stream: Stream, window: np.ndarray) -> np.ndarray:
    """Most frequent concept of each window (the smaller id in a tie), -1 where unknown."""
    if stream.concept is None:
        return np.full(stream.windows, -1, dtype=np.int64)
    lowest = int(stream.concept.min())
    width = int(stream.concept.max()) - lowest + 1
    table = np.bincount(window * width + (stream.concept - lowest), minlength=stream.windows * width)
    dominant: np.ndarray = table.reshape(stream.windows, width).argmax(axis=1) + lowest
    return dominant.astype(np.int64)


def _mean_bayes(stream: Stream) -> np.ndarray:
    """Mean Bayes accuracy of each window's rows, NaN where unknown."""
    if stream.bayes is None:
        return np.full(stream.windows, np.nan, dtype=np.float32)
    sums = np.add.reduceat(stream.bayes[: stream.bounds[-1]], stream.bounds[:-1])
    return (sums / np.diff(stream.bounds)).astype(np.float32)
