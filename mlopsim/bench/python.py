"""A suite from plain Python, without configs and without the command line."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlopsim.bench.ledger import Ledger
from mlopsim.bench.runner import run
from mlopsim.bench.suite import Suite
from mlopsim.bench.summary import Summary
from mlopsim.bench.table import table
from mlopsim.core.errors import ConfigError
from mlopsim.core.registry import load_plugins
from mlopsim.core.spec import Spec, make, part_of
from mlopsim.core.track import Track

if TYPE_CHECKING:
    import polars as pl


def make_suite(
    *,
    track: Spec = "delivery",
    tasks: Sequence[Any],
    methods: Sequence[Any],
    seeds: int | Sequence[int] = 10,
    name: str = "python",
    plugins: Sequence[str | Path] = (),
    **more: Any,
) -> tuple[Suite, Track]:
    """Build a suite and its track; every mistake in them is an error here.

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
        Title in tables and reports.
    plugins : sequence of paths
        Files with components of one's own. A component that is defined in a script or notebook itself
        is known to this process only: run it with ``executor="serial"``.
    **more
        Further fields of :class:`mlopsim.bench.suite.Suite`: ``version``, ``split``, ``root``, ``cells``, ...

    Returns
    -------
    Suite
    Track

    Raises
    ------
    ConfigError
        For unknown names or parameters and values out of range.

    Examples
    --------
    >>> untuned = {"delivery": {"steps": 0}}
    >>> suite, track = make_suite(track=untuned, tasks=[{"learner": "ridge"}], methods=["ks"])
    >>> suite.title, [method.name for method in suite.methods]
    ('python-v1', ['never', 'ks', 'oracle'])
    """
    if not methods:
        raise ConfigError("no methods are given", remedy="name at least one, e.g. methods=[never]")
    files = [str(Path(path).expanduser().resolve()) for path in plugins]
    load_plugins(files)
    built: Track = make("track", track)
    found = {task.digest: task for task in built.tasks(tasks)}
    suite = Suite(
        name=name,
        track=part_of(built),
        tasks=list(found.values()),
        methods=built.methods(methods),
        seeds=list(range(seeds)) if isinstance(seeds, int) else list(seeds),
        plugins=files,
        **more,
    )
    return suite, built


@dataclass(kw_only=True)
class Results:
    """What a suite gave.

    Parameters
    ----------
    summary : Summary
        Counts, failures, seconds.
    cells : polars.DataFrame
        One row a cell (see :func:`mlopsim.bench.table.table`).
    leaderboard : polars.DataFrame
        One row a method, with intervals and n.
    """

    summary: Summary
    cells: pl.DataFrame
    leaderboard: pl.DataFrame


def run_suite(results_dir: str | Path, suite: Suite, track: Track, **options: Any) -> Results:
    """Run what is not done yet and return all results of the suite.

    Parameters
    ----------
    results_dir : str or Path
        Folder of the ledger; the same call resumes. ``mlopsim status``, ``report`` and ``rerun`` read it.
    suite, track
        From :func:`make_suite`.
    **options
        Of :func:`mlopsim.bench.runner.run`: ``workers``, ``executor``, ``timeout``, ``progress``, ...

    Returns
    -------
    Results
        Failed cells are listed in ``summary.failures``; their rows have null metrics.

    Examples
    --------
    >>> import tempfile
    >>> small = {"synthetic": {"windows": 16, "rows": 20, "warmup": 4}}
    >>> suite, track = make_suite(
    ...     track={"delivery": {"steps": 0}},
    ...     tasks=[{"stream": small, "learner": learner} for learner in ("ridge", "naive_bayes")],
    ...     methods=["never", {"periodic": {"every": 5}}],
    ...     seeds=2,
    ... )
    >>> results = run_suite(tempfile.mkdtemp(), suite, track, executor="serial")
    >>> results.leaderboard["method"].sort().to_list(), len(results.cells)
    (['never', 'oracle', 'periodic(every=5)'], 12)
    """
    summary = run(suite, track, results_dir, **options)
    with Ledger.read(results_dir) as ledger:
        cells = table(ledger, summary.grid)
    return Results(summary=summary, cells=cells, leaderboard=track.leaderboard(cells))
