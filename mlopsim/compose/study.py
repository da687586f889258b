"""A study: what is compared under which conditions, in one object for command line, script and notebook."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, cast

from mlopsim.bench.grid import Grid, expand, narrow
from mlopsim.bench.options import check_run
from mlopsim.bench.shards import Shard
from mlopsim.bench.suite import Suite
from mlopsim.compose.compose import Composed, compose_bench
from mlopsim.compose.entries import by_name, merged
from mlopsim.compose.overrides import words_of
from mlopsim.compose.results import Results
from mlopsim.compose.schema import LISTS
from mlopsim.compose.sweep import Recipe, Sweep, as_list, read_sweep, swept_grid
from mlopsim.core import registry
from mlopsim.core.digest import plain
from mlopsim.core.errors import ConfigError
from mlopsim.core.spec import Spec, make, part_of
from mlopsim.core.track import Method, Task, Track

if TYPE_CHECKING:
    from mlopsim.bench.baseline_match import Joined
    from mlopsim.bench.progress import Progress

#: root keys that replace what entries of ``cells`` name, and what these call it
REPLACED = {"tasks": "task", "methods": "method", "seeds": "seed"}


@dataclass(frozen=True, kw_only=True)
class RunOptions:
    """How a study is run; nothing of it changes a number (see :func:`mlopsim.bench.runner.run`)."""

    workers: int | None = None
    executor: str | Executor = "pool"
    timeout: float | None = None
    fit_timeout: float | None = None
    on_error: str = "continue"
    retry_failed: bool = True
    shard: str | None = None
    fits: str | Path | None = None

    def check(self, *, fits_only: bool = False) -> None:
        """Raise for options that a run refuses."""
        check_run(
            shard=self.shard,
            fits=self.fits,
            fits_only=fits_only,
            workers=self.workers,
            executor=self.executor,
            timeout=self.timeout,
            fit_timeout=self.fit_timeout,
            on_error=self.on_error,
        )


@dataclass(kw_only=True, eq=False)
class Study:
    """Tasks, methods and seeds of one track; every mistake in them is an error when it is made.

    Parameters
    ----------
    track : spec of a track, or a track
        With its settings, e.g. ``{"delivery": {"steps": 100_000}}``.
    tasks : sequence of mappings
        Specs of parts, e.g. ``{"stream": "procedural", "learner": "ridge"}``; what is left out has the
        track's default. Tasks with the same content are one.
    methods : sequence of specs
        ``name`` or ``{name: {param: value}}``.
    seeds : int or sequence of int, default 10
        Number of paired scenarios, or their numbers.
    name : str, default "python"
        Title in tables and reports, with ``version`` and ``modified``.
    plugins : sequence of paths
        Files with components of one's own. A component that is defined in a script or notebook itself
        is known to this process only: run it with ``executor="serial"``.
    version, modified, split, root, cells, config
        As of :class:`mlopsim.bench.suite.Suite`.
    folder : str or Path, optional
        Where its results go; by default ``results/local/<name>``.
    options : RunOptions
        How it is run where :meth:`run` is not told otherwise.
    swept : Sweep
        Keys of which several values are compared; see :meth:`sweep`.
    replaced : sequence of str
        ``task``, ``method`` or ``seed``, where ``cells`` was written for others: what it says of those that
        are no more is left out, see :func:`mlopsim.bench.grid.narrow`.
    baseline : str or Path, optional
        ``published``, or a baseline file of this suite: its cells of the same tasks and seeds stand beside
        those that are run, and are not computed (:func:`mlopsim.bench.baseline_match.join`).

    Attributes
    ----------
    suite : Suite
        What is compared, resolved; of a sweep all of its tasks and methods.
    grid : Grid
        Its cells and fits.

    Raises
    ------
    ConfigError
        For unknown names or parameters and values out of range.

    Examples
    --------
    >>> study = Study(track={"delivery": {"steps": 0}}, tasks=[{"learner": "ridge"}], methods=["ks"])
    >>> study.title, [method.name for method in study.suite.methods], len(study.grid.cells)
    ('python-v1', ['never', 'ks', 'oracle'], 30)
    """

    track: Any = "delivery"
    tasks: Sequence[Mapping[str, Any]]
    methods: Sequence[Spec]
    seeds: int | Sequence[int] = 10
    name: str = "python"
    plugins: Sequence[str | Path] = ()
    version: int = 1
    modified: bool = False
    split: str = "test"
    root: int = 0
    cells: Sequence[Mapping[str, Any]] = ()
    config: Mapping[str, Any] = field(default_factory=dict)
    folder: str | Path | None = None
    options: RunOptions = RunOptions()
    swept: Sweep = Sweep()
    replaced: Sequence[str] = ()
    baseline: str | Path | None = None
    joined: Joined | None = field(default=None, init=False, repr=False)

    def __post_init__(self) -> None:
        if not self.methods:
            raise ConfigError("no methods are given", remedy="name at least one, e.g. methods=[never]")
        self.plugins = [str(Path(path).expanduser().resolve()) for path in self.plugins]
        registry.load_plugins(self.plugins)
        self.track = cast(Track, make("track", self.track))
        if self.swept.values:
            self.config = {**self.config, "sweep": self.swept.words()}
            recipe = Recipe(track=self.track, tasks=self.tasks, methods=self.methods)
            self.grid, tasks, methods = swept_grid(self.swept, recipe, self._suite)
            self.suite = self._suite(self.track, tasks, methods)
        else:
            found = {task.digest: task for task in self.track.tasks(self.tasks)}
            self.suite = self._suite(self.track, list(found.values()), self.track.methods(self.methods))
        if self.baseline is not None:
            self._join(self.baseline)

    def _join(self, which: str | Path) -> None:
        """Put the cells of a baseline beside the study's own."""
        from mlopsim.bench.baseline import baseline_path, read_baseline
        from mlopsim.bench.baseline_match import join

        if self.swept.values:
            raise ConfigError(
                f"baseline={which} is of one frozen suite, and not of a sweep of its settings",
                remedy="leave one of them out",
            )
        baseline = read_baseline(baseline_path(which, self.name))
        self.joined = join(self.grid, baseline, suite=self.name, version=self.version)
        self.grid = self.joined.grid

    def _suite(self, track: Track, tasks: list[Task], methods: list[Method]) -> Suite:
        seeds = list(range(self.seeds)) if isinstance(self.seeds, int) else list(self.seeds)
        cells, config = self.cells, self.config
        if cells and self.replaced:
            cells = narrow(cells, self.replaced, tasks, methods, seeds)
            config = {**config, "cells": plain(cells)}
        return Suite(
            name=self.name,
            version=self.version,
            modified=self.modified,
            track=part_of(track),
            tasks=tasks,
            methods=methods,
            seeds=seeds,
            split=self.split,
            root=self.root,
            cells=cells,
            plugins=[str(path) for path in self.plugins],
            config=config,
        )

    def sweep(
        self,
        keys: str | Mapping[str, Sequence[Any]],
        values: Sequence[Any] | None = None,
        *,
        zipped: bool = False,
    ) -> Study:
        """Return the study over several values of keys, beside those that it sweeps already.

        Parameters
        ----------
        keys : str or mapping
            A key with ``values``, or a mapping of keys to values: a part of the tasks or its parameter
            (``learner``, ``deployment.latency``), ``tasks.ENTRY``, a setting of the track
            (``delivery.reaction``), or ``methods.NAME.PARAMETER``.
        values : sequence or 1-d array, optional
            Two values or more.
        zipped : bool, default False
            Whether the values of several keys go in pairs; otherwise every combination is compared.

        Returns
        -------
        Study
            Its tasks or methods have the values as attributes, which become columns of the cells.

        Examples
        --------
        >>> study = Study(track={"delivery": {"steps": 0}}, tasks=[{"name": "a"}], methods=["ks"], seeds=2)
        >>> slow = study.sweep("deployment.latency", [1, 2, 4])
        >>> [task.name for task in slow.suite.tasks], len(slow.grid.cells)
        (['a, latency=1', 'a, latency=2', 'a, latency=4'], 18)
        """
        if isinstance(keys, str):
            if values is None:
                raise ConfigError(f"no values of '{keys}' are given", remedy='sweep("KEY", [1, 2])')
            keys = {keys: values}
        if not keys:
            raise ConfigError("no keys to sweep are given", remedy='sweep("KEY", [1, 2]), or {KEY: [1, 2]}')
        every = {**self.swept.values, **{key: as_list(found) for key, found in keys.items()}}
        swept = Sweep(values=every, zipped=zipped or self.swept.zipped)
        return replace(self, swept=swept, modified=True)

    @property
    def results_dir(self) -> Path:
        """Where its results go unless :meth:`run` is told otherwise."""
        return self._place(None, self.options.shard)

    def _place(self, folder: str | Path | None, shard: str | None) -> Path:
        """Return where results go: a folder that is named, else by the name, each shard in its own."""
        if folder or self.folder:
            return Path(folder or self.folder or "")
        place = Path("results/local")
        if shard is None:
            return place / self.name
        part = Shard.parse(shard)
        return place / f"{self.name}.shards" / f"{part.number}-of-{part.of}"

    @property
    def title(self) -> str:
        """Name, version and whether it was changed."""
        return self.suite.title

    @cached_property
    def grid(self) -> Grid:
        """The cells and the fits that they need: what is run."""
        return expand(self.suite, self.track)

    def run(
        self,
        folder: str | Path | None = None,
        *,
        workers: int | None = None,
        executor: str | Executor | None = None,
        timeout: float | None = None,
        fit_timeout: float | None = None,
        on_error: Literal["continue", "stop"] | None = None,
        retry_failed: bool | None = None,
        shard: str | None = None,
        fits: str | Path | None = None,
        fits_only: bool = False,
        progress: bool | Progress = True,
    ) -> Results:
        """Run what is not done yet and return all results; the same call resumes.

        Parameters
        ----------
        folder : str or Path, optional
            Of the ledger and the report; ``mlopsim status``, ``report`` and ``rerun`` read it.
        workers, executor, timeout, fit_timeout, on_error, retry_failed, shard, fits, fits_only
            As of :func:`mlopsim.bench.runner.run`; what is None is as in ``options``.
        progress : bool or Progress, default True
            Whether counts are shown on standard error while it works, or what is told of them.

        Returns
        -------
        Results
            Failed cells are listed in ``summary.failures``; their rows have null metrics.

        Examples
        --------
        >>> import tempfile
        >>> small = {"synthetic": {"windows": 16, "rows": 20, "warmup": 4}}
        >>> study = Study(
        ...     track={"delivery": {"steps": 0}},
        ...     tasks=[{"stream": small, "learner": learner} for learner in ("ridge", "naive_bayes")],
        ...     methods=["never", {"periodic": {"every": 5}}],
        ...     seeds=2,
        ... )
        >>> results = study.run(tempfile.mkdtemp(), executor="serial", progress=False)
        >>> results.leaderboard["method"].sort().to_list(), len(results.cells)
        (['never', 'oracle', 'periodic(every=5)'], 12)
        """
        from mlopsim.bench.ledger import Ledger
        from mlopsim.bench.progress import RichProgress
        from mlopsim.bench.runner import run

        given = {
            "workers": workers,
            "executor": executor,
            "timeout": timeout,
            "fit_timeout": fit_timeout,
            "on_error": on_error,
            "retry_failed": retry_failed,
            "shard": shard,
            "fits": fits,
        }
        own = {name: getattr(self.options, name) for name in given}
        told = progress if not isinstance(progress, bool) else RichProgress() if progress else None
        place = self._place(folder, shard or own["shard"])
        asked = {name: value for name, value in given.items() if value is not None}
        how: dict[str, Any] = {**own, **asked, "fits_only": fits_only, "joined": self.joined}
        summary = run(self.grid, self.track, place, progress=told, **how)
        with Ledger.read(place) as ledger:
            entry = ledger.grid(summary.grid)
        return Results(folder=place, entry=entry, summary=summary, plugins=tuple(self.plugins))


