"""What each part of the loop is worth beside its simplest rivals: by stream and family, in return and cost.

A rival of a part is a task that differs from another in that part only and is played with its fits
(:mod:`mlopsim.tracks.governance.fitted`): chance at the same rate, something that knows the truth, a piece of
the part. A rival of a learned selector is another method in the same task. Three differences stand in a row:
what the part adds, what the rival adds in its place, and what the part has more than the rival.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from mlopsim.core.track import Curves
from mlopsim.stats.interval import Interval
from mlopsim.stats.table import interval_columns
from mlopsim.tracks.cell_table import axes_of, facts, grid, mean_of
from mlopsim.tracks.governance.analysis import FAMILY, compare, fitted_under, methods_of
from mlopsim.tracks.governance.arms import FIT_SEED, LEARNED, PARTS
from mlopsim.tracks.governance.fitted import RIVAL
from mlopsim.tracks.governance.references import NEVER, OPTIMUM, SUSPENDED
from mlopsim.tracks.governance.worth import mean_of_differences

#: the row over all streams of a family
EVERY = "every stream"
NO_ARM = "no arm without the part was run"
#: what is told of both: how often the part, and its rival, did something
TOLD = ("alarms", "refused", "retrains", "suspended")
#: in this order
METRICS = ("return", "cost")


@dataclass(frozen=True, kw_only=True)
class Place:
    """What a method does in some tasks.

    Parameters
    ----------
    method : str
    tasks : tuple of str
    """

    method: str
    tasks: tuple[str, ...]

    def of(self, table: pl.DataFrame, name: str) -> np.ndarray:
        """Return a metric, float64 (seeds, tasks)."""
        return grid(table, self.method, name, axes_of(table)[0], list(self.tasks))


@dataclass(frozen=True, kw_only=True)
class Contest:
    """A part and a rival.

    Parameters
    ----------
    family, stream, part, rival, method : str
        Keys of the row; ``method`` is who has the part.
    on, other : Place
        With the part, and with its rival in its place.
    off : Place or None
        Without either; None: nothing was run without.
    """

    family: str
    stream: str
    part: str
    rival: str
    method: str
    on: Place
    other: Place
    off: Place | None


def contests(table: pl.DataFrame) -> list[Contest]:
    """Return what a table has of parts and their rivals."""
    return [*_of_tasks(table), *_of_deciders(table)]


def _of_tasks(table: pl.DataFrame) -> list[Contest]:
    """Return the rivals that are tasks; a family with several streams has a row for all of them, too."""
    under, part, family = fitted_under(table), facts(table, RIVAL, of="task"), facts(table, FAMILY, of="task")
    without = _Arms(table)
    groups: dict[tuple[str, str, str], list[tuple[str, str]]] = {}
    for task, base in under.items():
        if base is not None and part.get(task) in PARTS:
            label = task.removeprefix(f"{base} / ")
            groups.setdefault((str(family[task] or base), str(part[task]), label), []).append((base, task))
    found = []
    for (name, changed, label), pairs in groups.items():
        split = [[pair] for pair in pairs] + ([pairs] if len(pairs) > 1 else [])
        for some in split:
            bases, rivals = (tuple(pair[i] for pair in some) for i in (0, 1))
            stream = bases[0] if len(some) == 1 else EVERY
            for method in methods_of(table, rivals[0]):
                if not all(method in methods_of(table, task) for task in (*bases, *rivals)):
                    continue
                # who never listens to anything meets no rival
                if without.has(method, changed) is False or method in (NEVER, SUSPENDED, OPTIMUM):
                    continue
                off = without.of(method, changed)
                there = off is not None and all(off in methods_of(table, task) for task in bases)
                found.append(
                    Contest(
                        family=name,
                        stream=stream,
                        part=changed,
                        rival=label,
                        method=method,
                        on=Place(method=method, tasks=bases),
                        other=Place(method=method, tasks=rivals),
                        off=Place(method=str(off), tasks=bases) if there else None,
                    )
                )
    return found


def _of_deciders(table: pl.DataFrame) -> list[Contest]:
    """Return the rivals of learned selectors: whoever else decides, with all that the task has.

    Looked at where there are rules that are no arms; such have all parts, so their rival is the arm with all.
    """
    without, family = _Arms(table), facts(table, FAMILY, of="task")
    found = []
    for task, base in fitted_under(table).items():
        here = methods_of(table, task)
        others = [name for name in here if without.has(name, LEARNED) is None]
        others = [name for name in others if name not in (SUSPENDED, OPTIMUM)]
        if base is not None or others == [NEVER]:
            continue
        for arm in without.full:
            off = without.of(arm, LEARNED)
            if arm not in here:
                continue
            found += [
                Contest(
                    family=str(family[task] or task),
                    stream=task,
                    part=LEARNED,
                    rival=other,
                    method=arm,
                    on=Place(method=arm, tasks=(task,)),
                    other=Place(method=other, tasks=(task,)),
                    off=Place(method=str(off), tasks=(task,)) if off in here else None,
                )
                for other in others
            ]
    return found


class _Arms:
    """The arms of a table by their parts and their fit."""

    def __init__(self, table: pl.DataFrame) -> None:
        on = {part: facts(table, part) for part in PARTS}
        seed = facts(table, FIT_SEED) if FIT_SEED in table.columns else {}
        self._parts: dict[str, tuple[bool, ...]] = {
            name: tuple(bool(on[part][name]) for part in PARTS)
            for name, value in on[PARTS[0]].items()
            if value is not None
        }
        self._seed = {name: seed.get(name) for name in self._parts}

    @property
    def full(self) -> list[str]:
        """Arms with all parts on."""
        return [name for name, parts in self._parts.items() if all(parts)]

    def has(self, method: str, part: str) -> bool | None:
        """Say whether a method has a part; None: it is no arm, and has all that its task has."""
        parts = self._parts.get(method)
        return None if parts is None else parts[PARTS.index(part)]

    def of(self, method: str, part: str) -> str | None:
        """Return the arm with the same other parts and without this one, by the same fit; None: none."""
        if method not in self._parts:
            return None
        asked = [on and name != part for name, on in zip(PARTS, self._parts[method], strict=True)]
        for name, parts in self._parts.items():
            same = self._seed[name] in (self._seed[method], None) or self._seed[method] is None
            if list(parts) == asked and same:
                return name
        return None


def rivals_table(table: pl.DataFrame, curves: Curves | None = None) -> pl.DataFrame:
    """Tabulate parts and rivals, paired by scenario: one row a family, stream, part, rival and method.

    Parameters
    ----------
    table : polars.DataFrame
        Cells.
    curves : callable, optional
        Series of a cell by its key: without them no front score is compared.

    Returns
    -------
    polars.DataFrame
        ``family``, ``stream``, ``part``, ``rival``, ``method``; for return and cost ``_part`` (with the part
        less without), ``_rival`` (with the rival less without) and ``_gap`` (with the part less with the
        rival); ``front_gap`` (of front scores, each at its own cost: only in one task, of methods that have
        the same bound), each with ``_low``, ``_high``, ``_n`` and ``_reason``; means of what both did:
        ``alarms``, ``alarms_rival`` and so on.
    """
    found = contests(table)
    columns: dict[str, Any] = {
        key: [getattr(one, key) for one in found] for key in ("family", "stream", "part", "rival", "method")
    }
    nothing = Interval(value=math.nan, n=0, reason=NO_ARM)
    for name in METRICS:
        on, other = ([side.of(table, name) for side in some] for some in _sides(found))
        off = [None if one.off is None else one.off.of(table, name) for one in found]
        pairs: Mapping[str, Sequence[Interval]] = {
            "part": [
                nothing if o is None else mean_of_differences(a - o) for a, o in zip(on, off, strict=True)
            ],
            "rival": [
                nothing if o is None else mean_of_differences(b - o) for b, o in zip(other, off, strict=True)
            ],
            "gap": [mean_of_differences(a - b) for a, b in zip(on, other, strict=True)],
        }
        for end, intervals in pairs.items():
            columns |= interval_columns(f"{name}_{end}", intervals)
    columns |= interval_columns("front_gap", _front_gaps(table, curves, found))
    for name in TOLD:
        for end, side in zip(("", "_rival"), _sides(found), strict=True):
            columns[f"{name}{end}"] = [
                mean_of(table, one.method, name, list(one.tasks)).value for one in side
            ]
    return pl.DataFrame(columns)


def _sides(found: Sequence[Contest]) -> tuple[list[Place], list[Place]]:
    return [one.on for one in found], [one.other for one in found]


def _front_gaps(table: pl.DataFrame, curves: Curves | None, found: Sequence[Contest]) -> list[Interval]:
    """Return differences of front scores of two methods in one task; elsewhere they have other bounds."""
    gaps: list[Interval] = []
    for one in found:
        if one.part != LEARNED or curves is None:
            reason = "a rival task has other versions, and no bound" if curves is not None else "no series"
            gaps.append(Interval(value=math.nan, n=0, reason=reason))
            continue
        (task,) = one.on.tasks
        cells = table.filter(pl.col("task") == task)
        row = compare(cells, one.on.method, one.other.method, curves).row(0, named=True)
        gaps.append(_interval(row, "difference"))
    return gaps


def _interval(row: Mapping[str, Any], name: str) -> Interval:
    return Interval(
        value=row[name],
        low=row[f"{name}_low"],
        high=row[f"{name}_high"],
        n=row[f"{name}_n"],
        reason=row.get(f"{name}_reason") or "",
    )
