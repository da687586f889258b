"""A clean stream beside the same rows as they are received, and what is wrong with them."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from mlopsim.core.spec import Spec
from mlopsim.learners.encode import Encoder
from mlopsim.quality.gate import Rows
from mlopsim.quality.input_checks import check_streams
from mlopsim.streams.stream import Stream


@dataclass(kw_only=True)
class Case:
    """A clean stream and the same rows as they are received.

    Parameters
    ----------
    clean : Stream
    seen : Stream
        With errors; its warm-up is that of the clean one.
    learner : spec
        What is trained.
    starts : ndarray of int64, shape (T,)
        First training window of each version.
    """

    clean: Stream
    seen: Stream
    learner: Spec
    starts: np.ndarray
    _encoder: Encoder = field(init=False)

    def __post_init__(self) -> None:
        check_streams(self.clean, self.seen)
        self._encoder = Encoder.fit(self.clean)

    @property
    def warmup_rows(self) -> int:
        """Rows of the warm-up."""
        return int(self.clean.bounds[self.clean.warmup])

    @cached_property
    def wrong(self) -> np.ndarray:
        """Rows that errors were put into, bool (n,): a cell is not the clean one, or a label is now wrong.

        A label that noise had made wrong and that the errors made right again is not.
        """
        found: np.ndarray = self._cells | (self._labels & (self.seen.y != self.clean.y))
        return found

    @cached_property
    def noisy(self) -> np.ndarray:
        """Rows that are wrong without an error that was put in, bool (n,): the stream's own label noise.

        Nobody is asked to find them, and who finds them raises no false alarm.
        """
        found: np.ndarray = self._labels & ~self.wrong
        return found

    @property
    def _cells(self) -> np.ndarray:
        cells = self.seen.corrupted
        if cells is None:
            return np.zeros(len(self.clean.y), dtype=np.bool_)
        return np.asarray(cells.any(axis=1))

    @property
    def _labels(self) -> np.ndarray:
        labels = self.seen.biased
        return np.zeros(len(self.clean.y), dtype=np.bool_) if labels is None else labels

    @cached_property
    def window(self) -> np.ndarray:
        """Window of each row, int64 (n,)."""
        return np.repeat(np.arange(self.clean.windows), np.diff(self.clean.bounds))

    @cached_property
    def clean_rows(self) -> Rows:
        """The clean rows."""
        return self.rows(self.clean.X, self.clean.y)

    @cached_property
    def seen_rows(self) -> Rows:
        """The rows as they are received."""
        return self.rows(self.seen.X, self.seen.y)

    def rows(self, X: np.ndarray, y: np.ndarray) -> Rows:
        """Return rows encoded by what the warm-up knows."""
        return Rows(
            X=X,
            Z=self._encoder.transform(X),
            y=y,
            n_classes=self.clean.n_classes,
            features=self.clean.features,
            categorical=tuple(self.clean.categories),
        )

    def batch(self, t: int) -> Rows:
        """Return a window as it is received, with the columns it came with."""
        place = slice(int(self.clean.bounds[t]), int(self.clean.bounds[t + 1]))
        return dataclasses.replace(self.seen_rows.take(place), received=self.seen.received.get(t))
