"""What a version was trained on, by digest, and what was kept away from it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from mlopsim.core.digest import digest_arrays, digest_bytes
from mlopsim.core.spec import canonical, make
from mlopsim.core.threads import one_thread
from mlopsim.governance.lineage.version import Bits, Removed, Training
from mlopsim.learners.base import Model

if TYPE_CHECKING:
    from mlopsim.world.source import Source, TrainedOn


def digest_of_rows(found: TrainedOn) -> str:
    """Return the digest of the rows that a version was trained on: features, labels, weights."""
    weight = {} if found.weight is None else {"weight": found.weight}
    return digest_arrays({"X": found.X, "y": found.y, **weight})


def training_of(source: Source, version: int) -> Training:
    """Return what a version was trained on.

    Parameters
    ----------
    source : Source
        Of its World.
    version : int
    """
    found = source.trained_on(version)
    own = int(source.start[version])
    lost = found.last != version
    gate = _gate(source)
    changed = np.zeros(len(found.rows), dtype=np.bool_)
    if source.fed is not None:
        changed = (source.encoded[found.rows] != found.X).any(axis=1)
        changed |= found.y != source.stream.y[found.rows]
    return Training(
        first=found.first,
        last=found.last,
        instead_of=own if lost else None,
        rows=len(found.rows),
        digest=digest_of_rows(found),
        removed=_removed(source, own, version, gate),
        repaired=int(changed.sum()),
        light=0 if found.weight is None else int((found.weight < 1.0).sum()),
        gate=gate,
    )


def _gate(source: Source) -> dict[str, Any] | None:
    """Return the data gate that versions are trained behind; None where there is none."""
    if not getattr(source.training, "has_gate", False):
        return None
    return canonical("gate", source.training.gate)


def _removed(source: Source, first: int, last: int, gate: dict[str, Any] | None) -> tuple[Removed, ...]:
    if source.fed is None:
        return ()
    stream = source.stream
    low, high = int(stream.bounds[first]), int(stream.bounds[last + 1])
    away = np.zeros(len(stream.y), dtype=np.bool_)
    away[low:high] = ~source.fed.keep[low:high]
    biased = np.zeros(len(stream.y), dtype=np.bool_) if stream.bias is None else away & ~stream.bias.kept
    name = "training" if gate is None else str(make("gate", gate).full_name)
    found = []
    for by, which in ((name, away & ~biased), ("bias", biased)):
        rows = np.flatnonzero(which)
        if len(rows):
            parts = {"rows": rows, "X": source.encoded[rows], "y": stream.y[rows]}
            found.append(Removed(by=by, rows=len(rows), digest=digest_arrays(parts)))
    return tuple(found)


def bits_of(source: Source, model: Model) -> Bits:
    """Return what says that a model is this model: what it answers to all rows of its World, bit by bit.

    Parameters
    ----------
    source : Source
        Of its World.
    model : Model
    """
    labels = source.stream.y if source.fed is None else source.fed.true
    with one_thread():
        right = np.asarray(model.predict(source.judged)) == labels
        scores = np.asarray(model.scores(source.judged), dtype=np.float64)
    return Bits(answers=digest_bytes(np.packbits(right).tobytes()), scores=digest_arrays({"scores": scores}))
