"""Whether the rows of a stream and the truth about them hold together."""

from __future__ import annotations

from typing import Any

import numpy as np

from mlopsim.checks.base import require
from mlopsim.streams.stream import DriftEvent, DriftKind, Stream


def valid_stream(stream: Stream) -> None:
    """Raise unless a stream holds together; sizes and windows are checked when it is made."""
    require(isinstance(stream, Stream), f"generate() returns {type(stream).__name__}, expected Stream")
    n, d = stream.X.shape
    forms: list[tuple[str, np.ndarray, Any, tuple[int, ...]]] = [
        ("X", stream.X, np.float64, (n, d)),
        ("y", stream.y, np.int64, (n,)),
        ("g", stream.g, np.int64, (n,)),
    ]
    forms.append(("bounds", stream.bounds, np.int64, (stream.windows + 1,)))
    truth: list[tuple[str, np.ndarray | None, Any, tuple[int, ...]]] = [
        ("concept", stream.concept, np.int64, (n,)),
        ("bayes", stream.bayes, np.float64, (n,)),
        ("corrupted", stream.corrupted, np.bool_, (n, d)),
        ("biased", stream.biased, np.bool_, (n,)),
        ("true_y", stream.true_y, np.int64, (n,)),
    ]
    forms.extend((name, known, dtype, form) for name, known, dtype, form in truth if known is not None)
    for name, array, wanted, shape in forms:
        require(
            array.dtype == wanted and array.shape == shape,
            f"{name} is {array.dtype} of shape {array.shape}, expected {np.dtype(wanted)} of {shape}",
        )
    for name, codes, known in (("y", stream.y, stream.classes), ("g", stream.g, stream.groups)):
        require(
            codes.min() >= 0 and codes.max() < len(known), f"{name} holds codes beyond its {len(known)} names"
        )
    require(len(np.unique(stream.y)) > 1, "all labels are the same")
    require(not np.isinf(stream.X).any(), "X holds infinite numbers", remedy="NaN where a value is missing")
    for feature, names in stream.categories.items():
        values = stream.X[:, feature]
        values = values[~np.isnan(values)]
        good = bool((values == values.round()).all()) and values.min(initial=0) >= 0
        require(
            good and values.max(initial=0) < len(names),
            f"the categorical feature {stream.features[feature]} holds more than its {len(names)} codes",
        )
    if stream.bayes is not None:
        known_rows = stream.bayes[~np.isnan(stream.bayes)]
        require(bool(((known_rows >= 0) & (known_rows <= 1 + 1e-9)).all()), "bayes lies outside of 0..1")
    for event in stream.events or ():
        _valid_event(event, int(stream.bounds[stream.warmup]), n)


def _valid_event(event: DriftEvent, first: int, n: int) -> None:
    require(isinstance(event.kind, DriftKind), f"an event has the kind {event.kind!r}")
    require(
        0 <= event.start <= event.end <= n and event.start < n,
        f"an event from row {event.start} to {event.end} lies outside of the {n} rows",
    )
    require(
        event.start >= first,
        f"an event begins at row {event.start}, in the warm-up that ends at row {first}",
        remedy="the first version is trained on the warm-up: nothing may change there",
    )