def load_suite(
    suite: str | Path | None = None,
    *,
    seeds: int | Sequence[int] | None = None,
    methods: Sequence[Spec] | None = None,
    tasks: Sequence[Any] | None = None,
    split: str | None = None,
    root: int | None = None,
    cells: Sequence[Mapping[str, Any]] | None = None,
    baseline: str | Path | None = None,
    plugins: Sequence[str | Path] = (),
    conf: Sequence[str | Path] = (),
    overrides: Sequence[str] | Mapping[str, Any] = (),
) -> Study:
    """Make the study of a suite.

    Parameters
    ----------
    suite : str or Path, optional
        Name of a suite (``mlopsim list suites``), or the path of a YAML file with one. Without it the one
        that ``overrides`` name, else ``quick``.
    seeds : int or sequence of int, optional
        Instead of the suite's: number of paired scenarios, or their numbers.
    methods : sequence of specs, optional
        Instead of the suite's: ``name`` or ``{name: {param: value}}``.
    tasks : sequence of str or mapping, optional
        Instead of the suite's: names of its own tasks, or mappings of parts.
    split, root, cells : optional
        Instead of the suite's, as of :class:`mlopsim.bench.suite.Suite`.
    baseline : str or Path, optional
        ``published``, or a baseline file, as of :class:`Study`.
    plugins : sequence of paths
        Files with components of one's own.
    conf : sequence of paths
        Folders with presets of one's own.
    overrides : sequence of str, or mapping
        What the command line takes: ``["deployment.latency=2"]``, or ``{"deployment.latency": 2}``.

    Returns
    -------
    Study

    Raises
    ------
    ConfigError
        For anything that does not fit; names the key, what was expected and the nearest name.

    Examples
    --------
    >>> study = load_suite("quick", seeds=2, methods=["ks"], overrides={"delivery.steps": 0})
    >>> study.title, [method.name for method in study.suite.methods], study.suite.seeds
    ('quick-v3 (modified)', ['never', 'ks', 'oracle'], [0, 1])
    """
    registry.load_plugins(plugins)
    words = words_of(overrides)
    if suite is None:
        composed = compose_bench(words, conf=conf)
    elif isinstance(suite, Path) or suite.endswith((".yaml", ".yml")):
        composed = _from_file(Path(suite), words, conf)
    else:
        composed = compose_bench([f"suite={suite}", *words], conf=conf)
    replaced = {
        "seeds": seeds,
        "methods": methods,
        "tasks": tasks,
        "split": split,
        "root": root,
        "cells": cells,
    }
    for key, value in replaced.items():
        if value is not None:
            listed = key in ("seeds", *LISTS)
            single = isinstance(value, str | Mapping)
            own: Any = [value] if listed and single else value
            if listed and not isinstance(own, int):
                own = list(own)
            setattr(composed.config, key, own)
            composed.resolved[key] = plain(own)
            composed.modified = True
            composed.given |= {key}
    if baseline is not None:
        composed.config.baseline = str(baseline)
    return study_of(composed, plugins)


