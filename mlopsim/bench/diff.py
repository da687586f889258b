"""Which numbers of two results folders differ, and by what that is explained.

Cells are matched by the names of task and method, seed, split and root. What stands behind the names is then
compared field by field: config, versions of components, and what computed them.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from mlopsim.bench.identity import CODE
from mlopsim.bench.ledger import Ledger
from mlopsim.bench.made_by import maker_of
from mlopsim.bench.numbers import numbers
from mlopsim.bench.table import table
from mlopsim.core.errors import ConfigError

if TYPE_CHECKING:
    import polars as pl

#: what a cell of one folder and a cell of the other have in common
ON = ("track", "task", "method", "seed", "split", "root")
#: columns that name content or say why; they are no numbers
NAMES = ("key", "fit")
#: what columns of texts are called
CALLED = {"curves": "series", "fit_numbers": "fit"}
#: differing fields that one reason names before it counts the rest
SHOWN = 4


@dataclass(frozen=True, kw_only=True)
class Difference:
    """One number that differs in some cells of one method, for one reason.

    Parameters
    ----------
    method, number : str
        ``number`` is a column of the table of cells, ``series`` or ``fit``.
    cells, of : int
        Cells in which it differs, of how many that both folders have.
    largest : float
        Largest relative difference; NaN where it is no number.
    example : str
        Task and seed of a cell in which it is largest.
    why : tuple of str
        What explains it, each of a kind: ``config``, ``version``, ``data``, ``code``, ``libraries``,
        ``platform``; empty: nothing does.
    """

    method: str
    number: str
    cells: int
    of: int
    largest: float
    example: str
    why: tuple[str, ...]


@dataclass(kw_only=True)
class Diff:
    """What :func:`diff` found; ``only`` counts the cells of each method that one folder alone has.

    ``unchanged`` are differences of config, code or platform of cells whose numbers are all equal.
    """

    titles: tuple[str, str]
    grids: tuple[str, str]
    compared: int = 0
    equal: int = 0
    differences: list[Difference] = field(default_factory=list)
    only: tuple[Counter[str], Counter[str]] = field(default_factory=lambda: (Counter(), Counter()))
    unchanged: tuple[str, ...] = ()

    @property
    def same(self) -> bool:
        """Whether both folders have the same cells with the same numbers."""
        return not self.differences and not self.only[0] and not self.only[1]


def fields(a: Any, b: Any, where: str = "") -> Iterator[tuple[str, Any, Any]]:
    """Yield the places at which two parts differ, with both values; None where one has nothing.

    Examples
    --------
    >>> list(fields({"x": {"n": 1}, "y": [2]}, {"x": {"n": 3}}))
    [('x.n', 1, 3), ('y', [2], None)]
    """
    if isinstance(a, Mapping) and isinstance(b, Mapping):
        for name in sorted({*a, *b}):
            yield from fields(a.get(name), b.get(name), f"{where}.{name}" if where else str(name))
    elif isinstance(a, list) and isinstance(b, list) and len(a) == len(b):
        for place, (one, other) in enumerate(zip(a, b, strict=True)):
            yield from fields(one, other, f"{where}[{place}]")
    elif type(a) is not type(b) or a != b:
        yield where, a, b


def diff(a: Ledger, b: Ledger, grid: str | None = None, other_grid: str | None = None) -> Diff:
    """Compare the numbers of a grid in one folder with those of a grid in another.

    Parameters
    ----------
    a, b : Ledger
        Open ledgers.
    grid, other_grid : str, optional
        (Beginning of) the digest of the grid in each; the last used by default.

    Returns
    -------
    Diff

    Raises
    ------
    LedgerError
        If there is no such grid, or what is stored does not agree with its digests.
    ConfigError
        If two cells of one folder have one name.
    """
    import polars as pl

    entries = a.grid(grid), b.grid(other_grid)
    found = Diff(
        titles=(entries[0]["title"], entries[1]["title"]), grids=(entries[0]["digest"], entries[1]["digest"])
    )
    frames = [_frame(ledger, entry["digest"]) for ledger, entry in zip((a, b), entries, strict=True)]
    for place, (one, other) in enumerate((frames, frames[::-1])):
        missing = one.join(other, on=ON, how="anti", nulls_equal=True)
        found.only[place].update(missing["method"].to_list())
    both = frames[0].join(frames[1], on=ON, how="inner", suffix=" b", nulls_equal=True)
    found.compared = len(both)
    reasons = _Reasons(a, b)
    why = [reasons.of(row) for row in both.select(reasons.columns(both)).iter_rows(named=True)]
    both = both.with_columns(pl.Series(" why", range(len(both)), dtype=pl.UInt32))
    total = Counter(both["method"].to_list())
    differing: set[int] = set()
    for name in _numbers(frames):
        for group in _differing(both, name, why):
            differing.update(group.pop("places"))
            found.differences.append(Difference(**group, of=total[group["method"]]))
    found.differences.sort(key=lambda item: (item.method, item.number, item.why))
    found.equal = len(both) - len(differing)
    quiet = [why[place] for place in range(len(both)) if place not in differing]
    found.unchanged = tuple(sorted({text for texts in quiet for text in texts}))
    return found


def _frame(ledger: Ledger, grid: str) -> pl.DataFrame:
    frame = numbers(ledger, grid)
    made = table(ledger, grid).select("key", "run", "task_digest", "method_digest")
    frame = frame.join(made.unique("key"), on="key", how="left")
    if frame.select(ON).is_duplicated().any():
        raise ConfigError(
            f"two cells in {ledger.folder} have one task, method and seed",
            remedy="give the tasks and methods of the suite names of their own",
        )
    return frame


def _numbers(frames: Sequence[pl.DataFrame]) -> list[str]:
    """Return the columns that are compared, in the order of the first folder."""
    out = {*ON, *NAMES, "run", "task_digest", "method_digest"}
    return [n for n in dict.fromkeys((*frames[0].columns, *frames[1].columns)) if n not in out]


def _differing(both: pl.DataFrame, name: str, why: Sequence[tuple[str, ...]]) -> Iterator[dict[str, Any]]:
    """Yield what differs in a column, by method and reason."""
    import polars as pl

    other = f"{name} b"
    shown = CALLED.get(name, name)
    if name not in both.columns or other not in both.columns:
        # a column of one folder: a metric or an attribute that the other does not know
        there = both.filter(pl.col(name if name in both.columns else other).is_not_null())
        yield from _groups(there, [math.nan] * len(there), shown, why)
        return
    ends = [pl.col(name), pl.col(other)]
    if both.schema[name] != both.schema[other]:
        ends = [end.cast(pl.String) for end in ends]
    rows = both.filter(ends[0].ne_missing(ends[1]))
    numeric = both.schema[name].is_numeric() and both.schema[other].is_numeric()
    sizes = [
        _relative(x, y) if numeric else math.nan
        for x, y in zip(rows[name].to_list(), rows[other].to_list(), strict=True)
    ]
    yield from _groups(rows, sizes, shown, why)


def _relative(a: float | None, b: float | None) -> float:
    """Return the difference of two numbers relative to the larger one; NaN where one is undefined.

    Examples
    --------
    >>> _relative(1.0, 0.5), _relative(None, 1.0)
    (0.5, nan)
    """
    if a is None or b is None or not (math.isfinite(a) and math.isfinite(b)):
        return math.nan
    return abs(a - b) / max(abs(a), abs(b))


def _groups(
    rows: pl.DataFrame, sizes: Sequence[float], shown: str, why: Sequence[tuple[str, ...]]
) -> Iterator[dict[str, Any]]:
    found: dict[tuple[str, tuple[str, ...]], dict[str, Any]] = {}
    for (place, method, task, seed), size in zip(
        rows.select(" why", "method", "task", "seed").iter_rows(), sizes, strict=True
    ):
        group = found.setdefault(
            (method, why[place]),
            {
                "method": method,
                "number": shown,
                "cells": 0,
                "largest": math.nan,
                "example": f"{task} / seed {seed}",
                "why": why[place],
                "places": [],
            },
        )
        group["cells"] += 1
        group["places"].append(place)
        if size > group["largest"] or (math.isnan(group["largest"]) and not math.isnan(size)):
            group["largest"], group["example"] = size, f"{task} / seed {seed}"
    yield from found.values()


class _Reasons:
    """What differs behind two cells of one name; looked up once for each pair of parts and of runs."""

    def __init__(self, a: Ledger, b: Ledger) -> None:
        self._ledgers = a, b
        self._runs = [{run["id"]: run["record"] for run in ledger.runs()} for ledger in (a, b)]
        self._known: dict[tuple[Any, ...], tuple[str, ...]] = {}

    def columns(self, both: pl.DataFrame) -> list[str]:
        """Return the columns that :meth:`of` reads."""
        names = ("task_digest", "method_digest", "fit", "run")
        return [f"{name}{end}" for name in names for end in ("", " b") if f"{name}{end}" in both.columns]

    def of(self, row: Mapping[str, Any]) -> tuple[str, ...]:
        """Return what differs, by kind: the nearest cause first."""
        texts: list[str] = []
        for what in ("task", "method"):
            texts += self._cached("spec", what, row[f"{what}_digest"], row[f"{what}_digest b"])
        if row["fit"] != row["fit b"]:
            texts += self._cached("fit", "fit", row["fit"], row["fit b"])
        texts += self._cached("run", "", row["run"], row["run b"])
        return tuple(dict.fromkeys(texts))

    def _cached(self, how: str, what: str, a: Any, b: Any) -> tuple[str, ...]:
        place = how, what, a, b
        if place not in self._known:
            self._known[place] = tuple(
                self._runs_differ(a, b) if how == "run" else self._parts(what, how, a, b)
            )
        return self._known[place]

    def _parts(self, what: str, how: str, a: str | None, b: str | None) -> Iterator[str]:
        if a == b:
            return
        parts: list[Any] = []
        for ledger, key in zip(self._ledgers, (a, b), strict=True):
            if key is None:
                parts.append(None)
            elif how == "fit":
                job = ledger.fit_job(key)
                parts.append({**job.part, "needs": list(job.needs)})
            else:
                parts.append(ledger.spec(key))
        found = list(fields(parts[0], parts[1], what))
        by_kind: dict[str, list[str]] = {}
        for where, one, other in found:
            by_kind.setdefault(_kind(where), []).append(f"{where} {_short(one)} → {_short(other)}")
        for kind in sorted(by_kind, key=("version", "config", "data").index):
            yield f"{kind}: {_some(by_kind[kind])}"

    def _runs_differ(self, a: str | None, b: str | None) -> Iterator[str]:
        records = [self._runs[i].get(run or "", {}) for i, run in enumerate((a, b))]
        if a is None or b is None:
            return
        one, other = (maker_of(record) for record in records)
        rooms = [
            name.removeprefix(CODE) if name.startswith(CODE) else name
            for name in sorted({*one, *other})
            if name.startswith(CODE.rstrip("/")) and one.get(name) != other.get(name)
        ]
        if rooms:
            commits = " → ".join(_commit(record.get("git")) for record in records)
            yield f"code: {', '.join(rooms)} ({commits})"
        versions = [record.get("versions", {}) for record in records]
        libraries = [f"{w} {_short(x)} → {_short(y)}" for w, x, y in fields(versions[0], versions[1])]
        if libraries:
            yield f"libraries: {_some(libraries)}"
        platforms = [{**record.get("platform", {}), "versions": None} for record in records]
        places = [f"{w} {_short(x)} → {_short(y)}" for w, x, y in fields(platforms[0], platforms[1])]
        if places:
            yield f"platform: {_some(places)}"


def _kind(where: str) -> str:
    """Return what a place in a part is: a version, data or a setting."""
    names = where.replace("[", ".").split(".")
    if "version" in names or "versions" in names:
        return "version"
    return "data" if "content" in names else "config"


def _commit(text: str | None) -> str:
    """Return a commit shortened; a ``+`` says that the source tree was changed."""
    return "no commit" if not text else text[:10] + "+" * text.endswith("+")


def _short(value: Any) -> str:
    text = "–" if value is None else str(value)
    return text if len(text) <= 40 else f"{text[:37]}..."


def _some(texts: Sequence[str]) -> str:
    more = f" and {len(texts) - SHOWN} more" if len(texts) > SHOWN else ""
    return ", ".join(texts[:SHOWN]) + more
