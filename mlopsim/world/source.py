"""What a World is computed from: the stream, the encoded rows and the models of all versions."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from mlopsim.core.digest import plain
from mlopsim.core.errors import DataError, MlopsimError
from mlopsim.core.spec import make
from mlopsim.core.threads import one_thread
from mlopsim.learners.base import BatchLearner, BatchModel, Learner, Model
from mlopsim.streams.stream import Stream
from mlopsim.world.spec import WorldSpec

#: predictions held at a time, in bytes
BLOCK = 1 << 27


@dataclass(frozen=True, kw_only=True)
class Fed:
    """What versions are trained on where that is not the rows as they come, and what they are judged on.

    Parameters
    ----------
    X : ndarray of float64, shape (n, D)
        Rows to train on, encoded.
    y : ndarray of int64, shape (n,)
        Their labels.
    keep : ndarray of bool, shape (n,)
        Which of them are trained on. A version that would have none is trained on those of the warm-up.
    judged : ndarray of float64, shape (n, D)
        The rows that versions answer, encoded.
    true : ndarray of int64, shape (n,)
        The labels that answers are compared with.
    g : ndarray of int64, shape (n,)
        Protected groups of the rows that are answered.
    weight : ndarray of float64, shape (n,), or None
        What rows count in training; None: all the same.
    """

    X: np.ndarray
    y: np.ndarray
    keep: np.ndarray
    judged: np.ndarray
    true: np.ndarray
    g: np.ndarray
    weight: np.ndarray | None = None


@dataclass(frozen=True, kw_only=True)
class TrainedOn:
    """What one version is trained on.

    Parameters
    ----------
    first, last : int
        Windows, both included. Where nothing was let through of a version's own windows they are those of the
        warm-up.
    rows : ndarray of int64, shape (m,)
        Which rows of the stream.
    X : ndarray of float64, shape (m, D)
        Their features as they were trained on, encoded.
    y : ndarray of int64, shape (m,)
        Their labels as they were trained on.
    weight : ndarray of float64, shape (m,), or None
        What they count; None: all the same.
    """

    first: int
    last: int
    rows: np.ndarray
    X: np.ndarray
    y: np.ndarray
    weight: np.ndarray | None = None


@dataclass(kw_only=True)
class Source:
    """Stream, learner and training policy put together.

    Parameters
    ----------
    stream : Stream
        The rows.
    learner : Learner
        What is trained.
    training : object
        ``starts(X, bounds, warmup) -> (T,)``: the first window that each version is trained on; it is
        given the encoded rows. Where it has a method ``feed(source, stream, spec) -> Fed`` (the stream
        component, what it drew, the address) versions are trained on and judged by what that gives.
    seed : callable
        Version to its :class:`numpy.random.SeedSequence`.
    feed : callable, optional
        Gives what versions are trained on, where that is not the stream's rows.
    """

    stream: Stream
    learner: Learner
    training: Any
    seed: Callable[[int], np.random.SeedSequence]
    feed: Callable[[], Fed] | None = None

    @classmethod
    def of(cls, spec: WorldSpec) -> Source:
        """Build all three from their parts and draw the stream."""
        source = make("stream", spec.stream)
        if "content" in spec.stream and plain(source.content()) != spec.stream["content"]:
            raise DataError(
                f"the data of {source.full_name} have changed since they were addressed",
                remedy="bring the old data back, or run the bench again: changed data have keys of their own",
            )
        stream = source.generate(spec.scenario_seed)
        if not isinstance(stream, Stream):
            raise DataError(f"stream/{spec.stream['name']} gave {type(stream).__name__} instead of a Stream")
        training = make("training", spec.training)
        feed = None
        if hasattr(training, "feed"):

            def feed() -> Fed:
                found: Fed = training.feed(source, stream, spec)
                return found

        return cls(
            stream=stream,
            learner=make("learner", spec.learner),
            training=training,
            seed=spec.learner_seed,
            feed=feed,
        )

    @cached_property
    def fed(self) -> Fed | None:
        """What versions are trained on and judged by; None: the rows of the stream as they come."""
        return None if self.feed is None else self.feed()

    @cached_property
    def _kept(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Rows that are trained on, their bounds by window, first and last window of each version v0.."""
        assert self.fed is not None
        bounds = self.stream.bounds
        kept = np.flatnonzero(self.fed.keep[: bounds[-1]])
        counts = np.searchsorted(kept, bounds).astype(np.int64)
        first, last = self.start[self.v0 :], np.arange(self.v0, self.stream.windows)
        lost = counts[last + 1] == counts[first]
        return kept, counts, np.where(lost, 0, first), np.where(lost, self.v0, last)

    @property
    def v0(self) -> int:
        """The initial version: the one trained up to the end of the warm-up."""
        return self.stream.warmup - 1

    @cached_property
    def encoder(self) -> Any:
        """The encoder, fitted on the warm-up rows."""
        from mlopsim.learners.encode import Encoder

        return Encoder.fit(self.stream)

    @cached_property
    def encoded(self) -> np.ndarray:
        """All rows encoded: finite float64 of shape (n, D)."""
        encoded: np.ndarray = np.ascontiguousarray(self.encoder.transform(self.stream.X), dtype=np.float64)
        if not np.isfinite(encoded).all():
            raise DataError("the encoded rows hold values that are not finite")
        return encoded

    @cached_property
    def start(self) -> np.ndarray:
        """First training window of every version, int64 of shape (T,)."""
        windows = self.stream.windows
        with one_thread():
            start = np.asarray(self.training.starts(self.encoded, self.stream.bounds, self.stream.warmup))
        if (
            start.shape != (windows,)
            or start.dtype.kind not in "iu"
            or (start < 0).any()
            or (start > np.arange(windows)).any()
        ):
            name = getattr(self.training, "full_name", type(self.training).__name__)
            raise MlopsimError(f"{name} must give one training window in 0..v per version v, got {start!r}")
        return start.astype(np.int64)

    @cached_property
    def _versions(self) -> BatchModel:
        """All versions of a batch learner; entry i is version v0 + i."""
        assert isinstance(self.learner, BatchLearner)
        stream, fed = self.stream, self.fed
        if fed is not None:
            kept, counts, first, last = self._kept
            more = {} if fed.weight is None else {"weight": fed.weight[kept]}
            with one_thread():
                return self.learner.fit_versions(
                    fed.X[kept], fed.y[kept], stream.n_classes, counts, first, last, **more
                )
        with one_thread():
            return self.learner.fit_versions(
                self.encoded,
                stream.y,
                stream.n_classes,
                stream.bounds,
                self.start[self.v0 :],
                np.arange(self.v0, stream.windows),
            )

    def model(self, v: int) -> Model:
        """Train version v (the same numbers whenever it is asked for)."""
        self._check(v)
        if isinstance(self.learner, BatchLearner):
            return self._versions.model(v - self.v0)
        found = self.trained_on(v)
        more = {} if found.weight is None else {"weight": found.weight}
        with one_thread():
            return self.learner.fit(found.X, found.y, self.stream.n_classes, self.seed(v), **more)

    def trained_on(self, v: int) -> TrainedOn:
        """Return what version v is trained on.

        Raises
        ------
        MlopsimError
            If there is no such version.
        """
        self._check(v)
        stream = self.stream
        if self.fed is None:
            first = int(self.start[v])
            low, high = int(stream.bounds[first]), int(stream.bounds[v + 1])
            return TrainedOn(
                first=first,
                last=v,
                rows=np.arange(low, high),
                X=self.encoded[low:high],
                y=stream.y[low:high],
            )
        kept, counts, firsts, lasts = self._kept
        at = v - self.v0
        part = kept[counts[firsts[at]] : counts[lasts[at] + 1]]
        return TrainedOn(
            first=int(firsts[at]),
            last=int(lasts[at]),
            rows=part,
            X=self.fed.X[part],
            y=self.fed.y[part],
            weight=None if self.fed.weight is None else self.fed.weight[part],
        )

    @property
    def judged(self) -> np.ndarray:
        """The rows that versions answer, encoded: float64 of shape (n, D)."""
        return self.encoded if self.fed is None else self.fed.judged

    def _check(self, v: int) -> None:
        if not self.v0 <= v < self.stream.windows:
            raise MlopsimError(
                f"version {v} does not exist; versions are {self.v0}..{self.stream.windows - 1}"
            )

    def answers(self, rows: np.ndarray) -> np.ndarray:
        """Return what all versions answer to any rows.

        Parameters
        ----------
        rows : ndarray of float64, shape (m, D)
            Encoded.

        Returns
        -------
        ndarray of uint8, shape (T - v0, m)
            Entry i is version v0 + i.
        """
        versions = range(self.v0, self.stream.windows)
        if isinstance(self.learner, BatchLearner):
            with one_thread():
                answers = self._versions.predict(rows)
        else:
            models = [self.model(v) for v in versions]
            with one_thread():
                answers = np.stack([np.asarray(model.predict(rows)) for model in models])
        return self._checked(answers, (len(versions), len(rows)))

    def predictions(self) -> Iterator[tuple[int, int, np.ndarray]]:
        """Yield blocks of answers.

        Yields
        ------
        version : int
            First version of the block.
        row : int
            First row of the block (a multiple of 8).
        answers : ndarray of uint8, shape (V, m)
            Labels answered by the versions ``version..version + V - 1`` for the rows ``row..row + m - 1``.
        """
        n = len(self.stream.y)
        rows = self.judged
        if isinstance(self.learner, BatchLearner):
            count = self.stream.windows - self.v0
            step = max(BLOCK // count // 8 * 8, 8)
            for row in range(0, n, step):
                with one_thread():
                    answers = self._versions.predict(rows[row : row + step])
                yield self.v0, row, self._checked(answers, (count, min(step, n - row)))
            return
        for v in range(self.v0, self.stream.windows):
            model = self.model(v)
            with one_thread():
                answers = model.predict(rows)
            yield v, 0, self._checked(np.asarray(answers)[None], (1, n))

    def _checked(self, answers: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
        classes = self.stream.n_classes
        name = getattr(self.learner, "full_name", type(self.learner).__name__)
        if answers.shape != shape or answers.dtype.kind not in "iu":
            raise MlopsimError(
                f"{name} must answer with integers of shape {shape}, "
                f"got {answers.dtype} of shape {answers.shape}"
            )
        if answers.min() < 0 or answers.max() >= classes:
            raise MlopsimError(f"{name} answered a label outside 0..{classes - 1}")
        return answers.astype(np.uint8, copy=False)
