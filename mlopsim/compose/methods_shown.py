"""What a page shows of each method: facts, place on each task, cells, the command that makes them again."""

from __future__ import annotations

import math
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from mlopsim.compose.compose import conf_folder
from mlopsim.compose.in_words import LAWS, LIKE, Compared
from mlopsim.compose.overrides import words_of
from mlopsim.core.digest import plain
from mlopsim.core.errors import MlopsimError
from mlopsim.core.track import Curves, Metric, Scored, ScoredByTask, Track, sum_up
from mlopsim.report.methods import MethodsView, MethodView, Place
from mlopsim.report.typeset import digits_for
from mlopsim.stats.table import DASH, format_interval

if TYPE_CHECKING:
    import polars as pl

#: facts that those share who are alike: what they read and know, and by which law they are comparable
ALIKE = (*LIKE, *LAWS)
#: of more cells a page does not show the numbers: it would be slow to open
MOST_CELLS = 100_000
#: so many digits of a key are enough for ``mlopsim rerun``
KEY = 12


class Shown(Compared, Protocol):
    """What a view of methods is made of."""

    @property
    def entry(self) -> Mapping[str, Any]:
        """The stored grid."""
        ...

    @property
    def curves(self) -> Curves:
        """Key of a cell to its stored series."""
        ...


def methods_view(results: Shown) -> MethodsView | None:
    """Return the view of all methods.

    Parameters
    ----------
    results : Shown
        Such as :class:`mlopsim.compose.results.Results`.

    Returns
    -------
    MethodsView or None
        None where the track has no score that is better one way, or the leaderboard lacks its column.
    """
    track, board, cells = results.track, results.leaderboard, results.cells
    if not isinstance(track, Scored) or track.score.direction == "none":
        return None
    score = track.score
    if score.name not in board.columns or not len(board):
        return None
    facts = _facts(board, track)
    places = _places(results, score, facts)
    commands = Commands(results.entry, track, cells)
    what = score.text or score.name.replace("_", " ")
    unit = "" if score.unit == "1" else f" in {score.unit}"
    like = [name for name in ALIKE if name in board.columns]
    shown = _cell_metric(track, cells)
    whole = len(cells) <= MOST_CELLS
    return MethodsView(
        score=f"{what}{unit} ({'more' if score.direction == 'max' else 'less'} is better)",
        alike=f"those with the same {', '.join(like)}"
        if like
        else "all, as nothing is known that tells them apart",
        cells=f"{shown.replace('_', ' ')} by seed"
        if whole
        else f"more than {MOST_CELLS}, which mlopsim export writes",
        methods=[
            MethodView(name=name, facts=facts[name], places=places.get(name, []), **dict(commands.of(name)))
            for name in board["method"].to_list()
        ],
    )


def _facts(board: pl.DataFrame, track: Track) -> dict[str, dict[str, str]]:
    """Return the attributes of each method: columns of the leaderboard that are texts and no reasons."""
    import polars as pl

    names = [
        name
        for name, dtype in board.schema.items()
        if dtype in (pl.String, pl.Boolean) and name != "method" and not name.endswith("_reason")
    ]
    return {
        row["method"]: {name: str(row[name]) for name in names if row[name] not in (None, "")}
        for row in board.iter_rows(named=True)
    }


def _cell_metric(track: Track, cells: pl.DataFrame) -> str:
    """Return the metric of which cells are shown: the score where it is one of them, else the primary one."""
    if isinstance(track, Scored) and track.score.name in cells.columns:
        return track.score.name
    return next(metric.name for metric in track.metrics if metric.primary)


def scores_by_task(track: Track, cells: pl.DataFrame, curves: Curves) -> pl.DataFrame:
    """Return the score of each method on each task: by the track, or from a leaderboard of each task."""
    import polars as pl

    if isinstance(track, ScoredByTask):
        found: pl.DataFrame = track.by_task(cells, curves)
        return found
    assert isinstance(track, Scored)
    names = [f"{track.score.name}{part}" for part in ("", "_low", "_high", "_n", "_reason")]
    boards = [
        sum_up(track, cells.filter(pl.col("task") == task), curves)
        .with_columns(pl.lit(task).alias("task"))
        .select("task", "method", *names)
        for task in cells["task"].unique(maintain_order=True).to_list()
    ]
    whole: pl.DataFrame = pl.concat(boards)
    return whole


def _number(value: object) -> float:
    return math.nan if value is None else float(str(value))


