"""Training a version again from its record alone, and whether it is the same, bit by bit."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mlopsim.core.errors import ConfigError, DataError
from mlopsim.core.fingerprint import fingerprint_digest
from mlopsim.core.threads import one_thread
from mlopsim.core.versions import VERSIONS
from mlopsim.governance.lineage.training_rows import bits_of, training_of
from mlopsim.governance.lineage.version import VersionRecord
from mlopsim.learners.base import Model
from mlopsim.learners.encode import Encoder
from mlopsim.world.source import Source
from mlopsim.world.spec import WorldSpec


@dataclass(frozen=True, kw_only=True)
class Rebuilt:
    """A version that was trained again.

    Parameters
    ----------
    record : VersionRecord
    encoder : Encoder
        From rows as they come to rows as the model takes them.
    model : Model
    source : Source
        Stream and learner.
    """

    record: VersionRecord
    encoder: Encoder
    model: Model
    source: Source

    def predict(self, X: np.ndarray) -> np.ndarray:
        """Return labels 0..C-1 of rows of features as they come, int64 of shape (n,)."""
        with one_thread():
            return np.asarray(self.model.predict(self.encoder.transform(X)), dtype=np.int64)


def train_again(record: VersionRecord) -> Rebuilt:
    """Train a version from its record, without comparing it (see :func:`rebuild`)."""
    if record.world is None:
        raise ConfigError(
            f"version {record.number} was trained on a stream that has no address",
            remedy="build its World from a spec (WorldSpec.of), so that it can be drawn again",
        )
    if record.components.get("world") != str(VERSIONS["world"]):
        raise ConfigError(
            f"version {record.number} is of World builder {record.components.get('world')}, here it is "
            f"{VERSIONS['world']}",
            remedy="install the mlopsim that it came from",
        )
    source = Source.of(WorldSpec.from_dict(record.world))
    return Rebuilt(record=record, encoder=source.encoder, model=source.model(record.number), source=source)


def rebuild(record: VersionRecord) -> Rebuilt:
    """Train a version again from its record alone.

    Stream, learner, gate and seed stand in the record; rows of a file are read from where the record says,
    and are refused if they have changed.

    Parameters
    ----------
    record : VersionRecord

    Returns
    -------
    Rebuilt
        The same rows, the same answers and the same scores as on record.

    Raises
    ------
    ConfigError
        If the record has no address, or is of other versions of components than there are today.
    DataError
        If rows, answers or scores are not those on record.
    """
    made = train_again(record)
    training, bits = training_of(made.source, record.number), bits_of(made.source, made.model)
    unlike = [
        what
        for what, same in (
            ("the rows that it was trained on", training == record.training),
            ("its answers", bits.answers == record.bits.answers),
            ("its scores", bits.scores == record.bits.scores),
        )
        if not same
    ]
    if unlike:
        if fingerprint_digest() != record.platform:
            remedy = "it is from another platform, where bits may differ: rebuild it there"
        else:
            remedy = "the record was changed: derive it anew with mlopsim export-registry"
        raise DataError(
            f"version {record.number} trained again is another one: {', '.join(unlike)} differ",
            remedy=remedy,
        )
    return made
