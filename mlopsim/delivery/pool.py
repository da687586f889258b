"""Worlds of equal length, stacked for the kernels."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from mlopsim.core.digest import digest_arrays
from mlopsim.core.errors import ConfigError, DataError
from mlopsim.core.seeds import Axis, Split, digest_words, seed_sequence
from mlopsim.core.spec import label
from mlopsim.delivery.features import CAP
from mlopsim.delivery.inputs import Rows
from mlopsim.drift.signal import output_of
from mlopsim.world.metrics import QUALITY_NAMES, check_metric, metric_of, quality_of

if TYPE_CHECKING:
    from mlopsim.world.world import World


#: windows, or decisions, that a past KS distance averages over
PAST = 4


class WorldPool:
    """M Worlds with the same number of windows T and warm-up W, as arrays ``[world, version, window, ...]``.

    Parameters
    ----------
    worlds : sequence of World
        At least one; T, W and the number of classes C are the same in all.
    metric : str or list of list of float, default "accuracy"
        What the reward measures, see :meth:`mlopsim.world.World.metric`.
    canary : bool, default False
        Whether confusion counts are needed, too (for what is seen of a canary).

    Attributes
    ----------
    reward : ndarray of float64, shape (M, T, T)
        The metric of version v in window t.
    quality : ndarray of float32, shape (M, T, T, 4)
        Accuracy, precision, recall, F1; NaN where undefined.
    shift : ndarray of float32, shape (M, T, T, 4)
        Shift of the inputs of the training data of v against window t, as features: KS, PSI and mean shift
        (both at most 5), and the mean of the KS over those of the windows t-4..t-1 that v was not trained on.
    counts : ndarray of uint32, shape (M, T, T, C, C), or (0, 0, 0, C, C) without ``canary``
        Confusion counts over all groups.
    seeds : ndarray of uint64, shape (M,)
        Seeds of what a canary shows: the same for every learner and method.

    Raises
    ------
    ConfigError
        If there is no World, or T, W or C differ.
    DataError
        If the metric is undefined for a version in a window that it can serve, or a shift is not finite.

    Notes
    -----
    40 bytes per version and window: 0.6 MB for T = 120; ``canary`` adds 4 C^2 bytes.
    """

    def __init__(
        self,
        worlds: Sequence[World],
        metric: str | list[list[float]] = "accuracy",
        *,
        canary: bool = False,
    ) -> None:
        if len(worlds) == 0:
            raise ConfigError("a pool needs at least one World")
        self.worlds = tuple(worlds)
        self.metric = metric
        self.canary = canary
        first = self.worlds[0]
        self.windows, self.warmup = int(first.windows), int(first.warmup)
        self.n_classes = int(first.n_classes)
        size, windows, classes = len(self.worlds), self.windows, self.n_classes
        self.reward = np.zeros((size, windows, windows))
        self.quality = np.zeros((size, windows, windows, 4), dtype=np.float32)
        self.shift = np.zeros((size, windows, windows, 4), dtype=np.float32)
        shape = (size, windows, windows) if canary else (0, 0, 0)
        self.counts = np.zeros((*shape, classes, classes), dtype=np.uint32)
        self.seeds = np.zeros(size, dtype=np.uint64)
        for i, world in enumerate(self.worlds):
            self._stack(i, world)

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
        self.quality[i, v0:] = quality
        metric = check_metric(self.metric, self.n_classes)
        # the same numbers as World.metric, without computing the qualities twice
        if isinstance(metric, str):
            self.reward[i, v0:] = quality[..., QUALITY_NAMES.index(metric)]
        else:
            self.reward[i, v0:] = metric_of(confusion, metric)
        self.shift[i, v0:] = _shift_features(np.asarray(world.shift[v0:], dtype=np.float64), v0)
        if self.canary:
            self.counts[i, v0:] = confusion
        self.seeds[i] = _observation_seed(world)
        served = np.triu(np.ones((self.windows - v0, self.windows - warmup), dtype=bool))
        undefined = served & ~np.isfinite(self.reward[i, v0:, warmup:])
        if undefined.any():
            version, window = (int(place[0]) for place in np.nonzero(undefined))
            counts = confusion[version, warmup + window]
            raise DataError(
                f"the metric {self.metric} is undefined in {int(undefined.any(axis=0).sum())} of "
                f"{self.windows - warmup} windows of {_named(i, world)}, first for version {v0 + version} in "
                f"window {warmup + window}: {_cause(self.metric, counts, world.classes)}",
                remedy="use larger windows, or the metric accuracy or a cost matrix, which every row defines",
            )
        if not np.isfinite(self.shift[i, v0:]).all():
            raise DataError(f"the input shift of World {i} is not finite")

    def __len__(self) -> int:
        return len(self.worlds)

    def __deepcopy__(self, memo: dict[int, Any]) -> WorldPool:
        # read-only: Gymnasium deep-copies the keywords of an environment's spec
        return self

    def __repr__(self) -> str:
        return f"WorldPool({len(self)} Worlds, {self.windows} windows, warm-up {self.warmup})"

    @property
    def steps(self) -> int:
        """Number of decisions T - W."""
        return self.windows - self.warmup

    @cached_property
    def rows(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Row-wise correctness: packed bits of all Worlds, places (M, 2), labels (M, n), bounds (M, T + 1).

        Made when first asked for: roll-outs need it, training does not.
        """
        places = np.zeros((len(self), 2), dtype=np.int64)
        sizes = [world.bits.size for world in self.worlds]
        places[:, 0] = np.cumsum([0, *sizes[:-1]])
        places[:, 1] = [world.bits.shape[1] for world in self.worlds]
        bits = np.concatenate([world.bits.ravel() for world in self.worlds])
        bounds = np.stack([world.bounds for world in self.worlds]).astype(np.int64)
        labels = np.zeros((len(self), int(bounds[:, -1].max()) if self.canary else 0), dtype=np.int16)
        if self.canary:
            for i, world in enumerate(self.worlds):
                labels[i, : bounds[i, -1]] = world.y[: bounds[i, -1]]
        return bits, places, labels, bounds

    @cached_property
    def inputs(self) -> tuple[Rows, ...]:
        """The inputs of every World, drawn when a roll-out first asks for them: 8 bytes a row and feature."""
        return tuple(
            Rows(_inputs_of(world), world.bounds, world.start, int(seed), _outputs_of(world))
            for world, seed in zip(self.worlds, self.seeds, strict=True)
        )

    @cached_property
    def longest(self) -> int:
        """Rows of the longest window."""
        return max(int(np.diff(world.bounds).max()) for world in self.worlds)

    def newest(self, delay: int) -> np.ndarray:
        """Return the shift of the version that a retrain would train now, by decision time.

        Parameters
        ----------
        delay : int
            Label delay L.

        Returns
        -------
        ndarray of float32, shape (M, T, 4)
            ``shift[m, t - L, t]``, with the mean of its KS at the (up to) 4 decisions before t as the last
            entry; 0 where t - L < v0 or there was no decision at t.
        """
        result = np.zeros((len(self), self.windows, 4), dtype=np.float32)
        v0 = self.warmup - 1
        for t in range(v0 + delay, self.windows):
            result[:, t, :3] = self.shift[:, t - delay, t, :3]
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
            Mean of ``reward[m, v, t]`` over v = v0 and v0 < v <= t - lag; 0 before window W.
        """
        result = np.zeros((len(self), self.windows))
        v0 = self.warmup - 1
        for t in range(self.warmup, self.windows):
            result[:, t] = self.reward[:, v0 : max(v0, t - lag) + 1, t].mean(axis=1)
        return result

    def digest(self) -> str:
        """Return the content address of what the roll-out reads (rows aside)."""
        return digest_arrays(
            {"reward": self.reward, "quality": self.quality, "shift": self.shift, "seeds": self.seeds}
        )


def _shift_features(shift: np.ndarray, v0: int) -> np.ndarray:
    """Cap PSI and mean shift of ``shift`` (versions v0.., T, 3) and append the mean of the KS before t."""
    versions, windows, _ = shift.shape
    capped = np.minimum(shift, [np.inf, CAP, CAP])
    # only windows after v count, v being row number v - v0
    after = np.arange(windows) > v0 + np.arange(versions)[:, None]
    total, number = np.zeros((versions, windows)), np.zeros((versions, windows))
    for back in range(1, PAST + 1):
        total[:, back:] += np.where(after, shift[:, :, 0], 0.0)[:, :-back]
        number[:, back:] += after[:, :-back]
    past = np.divide(total, number, out=np.zeros_like(total), where=number > 0)
    return np.concatenate([capped, past[:, :, None]], axis=2)


def _inputs_of(world: World) -> Callable[[], np.ndarray]:
    """Return what draws the rows of a World again, encoded, and frees what that took."""

    def load() -> np.ndarray:
        rows = world.encoded()
        world.forget()
        return rows

    return load


def _outputs_of(world: World) -> Callable[[int], np.ndarray]:
    """Return what trains a version again and lets it answer."""
    return lambda v: output_of(world.scores(v))


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
