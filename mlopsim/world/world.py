"""The World: everything about a deployment that does not depend on its decisions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from mlopsim.core.digest import digest_arrays
from mlopsim.core.errors import MlopsimError
from mlopsim.streams.stream import DriftEvent, Stream
from mlopsim.world.metrics import Metric, metric_of, quality_of
from mlopsim.world.spec import WorldSpec

if TYPE_CHECKING:
    from mlopsim.learners.base import Model
    from mlopsim.world.source import Source

#: the stored arrays
ARRAYS = ("counts", "bits", "shift", "start", "bounds", "y", "g", "concept", "bayes")


class World:
    """Dense arrays indexed ``[version, window, ...]`` by absolute number; rows ``v < v0`` are zero.

    Worlds are made by :func:`mlopsim.world.build.build_world` or opened by
    :class:`mlopsim.world.cache.WorldCache`, then memory-mapped and read-only.

    Attributes
    ----------
    counts : ndarray of uint16 or uint32, shape (T, T, G, C, C)
        Confusion counts ``[v, t, group, y, yhat]``.
    bits : ndarray of uint8, shape (T, ceil(n / 8))
        1 where version v is right about a row, packed along the rows (``numpy.packbits``, big-endian).
    shift : ndarray of float32, shape (T, T, 3)
        Training inputs of v against window t; see :data:`mlopsim.world.shift.SHIFT_NAMES`.
    start : ndarray of int64, shape (T,)
        Version v is trained on the windows ``start[v]..v``.
    bounds : ndarray of int64, shape (T + 1,)
        Window t holds the rows ``bounds[t]:bounds[t + 1]``.
    y, g : ndarray of int16, shape (n,)
        Labels and protected groups.
    concept : ndarray of int64, shape (T,)
        Dominant concept of each window, -1 where unknown.
    bayes : ndarray of float32, shape (T,)
        Mean highest attainable accuracy of each window's rows, NaN where unknown.
    events : tuple of DriftEvent, or None
        The truth about drift; None where it is not known.
    warmup : int
        Windows of history W.
    classes, features, groups : tuple of str
        Names.
    spec : WorldSpec or None
        Its address; None for a World built from a stream at hand.
    """

    counts: np.ndarray
    bits: np.ndarray
    shift: np.ndarray
    start: np.ndarray
    bounds: np.ndarray
    y: np.ndarray
    g: np.ndarray
    concept: np.ndarray
    bayes: np.ndarray

    def __init__(
        self,
        *,
        spec: WorldSpec | None,
        arrays: Mapping[str, np.ndarray],
        warmup: int,
        classes: tuple[str, ...],
        features: tuple[str, ...],
        groups: tuple[str, ...],
        events: tuple[DriftEvent, ...] | None,
        source: Source | None = None,
    ) -> None:
        self.spec = spec
        for name in ARRAYS:
            array = arrays[name].view()
            array.flags.writeable = False
            setattr(self, name, array)
        self.warmup = warmup
        self.classes = classes
        self.features = features
        self.groups = groups
        self.events = events
        self._source = source

    def __repr__(self) -> str:
        key = self.spec.key if self.spec is not None else "no address"
        return f"World({self.windows} windows, {len(self.y)} rows, {self.n_classes} classes, {key})"

    @property
    def windows(self) -> int:
        """Number of windows T."""
        return len(self.start)

    @property
    def v0(self) -> int:
        """The initial version W - 1."""
        return self.warmup - 1

    @property
    def n_classes(self) -> int:
        """Number of classes C."""
        return len(self.classes)

    @property
    def arrays(self) -> dict[str, np.ndarray]:
        """The stored arrays by name."""
        return {name: getattr(self, name) for name in ARRAYS}

    @property
    def confusion(self) -> np.ndarray:
        """Counts over all groups, int64 of shape (T, T, C, C)."""
        total: np.ndarray = self.counts.sum(axis=2, dtype=np.int64)
        return total

    def block(self, first: int, end: int) -> World:
        """Return the World that a deployment meets which serves the windows ``first..end - 1`` only.

        Nothing is computed again: the numbers of versions and windows stay, windows from ``end`` on are left
        out, and the initial version is ``first - 1``. Encoder and scaler are those of this World's warm-up.

        Parameters
        ----------
        first, end : int
            ``warmup <= first < end <= windows``.

        Raises
        ------
        MlopsimError
            If there are no such windows.
        """
        if not self.warmup <= first < end <= self.windows:
            raise MlopsimError(
                f"no block of windows {first}..{end - 1}: windows after the warm-up are "
                f"{self.warmup}..{self.windows - 1}"
            )
        square = ("counts", "shift")
        arrays = {
            **{name: getattr(self, name)[:end, :end] for name in square},
            **{name: getattr(self, name)[:end] for name in ("bits", "start", "concept", "bayes")},
            "bounds": self.bounds[: end + 1],
            "y": self.y,
            "g": self.g,
        }
        return World(
            spec=self.spec,
            arrays=arrays,
            warmup=first,
            classes=self.classes,
            features=self.features,
            groups=self.groups,
            events=self.events,
            source=self._source,
        )

    def digest(self) -> str:
        """Return the content address of all arrays."""
        return digest_arrays(self.arrays)

    def quality(self) -> np.ndarray:
        """Return accuracy, precision, recall and F1 of every version in every window.

        Returns
        -------
        ndarray of float32, shape (T, T, 4)
            Last axis: :data:`mlopsim.world.metrics.QUALITY_NAMES`; undefined values are NaN (see
            :func:`mlopsim.world.metrics.quality_of`), rows ``v < v0`` zero.
        """
        result = np.zeros((self.windows, self.windows, 4), dtype=np.float32)
        result[self.v0 :] = quality_of(self.confusion[self.v0 :])
        return result

    def metric(self, metric: Metric = "accuracy", *, undefined: float = float("nan")) -> np.ndarray:
        """Return one metric of every version in every window; larger is better.

        Parameters
        ----------
        metric : str or cost matrix of shape (C, C)
            ``accuracy``, ``precision``, ``recall``, ``f1``, or costs ``[y][yhat]`` (then: minus the mean
            cost of a row).
        undefined : float, default NaN
            What stands where the metric is undefined.

        Returns
        -------
        ndarray of float64, shape (T, T)
            Rows ``v < v0`` are zero.

        Raises
        ------
        ConfigError
            For an unknown name or a matrix of the wrong shape.
        """
        result = np.zeros((self.windows, self.windows))
        result[self.v0 :] = metric_of(self.confusion[self.v0 :], metric, undefined)
        return result

    def errors(self, v: int, t: int) -> np.ndarray:
        """Return the errors of version v in window t by row, int8: 1 = error, 0 = correct."""
        self._check(v, t)
        first, last = int(self.bounds[t]), int(self.bounds[t + 1])
        packed = self.bits[v, first // 8 : -(-last // 8)]
        skip = first % 8
        return 1 - np.unpackbits(packed)[skip : skip + last - first].astype(np.int8)

    def _check(self, v: int, t: int = 0) -> None:
        if not (self.v0 <= v < self.windows and 0 <= t < self.windows):
            raise MlopsimError(
                f"no entry for version {v} and window {t}: versions are {self.v0}..{self.windows - 1}, "
                f"windows 0..{self.windows - 1}"
            )

    @property
    def source(self) -> Source:
        """Stream, encoder and models; drawn again from the spec when first asked for, then kept."""
        if self._source is None:
            from mlopsim.world.source import Source

            assert self.spec is not None
            self._source = Source.of(self.spec)
        return self._source

    def forget(self) -> None:
        """Free what :attr:`source` keeps (not for a World without an address, which needs it)."""
        if self.spec is not None:
            self._source = None

    def stream(self) -> Stream:
        """Return the stream, drawn again from the spec if need be."""
        return self.source.stream

    def encoded(self) -> np.ndarray:
        """Return all rows as the models see them, float64 of shape (n, D)."""
        return self.source.encoded

    def model(self, v: int) -> Model:
        """Train version v again, exactly.

        Parameters
        ----------
        v : int
            Version, ``v0..T-1``.

        Returns
        -------
        Model
            It takes rows as :meth:`encoded` gives them.

        Raises
        ------
        MlopsimError
            If there is no such version.
        """
        self._check(v)
        return self.source.model(v)

    def scores(self, v: int) -> np.ndarray:
        """Return the scores of version v for every row, float64 of shape (n, C), computed anew."""
        from mlopsim.core.threads import one_thread

        model = self.model(v)
        with one_thread():
            return model.scores(self.encoded())

    def outputs(self, v: int) -> dict[str, Any]:
        """Return statistics of what version v puts out in each window; not stored, computed anew.

        Returns
        -------
        dict
            ``mean``: mean score, float64 of shape (T, C); ``margin``: mean distance between the
            highest and the second highest score, shape (T,); ``share``: share of rows answered with each
            class, shape (T, C).
        """
        scores = self.scores(v)[: self.bounds[-1]]
        rows = np.diff(self.bounds).astype(np.float64)
        two = np.partition(scores, scores.shape[1] - 2, axis=1)[:, -2:]
        answered = self.confusion[v].sum(axis=1)
        return {
            "mean": np.add.reduceat(scores, self.bounds[:-1], axis=0) / rows[:, None],
            "margin": np.add.reduceat(two[:, 1] - two[:, 0], self.bounds[:-1]) / rows,
            "share": answered / rows[:, None],
        }
