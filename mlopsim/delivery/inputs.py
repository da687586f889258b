"""What deployments are shown of their inputs: rows as they arrive, and those that a version was trained on.

What a detector makes of a window against the training rows of a version depends on no decision. So it is made
for many windows at once, as the entries of a World are, and looked up by every roll-out that serves the
version.
"""

from __future__ import annotations

import copy
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mlopsim.core.digest import canonical_json
from mlopsim.core.spec import part_of

if TYPE_CHECKING:
    from mlopsim.drift.detector import Detector

#: windows that are compared in one call, if each is compared by itself
AHEAD = 16
#: detectors that hold a reference, and versions whose scores are kept, for each World
READY, KEPT = 2, 128


@dataclass(kw_only=True)
class _Scores:
    """Scores of the windows against one reference: ``known`` says which there are."""

    values: np.ndarray
    known: np.ndarray


class Rows:
    """The rows of one World, drawn when first asked for, and what detectors made of them.

    Parameters
    ----------
    load : callable
        It draws all rows, encoded: float64 (n, d).
    bounds : ndarray of int64, shape (T + 1,)
        Window t holds the rows ``bounds[t]:bounds[t + 1]``.
    start : ndarray of int64, shape (T,)
        Version v is trained on the windows ``start[v]..v``.
    seed : int
        Of detectors that draw at random.
    answers : callable, optional
        Version to its outputs for all rows, float64 (n,).

    Examples
    --------
    >>> from mlopsim.core.spec import make
    >>> drawn = np.random.default_rng(0).normal(size=(600, 2))
    >>> drawn[400:] += 2.0
    >>> rows = Rows(lambda: drawn, np.arange(0, 601, 100), np.zeros(6, dtype=np.int64), 0)
    >>> rows.window(5).shape, rows.training(2).shape
    ((100, 2), (300, 2))
    >>> rows.scores(make("detector", "ks"), 2, 3, 3).round(1)
    array([ 0. , 39.4, 37.7])
    """

    def __init__(
        self,
        load: Callable[[], np.ndarray],
        bounds: np.ndarray,
        start: np.ndarray,
        seed: int,
        answers: Callable[[int], np.ndarray] | None = None,
    ) -> None:
        self._answers = answers
        self._outputs: OrderedDict[int, np.ndarray] = OrderedDict()
        self._load, self.bounds, self.start, self.seed = load, bounds, start, seed
        self._rows: np.ndarray | None = None
        self._ready: OrderedDict[tuple[str, int, int], Detector] = OrderedDict()
        self._scores: OrderedDict[tuple[str, int, int], _Scores] = OrderedDict()

    @property
    def windows(self) -> int:
        """Number of windows T."""
        return len(self.bounds) - 1

    @property
    def rows(self) -> np.ndarray:
        """All rows, float64 (n, d)."""
        if self._rows is None:
            self._rows = self._load()
        return self._rows

    def forget(self) -> None:
        """Let rows, detectors and scores go; they are made again when they are asked for."""
        self._rows = None
        for kept in (self._outputs, self._ready, self._scores):
            kept.clear()

    def window(self, t: int) -> np.ndarray:
        """Return the rows of window t, float64 (r, d)."""
        return self.rows[self.bounds[t] : self.bounds[t + 1]]

    def training(self, v: int) -> np.ndarray:
        """Return the rows that version v was trained on, float64 (m, d)."""
        return self.rows[self.bounds[self.start[v]] : self.bounds[v + 1]]

    def outputs(self, v: int, t: int) -> np.ndarray:
        """Return what version v puts out for the rows of window t, float64 (r,)."""
        if v not in self._outputs:
            assert self._answers is not None
            self._outputs[v] = self._answers(v)
            if len(self._outputs) > READY:
                self._outputs.popitem(last=False)
        return self._outputs[v][self.bounds[t] : self.bounds[t + 1]]

    def scores(self, detector: Detector, v: int, first: int, t: int) -> np.ndarray:
        """Return the scores of window t and of those after it that are known as well.

        Parameters
        ----------
        detector : Detector
            Of inputs; its reference are the training rows of version v.
        v : int
            Version.
        first : int
            The window that it read first.
        t : int
            Window, ``first`` or a later one.

        Returns
        -------
        ndarray of float64, shape (c,)
            At least one; NaN where the score is undefined. An alarm ends what they are good for.
        """
        # scores that look at no window before have no first one
        name = name_of(detector), v, first if detector.sequential else 0
        found = self._scores.get(name)
        if found is None:
            found = _Scores(values=np.full(self.windows, np.nan), known=np.zeros(self.windows, dtype=bool))
            self._scores[name] = found
            if len(self._scores) > KEPT:
                self._scores.popitem(last=False)
        self._scores.move_to_end(name)
        if not found.known[t]:
            self._compare(detector, name, first, t, found)
        missing = np.flatnonzero(~found.known[t:])
        return found.values[t : t + int(missing[0]) if len(missing) else None]

    def _compare(
        self, detector: Detector, name: tuple[str, int, int], first: int, t: int, found: _Scores
    ) -> None:
        sizes = np.diff(self.bounds)
        one = self._ready.pop(name, None)
        if one is None or (detector.sequential and t > first and not found.known[t - 1]):
            one = copy.copy(detector)
            one.reset(np.random.default_rng([self.seed, name[1], name[2]]))
            one.begin_from(self.training(name[1]), int(sizes[t]))
            if detector.sequential:
                # it was dropped, or never read what came before
                for before in range(first, t):
                    self._read(one, name[1], before, before + 1)
        end = t + 1
        if detector.separable:
            # windows of one size are compared together
            while end < min(t + AHEAD, self.windows) and sizes[end] == sizes[t]:
                end += 1
        found.values[t:end] = self._read(one, name[1], t, end)
        found.known[t:end] = True
        if one.separable or not found.values[t] > one.threshold:
            # else it has started afresh
            self._ready[name] = one
        if len(self._ready) > READY:
            self._ready.popitem(last=False)

    def _read(self, one: Detector, v: int, start: int, end: int) -> np.ndarray:
        """Let the detector of version v read some windows of one size; return its scores."""
        rows = self.rows[self.bounds[start] : self.bounds[end]]
        if not len(rows):
            return np.full(end - start, np.nan)
        data = rows.reshape(end - start, -1, rows.shape[1])
        return one.advance_freely(data) if one.separable else one.advance(data).score