def study_of(composed: Composed, plugins: Sequence[str | Path] = ()) -> Study:
    """Make the study that a composed config asks for."""
    config = composed.config
    named = by_name(config.tasks, composed.suite_tasks, composed.suite)
    entries = [{**entry, **{k: v for k, v in composed.defaults.items() if k not in entry}} for entry in named]
    return Study(
        track={config.track: composed.track_settings},
        tasks=merged(entries, composed.pins, registry.find("track", config.track).parts),
        methods=config.methods,
        seeds=config.seeds,
        name=composed.suite,
        plugins=plugins,
        version=config.suite_version,
        modified=composed.modified,
        split=config.split,
        root=config.root,
        cells=config.cells,
        replaced=[]
        if "cells" in composed.given
        else [axis for key, axis in REPLACED.items() if key in composed.given],
        config=composed.resolved,
        folder=config.results,
        baseline=config.baseline,
        swept=read_sweep(config.sweep),
        options=RunOptions(**{name: getattr(config, name) for name in asdict(RunOptions())}),
    )


def _from_file(path: Path, words: Sequence[str], conf: Sequence[str | Path]) -> Composed:
    """Compose the suite of a YAML file; presets beside it (``DIR/suite/mine.yaml``) are found, too."""
    if not path.is_file():
        raise ConfigError(f"no suite at {path}", remedy="name a suite (mlopsim list suites) or a YAML file")
    with tempfile.TemporaryDirectory(prefix="mlopsim-") as place:
        copy = Path(place) / "suite" / f"{path.stem}.yaml"
        copy.parent.mkdir()
        copy.write_bytes(path.read_bytes())
        near = [path.resolve().parent.parent] if path.resolve().parent.name == "suite" else []
        return compose_bench([f"suite={path.stem}", *words], conf=[place, *near, *conf])