def _places(results: Shown, score: Metric, facts: Mapping[str, Mapping[str, str]]) -> dict[str, list[Place]]:
    """Return the places of each method, task by task."""
    cells = results.cells
    by_task = scores_by_task(results.track, cells, results.curves)
    texts = _cell_texts(cells, _cell_metric(results.track, cells)) if len(cells) <= MOST_CELLS else {}
    sign = -1.0 if score.direction == "max" else 1.0
    parts = ("", "_low", "_high")
    found: dict[str, list[Place]] = {}
    for (task,), rows in by_task.group_by("task", maintain_order=True):
        numbers = {
            row["method"]: [_number(row[score.name + part]) for part in parts]
            for row in rows.iter_rows(named=True)
        }
        digits = digits_for(
            [value for value, _, _ in numbers.values()], [high - low for _, low, high in numbers.values()]
        )
        ranked = {
            name: sign * value
            for name, (value, _, _) in numbers.items()
            if not math.isnan(value) and facts.get(name, {}).get("role") != "control"
        }
        for row in rows.iter_rows(named=True):
            name = row["method"]
            value, low, high = numbers[name]
            alike = [other for other in ranked if _alike(facts, name, other)]
            own = ranked.get(name)
            there = own is not None
            found.setdefault(name, []).append(
                Place(
                    task=str(task),
                    score=format_interval(value, low, high, digits),
                    n=int(row[f"{score.name}_n"] or 0),
                    rank=1 + sum(value < own for value in ranked.values()) if own is not None else 0,
                    of=len(ranked) if there else 0,
                    alike=1 + sum(ranked[other] < own for other in alike) if own is not None else 0,
                    of_alike=len(alike) if there else 0,
                    cells=texts.get((name, str(task)), ""),
                    reason=str(row[f"{score.name}_reason"] or "")
                    if math.isnan(numbers[name][0]) or math.isnan(numbers[name][1])
                    else "",
                )
            )
    return found


def _alike(facts: Mapping[str, Mapping[str, str]], a: str, b: str) -> bool:
    return all(facts[a].get(name) == facts[b].get(name) for name in ALIKE)


def _cell_texts(cells: pl.DataFrame, metric: str) -> dict[tuple[str, str], str]:
    """Return the numbers of the cells of each method and task, seeds in their order."""
    table = cells.select("method", "task", "seed", "status", metric).sort("seed", maintain_order=True)
    found: dict[tuple[str, str], list[str]] = {}
    for method, task, _, status, value in table.iter_rows():
        number = _number(value)
        text = (DASH if math.isnan(number) else f"{number:.4g}") if status == "done" else str(status)
        found.setdefault((method, task), []).append(text)
    return {key: "; ".join(values) for key, values in found.items()}


class Commands:
    """The commands that make a method's cells again.

    Parameters
    ----------
    entry : mapping
        The stored grid.
    track : Track
    cells : polars.DataFrame
    """

    def __init__(self, entry: Mapping[str, Any], track: Track, cells: pl.DataFrame) -> None:
        self._config = dict(entry["config"] or {})
        self._entry = entry
        self._specs, self._controls = _specs(track, self._config.get("methods") or [])
        done = cells.filter(cells["status"] == "done").unique("method", keep="first", maintain_order=True)
        self._keys = dict(done.select("method", "key").iter_rows())
        plugins = [Path(named["path"]).name for named in entry.get("plugins") or []]
        self._plugins = "".join(f" --plugin {shlex.quote(name)}" for name in plugins)

    def of(self, method: str) -> dict[str, Any]:
        """Return ``commands`` and a ``note`` on them, as of :class:`MethodView`."""
        commands, notes = [], []
        suite = self._config.get("suite")
        frozen = f"{suite}-v{self._config.get('suite_version')}" == self._entry["title"]
        # a preset of one's own is not found by its name
        if not (frozen and (conf_folder() / "suite" / f"{suite}.yaml").is_file()):
            notes.append("These results are of no frozen suite: config.yaml beside the page has all of it.")
        elif method in self._specs:
            commands.append(f"mlopsim bench suite={suite} {_chosen(self._specs[method])}{self._plugins}")
            notes.append("The first command makes its cells again, with the controls of the track.")
        elif method in self._controls:
            commands.append(shlex.join(["mlopsim", "bench", f"suite={suite}"]) + self._plugins)
            notes.append("A control of the track: each run of the suite has it, whatever its methods are.")
        else:
            notes.append("No entry of the suite makes it with the components that were loaded for this page.")
        if key := self._keys.get(method):
            commands.append(f"mlopsim rerun FOLDER {key[:KEY]}{self._plugins}")
            notes.append("mlopsim rerun recomputes one cell of the results FOLDER and compares exactly.")
        return {"commands": commands, "note": " ".join(notes)}


def _chosen(spec: Any) -> str:
    r"""Return the word of a shell that chooses one method.

    Examples
    --------
    >>> _chosen("ks"), _chosen({"cusum": {"side": "up"}})
    ('methods=ks', '"methods=[{cusum: {side: \'up\'}}]"')
    """
    if isinstance(spec, str) and spec.isidentifier():
        return f"methods={spec}"
    (word,) = words_of({"methods": [spec]})
    acting = set(word) & set('"$`\\!')
    return shlex.quote(word) if acting else f'"{word}"'


def _specs(track: Track, entries: Sequence[Any]) -> tuple[dict[str, Any], set[str]]:
    """Return the entry of each method by its name, and the names of those that any entry brings along."""
    made: list[tuple[Any, list[str]]] = []
    for entry in entries:
        try:
            made.append((entry, [method.name for method in track.methods([plain(entry)])]))
        except MlopsimError:
            # a component that is not there today, or has other parameters: the page says so of its method
            continue
    everywhere = set.intersection(*(set(names) for _, names in made)) if len(made) > 1 else set()
    found: dict[str, Any] = {}
    for entry, names in made:
        for name in names:
            if name not in everywhere:
                found.setdefault(name, entry)
    return found, everywhere
