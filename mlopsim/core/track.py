"""What the bench and the report know of a track, and nothing else."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Any, Literal, Protocol, TypeAlias, runtime_checkable

import numpy as np

from mlopsim.core.digest import canonical_json, digest, digest_bytes
from mlopsim.core.errors import ConfigError

#: a fact about a task, method, fit or cell: never a measurement, and in no key
Attribute: TypeAlias = str | int | float | bool | None


@dataclass(frozen=True, kw_only=True)
class Metric:
    """One measurement of a cell: name, unit, which direction is better, whether it leads the table."""

    name: str
    unit: str
    direction: Literal["max", "min", "none"]
    primary: bool = False
    text: str = ""


@dataclass(frozen=True, kw_only=True)
class Task:
    """Conditions under which methods are compared, without the seed.

    ``part`` is canonical JSON content (parts of streams, learners, deployment, ...). ``name`` is a label only
    and ``attributes`` are facts about the conditions (``{"scenario": "proxy", "strength": 0.5}``), which
    become columns of the cell table; neither enters a key.
    """

    name: str
    part: Mapping[str, Any]
    attributes: Mapping[str, Attribute] = field(default_factory=dict)

    @cached_property
    def digest(self) -> str:
        """Content address of the conditions."""
        return digest(self.part)


@dataclass(frozen=True, kw_only=True)
class Method:
    """What a track compares: a component's part plus how it is fitted.

    ``part`` may hold beside kind, name, version and params a list ``free``: the parameters that a
    Fit may choose. ``attributes`` are facts about the method (``{"family": "agent", "role": "control"}``),
    which become columns of the cell table; they enter no key, and neither does ``name``.
    """

    name: str
    part: Mapping[str, Any]
    attributes: Mapping[str, Attribute] = field(default_factory=dict)

    @cached_property
    def digest(self) -> str:
        """Content address of the method."""
        return digest(self.part)


@dataclass(frozen=True, kw_only=True)
class FitJob:
    """A Fit to be made: ``part`` holds everything that its numbers depend on.

    ``track`` is ``name/version``. ``needs`` are keys of other fits that must be done first.
    """

    track: str
    label: str
    part: Mapping[str, Any]
    needs: tuple[str, ...] = ()

    @cached_property
    def key(self) -> str:
        """Content address of the fit."""
        return digest({"fit": self.part, "track": self.track, "needs": list(self.needs)})


@dataclass(frozen=True, kw_only=True)
class Cell:
    """One (task, method, seed, fit): a pure function to numbers."""

    track: str
    task: Task
    method: Method
    seed: int
    split: str = "test"
    root: int = 0
    fit: str | None = None

    @cached_property
    def key(self) -> str:
        """Content address of the cell; the ledger's primary key."""
        task, method = self.task.digest, self.method.digest
        if type(self.seed) is int and type(self.root) is int:
            # the canonical JSON of what is below, without making it anew for each of a million cells
            fit = "null" if self.fit is None else _quoted(self.fit)
            text = (
                f'{{"fit":{fit},"method":"{method}","seed":[{self.root},{_quoted(self.split)},{self.seed}],'
                f'"task":"{task}","track":{_quoted(self.track)}}}'
            )
            return digest_bytes(text.encode())
        return digest(
            {
                "track": self.track,
                "task": task,
                "method": method,
                "seed": [self.root, self.split, self.seed],
                "fit": self.fit,
            }
        )


@lru_cache(maxsize=4096)
def _quoted(text: str) -> str:
    return canonical_json(text)


@dataclass(kw_only=True)
class FitResult:
    """A finished fit: named arrays (npz) and JSON content. Nothing in it is pickled.

    ``attributes`` are facts about it (``{"exact": True, "met": False}``): columns of the cells that name it.
    """

    arrays: dict[str, np.ndarray] = field(default_factory=dict)
    info: dict[str, Any] = field(default_factory=dict)
    attributes: dict[str, Attribute] = field(default_factory=dict)


@dataclass(kw_only=True)
class Outcome:
    """The numbers of a cell.

    Parameters
    ----------
    metrics : dict of str to float
        By metric name; NaN only together with an entry in ``reasons``.
    reasons : dict of str to str
        Why a metric is undefined.
    curves : dict of str to ndarray
        Series for figures, e.g. accuracy by window.
    attributes : dict of str to text, number, bool or None
        Facts about the cell that are known only after it was run, e.g. the identity of its rows as text.
    """

    metrics: dict[str, float]
    reasons: dict[str, str] = field(default_factory=dict)
    curves: dict[str, np.ndarray] = field(default_factory=dict)
    attributes: dict[str, Attribute] = field(default_factory=dict)


@dataclass(kw_only=True)
class Section:
    """A part of a report: title, text, table (polars DataFrame or None), figures (matplotlib)."""

    title: str
    text: str = ""
    table: Any = None
    figures: dict[str, Any] = field(default_factory=dict)


@dataclass(kw_only=True)
class Front:
    """Return against cost (:class:`HasFront`).

    Parameters
    ----------
    places : polars.DataFrame
        One row a task and method, the best score of each task first.
    bounds : polars.DataFrame
        What the front is made of, by task and price.
    figures : dict of str to matplotlib figure
        By task.
    without : dict of str to str
        Tasks that have no front, and why.
    """

    places: Any
    bounds: Any
    figures: dict[str, Any]
    without: dict[str, str] = field(default_factory=dict)


