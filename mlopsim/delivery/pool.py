"""Worlds of equal length, stacked for the kernels."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from mlopsim.core.digest import digest_arrays
from mlopsim.core.errors import ConfigError, DataError
from mlopsim.core.seeds import Axis, Split, digest_words, seed_sequence
from mlopsim.core.spec import label
from mlopsim.delivery.features import CAP
from mlopsim.delivery.inputs import Rows
from mlopsim.drift.signal import output_of
from mlopsim.world.metrics import QUALITY_NAMES, check_metric, metric_of, quality_of
from mlopsim.world.spec import WorldSpec

if TYPE_CHECKING:
    from mlopsim.world.world import World


#: windows, or decisions, that a past KS distance averages over
PAST = 4


class WorldPool:
    """M Worlds with the same number of windows T and warm-up W, stacked.

    A version can serve no window before the last one that it was trained on. So of each array
    ``[version, window]`` only the cells with ``v0 <= version <= window`` are kept, row after row; there are
    ``n (n + 1) / 2`` of them, n being ``T - v0`` (:meth:`cell`, :meth:`square`).

    Parameters
    ----------
    worlds : sequence of World or WorldSpec
        At least one; T, W and the number of classes C are the same in all. A World that is named by its spec
        is opened (the user's cache), stacked, and let go; it is opened again when its rows are asked for.
    metric : str or list of list of float, default "accuracy"
        What the reward measures, see :meth:`mlopsim.world.World.metric`.
    canary : bool, default False
        Whether confusion counts are needed, too (for what is seen of a canary).

    Attributes
    ----------
    reward : ndarray of float64, shape (M, cells)
        The metric of version v in window t.
    quality : ndarray of float32, shape (M, cells, 4)
        Accuracy, precision, recall, F1; NaN where undefined.
    shift : ndarray of float32, shape (M, cells, 4)
        Shift of the inputs of the training data of v against window t, as features: KS, PSI and mean shift
        (both at most 5), and the mean of the KS over those of the windows t-4..t-1 that v was not trained on.
    counts : ndarray of uint32, shape (M, cells, C, C), or (0, 0, C, C) without ``canary``
        Confusion counts over all groups.
    seeds : ndarray of uint64, shape (M,)
        Seeds of what a canary shows: the same for every learner and method.
    bounds : ndarray of int64, shape (M, T + 1)
        Window t of World m holds its rows ``bounds[m, t]:bounds[m, t + 1]``.
    start : ndarray of int64, shape (M, T)
        Version v of World m is trained on the windows ``start[m, v]..v``.
    within : tuple of WorldPool and ndarray of int64, shape (M,), or None
        Of which pool it is a part, and which Worlds of that it holds; None: of none.

    Raises
    ------
    ConfigError
        If there is no World, or T, W or C differ.
    DataError
        If the metric is undefined for a version in a window that it can serve, or a shift is not finite.

    Notes
    -----
    40 bytes per cell: 0.25 MB for T = 120 and W = 10; ``canary`` adds 4 C^2 bytes.
    """

    within: tuple[WorldPool, np.ndarray] | None = None

    def __init__(
        self,
        worlds: Sequence[World | WorldSpec],
        metric: str | list[list[float]] = "accuracy",
        *,
        canary: bool = False,
    ) -> None:
        if len(worlds) == 0:
            raise ConfigError("a pool needs at least one World")
        self._sources = tuple(worlds)
        self.metric = metric
        self.canary = canary
        first = self.world(0)
        self.windows, self.warmup = int(first.windows), int(first.warmup)
        self.n_classes = int(first.n_classes)
        size, classes = len(self._sources), self.n_classes
        n = self.windows - self.warmup + 1
        cells = n * (n + 1) // 2
        self.reward = np.zeros((size, cells))
        self.quality = np.zeros((size, cells, 4), dtype=np.float32)
        self.shift = np.zeros((size, cells, 4), dtype=np.float32)
        self.counts = np.zeros((*((size, cells) if canary else (0, 0)), classes, classes), dtype=np.uint32)
        self.seeds = np.zeros(size, dtype=np.uint64)
        self.bounds = np.zeros((size, self.windows + 1), dtype=np.int64)
        self.start = np.zeros((size, self.windows), dtype=np.int64)
        for i in range(size):
            self._stack(i, self.world(i))

    def _stack(self, i: int, world: World) -> None:
        mine = (world.windows, world.warmup, world.n_classes)
        if mine != (self.windows, self.warmup, self.n_classes):
            raise ConfigError(
                f"World {i} has (windows, warm-up, classes) = {mine}, "
                f"the first one {(self.windows, self.warmup, self.n_classes)}",
                remedy="roll Worlds of different sizes out in pools of their own",
            )
        v0, warmup = self.warmup - 1, self.warmup
        confusion = world.confusion[v0:]
        quality = quality_of(confusion)
        metric = check_metric(self.metric, self.n_classes)
        # the same numbers as World.metric, without computing the qualities twice
        if isinstance(metric, str):
            reward = np.asarray(quality[..., QUALITY_NAMES.index(metric)], dtype=np.float64)
        else:
            reward = metric_of(confusion, metric)
        shift = _shift_features(np.asarray(world.shift[v0:], dtype=np.float64), v0, world.start[v0:])
        v, t = self._kept
        v = v - v0
        self.reward[i], self.quality[i], self.shift[i] = reward[v, t], quality[v, t], shift[v, t]
        if self.canary:
            self.counts[i] = confusion[v, t]
        self.seeds[i] = _observation_seed(world)
        self.bounds[i], self.start[i] = world.bounds, world.start
        served = np.triu(np.ones((self.windows - v0, self.windows - warmup), dtype=bool))
        undefined = served & ~np.isfinite(reward[:, warmup:])
        if undefined.any():
            version, window = (int(place[0]) for place in np.nonzero(undefined))
            counts = confusion[version, warmup + window]
            raise DataError(
                f"the metric {self.metric} is undefined in {int(undefined.any(axis=0).sum())} of "
                f"{self.windows - warmup} windows of {_named(i, world)}, first for version {v0 + version} in "
                f"window {warmup + window}: {_cause(self.metric, counts, world.classes)}",
                remedy="use larger windows, or the metric accuracy or a cost matrix, which every row defines",
            )
        if not np.isfinite(self.shift[i]).all():
            raise DataError(f"the input shift of World {i} is not finite")

    def __len__(self) -> int:
        return len(self._sources)

    def __deepcopy__(self, memo: dict[int, Any]) -> WorldPool:
        # read-only: Gymnasium deep-copies the keywords of an environment's spec
        return self

    def __repr__(self) -> str:
        return f"WorldPool({len(self)} Worlds, {self.windows} windows, warm-up {self.warmup})"

    def world(self, i: int) -> World:
        """Return a World, opened from the user's cache if the pool was given its spec."""
        source = self._sources[i]
        if isinstance(source, WorldSpec):
            from mlopsim.world.cache import open_world

            return open_world(source)
        return source

    def spec(self, i: int) -> WorldSpec | None:
        """Return what identifies a World, without opening it; None: it was built by hand."""
        source = self._sources[i]
        found: WorldSpec | None = source if isinstance(source, WorldSpec) else getattr(source, "spec", None)
        return found

    @property
    def worlds(self) -> tuple[World, ...]:
        """All Worlds, see :meth:`world`."""
        return tuple(self.world(i) for i in range(len(self)))

    def part(self, first: int, last: int) -> WorldPool:
        """Return the Worlds ``first..last - 1`` as a pool of their own, without stacking them again.

        Raises
        ------
        ConfigError
            If there is none.
        """
        if not 0 <= first < last <= len(self):
            raise ConfigError(f"a part of {len(self)} Worlds cannot be {first}..{last - 1}")
        return self._some(slice(first, last))

    def select(self, which: Sequence[int] | np.ndarray) -> WorldPool:
        """Return some of the Worlds, in this order, as a pool of their own, without opening them again.

        Raises
        ------
        ConfigError
            If there is none, or no such World.
        """
        chosen = np.asarray(which, dtype=np.int64)
        if not len(chosen) or chosen.min() < 0 or chosen.max() >= len(self):
            raise ConfigError(f"cannot select {chosen.tolist()} of {len(self)} Worlds")
        return self._some(chosen)

    def _some(self, which: slice | np.ndarray) -> WorldPool:
        found = object.__new__(type(self))
        places = np.arange(len(self))[which]
        found._sources = tuple(self._sources[i] for i in places.tolist())
        for name in ("metric", "canary", "windows", "warmup", "n_classes"):
            setattr(found, name, getattr(self, name))
        for name in ("reward", "quality", "shift", "seeds", "bounds", "start"):
            setattr(found, name, getattr(self, name)[which])
        found.counts = self.counts[which] if self.canary else self.counts
        found.within = (self, places)
        return found

    @property
    def steps(self) -> int:
        """Number of decisions T - W."""
        return self.windows - self.warmup

    @cached_property
    def _kept(self) -> tuple[np.ndarray, np.ndarray]:
        """Version and window of every cell."""
        v, t = np.triu_indices(self.windows - self.warmup + 1)
        return v + self.warmup - 1, t + self.warmup - 1

    def cell(self, version: ArrayLike, window: ArrayLike) -> np.ndarray:
        """Return where version and window stand among the cells, ``v0 <= version <= window``; int64.

        The compiled twin is :func:`mlopsim.delivery.dynamics.cell`.
        """
        i = np.asarray(version, dtype=np.int64) - (self.warmup - 1)
        n = self.windows - self.warmup + 1
        return np.asarray(i * n - i * (i - 1) // 2 + np.asarray(window) - np.asarray(version))

    def flat(self, square: np.ndarray) -> np.ndarray:
        """Return the cells of an array ``[version, window, ...]`` of shape (T, T, ...)."""
        found: np.ndarray = square[self._kept]
        return found

    def square(self, name: str, i: int) -> np.ndarray:
        """Return an array of one World as ``[version, window, ...]``, 0 where it has no cell.

        Parameters
        ----------
        name : str
            ``reward``, ``quality``, ``shift`` or ``counts``.
        i : int
            Number of the World.
        """
        cells: np.ndarray = getattr(self, name)[i]
        out = np.zeros((self.windows, self.windows, *cells.shape[1:]), dtype=cells.dtype)
        out[self._kept] = cells
        return out

    @cached_property
    def rows(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Row-wise correctness: packed bits of all Worlds, places (M, T), labels (M, n), bounds (M, T + 1).

        Bit ``row & 7`` of byte ``places[m, v] + (row >> 3)`` says whether version v is right about a row of a
        window that is not before its last own one. Made when first asked for: roll-outs need it, training
        does not.
        """
        v0 = self.warmup - 1
        begin = self.bounds[:, v0:-1] // 8
        sizes = -(-self.bounds[:, -1:] // 8) - begin
        ends = np.cumsum(sizes).reshape(sizes.shape)
        places = np.full((len(self), self.windows), -1, dtype=np.int64)
        places[:, v0:] = ends - sizes - begin
        bits = np.empty(int(ends[-1, -1]), dtype=np.uint8)
        last = self.bounds[:, -1]
        labels = np.zeros((len(self), int(last.max()) if self.canary else 0), dtype=np.int16)
        for i in range(len(self)):
            world = self.world(i)
            whole = -(-int(last[i]) // 8)
            for k in range(len(begin[i])):
                bits[ends[i, k] - sizes[i, k] : ends[i, k]] = world.bits[v0 + k, begin[i, k] : whole]
            if self.canary:
                labels[i, : last[i]] = world.y[: last[i]]
        return bits, places, labels, self.bounds

    @cached_property
    def answers(self) -> tuple[np.ndarray, np.ndarray]:
        """What versions answer to each row, packed: P planes of bits, uint8 (P, total), and places (M, T).

        Two answers differ where a bit of any plane does; bits and places are those of :attr:`rows`. With two
        classes versions answer differently where one of them alone is right. With more the versions are
        trained again when this is first asked for.
        """
        if self.n_classes == 2:
            bits, places, _, _ = self.rows
            return bits[None], places
        v0 = self.warmup - 1
        planes = (self.n_classes - 1).bit_length()
        parts: list[np.ndarray] = []
        places = np.full((len(self), self.windows), -1, dtype=np.int64)
        total = 0
        for i in range(len(self)):
            world = self.world(i)
            last = int(self.bounds[i, -1])
            answers = np.zeros((self.windows - v0, last), dtype=np.uint8)
            for v, row, block in world.source.predictions():
                end = min(row + block.shape[1], last)
                answers[v - v0 : v - v0 + len(block), row:end] = block[:, : end - row]
            world.forget()
            packed = np.stack([np.packbits((answers >> plane) & 1, axis=1) for plane in range(planes)])
            for k in range(self.windows - v0):
                begin = int(self.bounds[i, v0 + k]) // 8
                parts.append(packed[:, k, begin:])
                places[i, v0 + k] = total - begin
                total += packed.shape[2] - begin
        return np.concatenate(parts, axis=1), places

    @cached_property
    def inputs(self) -> tuple[Rows, ...]:
        """The inputs of every World, drawn when a roll-out first asks for them: 8 bytes a row and feature."""
        return tuple(self._inputs(i) for i in range(len(self)))

    def _inputs(self, i: int) -> Rows:
        def load() -> np.ndarray:
            world = self.world(i)
            rows = world.encoded()
            # frees what drawing them took
            world.forget()
            return rows

        def outputs(v: int) -> np.ndarray:
            # trains the version again and lets it answer
            return output_of(self.world(i).scores(v))

        return Rows(load, self.bounds[i], self.start[i], int(self.seeds[i]), outputs)

    @cached_property
    def longest(self) -> int:
        """Rows of the longest window."""
        return int(np.diff(self.bounds, axis=1).max())

    def newest(self, delay: int) -> np.ndarray:
        """Return the shift of the version that a retrain would train now, by decision time.

        Parameters
        ----------
        delay : int
            Label delay L.

        Returns
        -------
        ndarray of float32, shape (M, T, 4)
            The shift of version t - L against window t, with the mean of its KS at the (up to) 4 decisions
            before t as the last entry; 0 where t - L < v0 or there was no decision at t.
        """
        result = np.zeros((len(self), self.windows, 4), dtype=np.float32)
        v0 = self.warmup - 1
        for t in range(v0 + delay, self.windows):
            result[:, t, :3] = self.shift[:, int(self.cell(t - delay, t)), :3]
            past = result[:, max(t - PAST, v0 + delay) : t, 0].astype(np.float64)
            if past.shape[1]:
                result[:, t, 3] = past.mean(axis=1)
        return result

    def baseline(self, lag: int) -> np.ndarray:
        """Return the mean reward over the versions that could serve, by window.

        It depends on no action, so subtracting it changes no ranking of policies; it removes what all
        versions share in a window (how hard it is), a control variate.

        Parameters
        ----------
        lag : int
            L + l + 1: version v can serve from window v + lag on.

        Returns
        -------
        ndarray of float64, shape (M, T)
            Mean of the rewards in window t over v = v0 and v0 < v <= t - lag; 0 before window W.
        """
        result = np.zeros((len(self), self.windows))
        v0 = self.warmup - 1
        for t in range(self.warmup, self.windows):
            cells = self.cell(np.arange(v0, max(v0, t - lag) + 1), t)
            result[:, t] = self.reward[:, cells].mean(axis=1)
        return result

    def digest(self) -> str:
        """Return the content address of what the roll-out reads (rows aside)."""
        return digest_arrays(
            {"reward": self.reward, "quality": self.quality, "shift": self.shift, "seeds": self.seeds}
        )


def _shift_features(shift: np.ndarray, v0: int, start: np.ndarray) -> np.ndarray:
    """Cap PSI and mean shift of ``shift`` (versions v0.., T, 3) and append the mean of the KS before t.

    Version v0 + i was trained on the windows ``start[i]..v0 + i``.
    """
    versions, windows, _ = shift.shape
    capped = np.minimum(shift, [np.inf, CAP, CAP])
    window = np.arange(windows)
    others = (window > v0 + np.arange(versions)[:, None]) | (window < start[:, None])
    total, number = np.zeros((versions, windows)), np.zeros((versions, windows))
    for back in range(1, PAST + 1):
        total[:, back:] += np.where(others, shift[:, :, 0], 0.0)[:, :-back]
        number[:, back:] += others[:, :-back]
    past = np.divide(total, number, out=np.zeros_like(total), where=number > 0)
    return np.concatenate([capped, past[:, :, None]], axis=2)


def _named(i: int, world: World) -> str:
    """Say which World of a pool it is: by its place, and by what it was made from where that is known."""
    if world.spec is None:
        return f"World {i}"
    spec = world.spec
    stream, learner = label("stream", spec.stream), label("learner", spec.learner)
    return (
        f"World {i} ({stream}, {learner}, {spec.split} scenario {spec.index}, root {spec.root}, {spec.key})"
    )


def _cause(metric: Any, counts: np.ndarray, classes: Sequence[str]) -> str:
    """Say why a metric is undefined on confusion counts ``[y, yhat]``."""
    rows = int(counts.sum())
    if rows == 0:
        return "the window has no rows"
    # with rows, more than two classes leave every metric defined
    positive = classes[1]
    unseen = f"none of its {rows} rows has the label '{positive}'"
    silent = f"the version answers '{positive}' for none of them"
    causes = {
        "recall": unseen,
        "precision": f"it has {rows} rows, and {silent}",
        "f1": f"{unseen}, and {silent}",
    }
    return causes[str(metric)]


def _observation_seed(world: World) -> int:
    """Return the seed of a World's canary samples: of its scenario, or of its labels if it has no address."""
    spec = world.spec
    if spec is not None:
        sequence = seed_sequence(Axis.OBSERVATION, Split.parse(spec.split), spec.index, root=spec.root)
    else:
        words = digest_words(digest_arrays({"y": world.y, "bounds": world.bounds}))
        sequence = seed_sequence(Axis.OBSERVATION, Split.TEST, 0, *words)
    return int(sequence.generate_state(1, np.uint64)[0])