def name_of(detector: Detector) -> str:
    """Return what scores are kept under: the detector without its limit, if that changes no score.

    Examples
    --------
    >>> from mlopsim.core.spec import make
    >>> name_of(make("detector", "ks", alpha=0.5)) == name_of(make("detector", "ks"))
    True
    """
    content = part_of(detector)
    if detector.separable:
        content["params"].pop(detector.limit, None)
    return canonical_json(content)


class Feed:
    """The inputs of n deployments side by side, each with the Rows of its World."""

    def __init__(self, rows: Sequence[Rows]) -> None:
        self.rows = tuple(rows)
        self._windows = max((one.windows for one in self.rows), default=0)
        self._ahead: dict[str, tuple[np.ndarray, np.ndarray, np.ndarray]] = {}

    def at(self, t: np.ndarray, version: np.ndarray) -> Inputs:
        """Return what is seen at the decisions t (n,) of deployments that serve ``version`` (n,)."""
        return Inputs(feed=self, t=t, version=version)

    def scores(
        self, detector: Detector, t: np.ndarray, version: np.ndarray, first: np.ndarray, use: np.ndarray
    ) -> np.ndarray:
        """See :meth:`Inputs.scores`."""
        name = name_of(detector)
        n = len(self.rows)
        if name not in self._ahead:
            nothing = np.full((n, 3), -1, dtype=np.int64)
            self._ahead[name] = np.full((n, self._windows), np.nan), nothing, np.arange(n)
        values, run, walks = self._ahead[name]
        # a run is a version and the window read first; the third entry is the window after the last known
        moved = (run[:, 0] != version) | (run[:, 1] != first)
        run[moved] = np.stack([version, first, np.full(n, -1)], axis=1)[moved]
        for i in np.flatnonzero(use & (run[:, 2] <= t)).tolist():
            now = int(t[i])
            known = self.rows[i].scores(detector, int(version[i]), int(first[i]), now)
            values[i, now : now + len(known)] = known
            run[i, 2] = now + len(known)
        return np.where(use, values[walks, t], np.nan)


@dataclass(frozen=True, kw_only=True)
class Inputs:
    """What n deployments are shown of their inputs at one decision.

    Parameters
    ----------
    feed : Feed
        Where it comes from.
    t : ndarray of int64, shape (n,)
        Decision time: the newest window.
    version : ndarray of int64, shape (n,)
        Version that serves.
    """

    feed: Feed
    t: np.ndarray
    version: np.ndarray

    def window(self, i: int) -> np.ndarray:
        """Return the rows of the newest window of deployment i, encoded: float64 (r, d)."""
        return self.feed.rows[i].window(int(self.t[i]))

    def training(self, i: int) -> np.ndarray:
        """Return the rows that what serves in deployment i was trained on, encoded: float64 (m, d)."""
        return self.feed.rows[i].training(int(self.version[i]))

    def outputs(self) -> np.ndarray:
        """Return what the versions that serve put out for the newest windows, float64 (n, R); NaN pads."""
        pairs = zip(self.feed.rows, self.version.tolist(), self.t.tolist(), strict=True)
        found = [rows.outputs(v, t) for rows, v, t in pairs]
        result = np.full((len(found), max(map(len, found), default=0)), np.nan)
        for i, values in enumerate(found):
            result[i, : len(values)] = values
        return result

    def scores(self, detector: Detector, first: np.ndarray, use: np.ndarray) -> np.ndarray:
        """Return what a detector of inputs makes of the newest windows.

        Parameters
        ----------
        detector : Detector
            Its reference is what the version that serves was trained on.
        first : ndarray of int64, shape (n,)
            Window that it read first.
        use : ndarray of bool, shape (n,)
            Where it reads the newest window; it has read all from ``first`` on.

        Returns
        -------
        ndarray of float64, shape (n,)
            NaN where the score is undefined or the window is not read.
        """
        return self.feed.scores(detector, self.t, self.version, first, use)

    def of(self, which: Sequence[int]) -> Inputs:
        """Return those of some deployments."""
        take = list(which)
        return Feed([self.feed.rows[i] for i in take]).at(self.t[take], self.version[take])