@runtime_checkable
class BundlesFits(Protocol):
    """What a track may have beside :class:`Track`: fits that are cheaper made together."""

    def fit_bundle(self, job: FitJob) -> str:
        """Key of what fits should share when they are made together."""
        ...

    def fit_many(self, jobs: Sequence[FitJob], done: Mapping[str, FitResult]) -> list[FitResult]:
        """Make fits of one bundle (in a worker); results equal those of ``fit`` to the bit."""
        ...


@runtime_checkable
class Redeploys(Protocol):
    """What a track may have beside :class:`Track`: its cells are deployments that can be computed again."""

    def redeploy(
        self,
        cell: Cell,
        fits: Mapping[str, FitResult],
        *,
        overrides: Sequence[Any] = (),
        taken: Mapping[int, int] | None = None,
    ) -> Any:
        """Return the deployment of a cell (:class:`mlopsim.governance.record.deployed.Deployed`).

        Its record, its forks and its page are derived from it. ``overrides`` are decisions that people took
        instead of the method (:class:`mlopsim.governance.record.overrides.Override`), ``taken`` actions by
        window that are followed instead of its answer.
        """
        ...


@runtime_checkable
class Scored(Protocol):
    """What a track may have beside :class:`Track`: one score by which two methods are compared."""

    #: a column of the leaderboard, and which direction is better
    score: Metric

    def compare(self, table: Any, a: str, b: str) -> Any:
        """Return the paired difference of two scores (polars), by task and pooled, with interval and n.

        Columns: ``task``, ``tasks`` (how many), ``difference`` with ``_low``, ``_high``, ``_n``, ``_reason``.
        """
        ...


@runtime_checkable
class ScoredByTask(Protocol):
    """What a track that is :class:`Scored` may have, too: its score on each task, without all else of it."""

    def by_task(self, table: Any, curves: Curves) -> Any:
        """Return the score of each method on each task (polars), as a leaderboard of that task alone has it.

        Columns: ``task``, ``method``, and the score by its name, with ``_low``, ``_high``, ``_n``,
        ``_reason``.
        """
        ...


@runtime_checkable
class ReadsCurves(Protocol):
    """What a track may have beside :class:`Track`: sums that need the stored series of cells.

    Its ``leaderboard(table, curves=...)``, and ``compare(table, a, b, curves=...)`` if it is :class:`Scored`,
    are given what returns the series of a cell by its key.
    """

    reads_curves: bool


@runtime_checkable
class HasFront(Protocol):
    """What a track may have beside :class:`Track`: a front of return against the cost of breaking limits."""

    def front(self, table: Any, curves: Curves) -> Front:
        """Return the front of each task and the places of the methods."""
        ...


#: key of a cell to its stored series
Curves: TypeAlias = Callable[[str], Mapping[str, np.ndarray]]


def sum_up(track: Track, table: Any, curves: Curves) -> Any:
    """Return a track's leaderboard of a cell table; ``curves`` reads the series of a cell by its key."""
    if isinstance(track, ReadsCurves) and track.reads_curves:
        given: dict[str, Any] = {"curves": curves}
        return track.leaderboard(table, **given)
    return track.leaderboard(table)


def compared_curves(track: type[Track] | Track) -> Sequence[str] | None:
    """Return the names of the series that a track publishes with its cells; None: all of them.

    Examples
    --------
    >>> from mlopsim.core.registry import find
    >>> "position" in compared_curves(find("track", "fairness")), compared_curves(find("track", "drift"))
    (False, None)
    """
    found: Sequence[str] | None = getattr(track, "compared_curves", None)
    return found


def fronted(track: Track) -> HasFront:
    """Return a track that has fronts.

    Raises
    ------
    ConfigError
        If it has none.
    """
    if not isinstance(track, HasFront):
        raise ConfigError(
            f"{track.full_name} knows no front of return against cost",
            remedy="a suite of the track governance, such as suite=loop-core",
        )
    return track


@runtime_checkable
class Track(Protocol):
    """A component of kind ``track``; its dataclass fields are the settings under its own key.

    All of its methods are called on one instance built from the resolved config. A class attribute
    ``per_platform``, optional, names facts about its cells whose value depends on the platform. Another,
    ``compared_curves``, names the series that a baseline of its cells holds: all that its sections read;
    without it a baseline holds all that there are, for nobody else knows what sections of others read.
    """

    kind: str
    name: str
    version: str
    full_name: str
    metrics: Sequence[Metric]
    #: parts of a task entry with their defaults; None: a task may do without
    parts: Mapping[str, Any]

    def tasks(self, entries: Sequence[Any]) -> list[Task]:
        """Resolve a suite's task entries.

        ``entries`` are mappings with an optional ``name`` and specs of :attr:`parts` (``stream``, ...),
        whatever the command line said of them merged in. Raises ConfigError.
        """
        ...

    def methods(self, entries: Sequence[Any]) -> list[Method]:
        """Resolve method entries, controls that the track always needs included, without duplicates."""
        ...

    def fits(self, cells: Sequence[Cell]) -> tuple[list[Cell], list[FitJob]]:
        """Name the fits that cells need: the cells with ``fit`` filled in, and the jobs, made once."""
        ...

    def fit(self, job: FitJob, done: Mapping[str, FitResult]) -> FitResult:
        """Make one fit, from training scenarios only (runs in a worker). ``done``: its needs."""
        ...

    def bundle(self, cell: Cell) -> str:
        """Key of what cells should share when they are run together (their World)."""
        ...

    def run(self, cells: Sequence[Cell], fits: Mapping[str, FitResult]) -> list[Outcome]:
        """Run cells (in a worker); results equal one-by-one runs to the bit."""
        ...

    def leaderboard(self, table: Any) -> Any:
        """Aggregate the cell table (polars) to one row a method, with intervals and n."""
        ...
