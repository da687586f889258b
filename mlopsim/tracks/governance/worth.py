"""What each part of the loop is worth: exact Shapley values over the arms, paired over scenarios.

An arm is a coalition of parts. The worth of a part is what it adds, on average over the orders in which the
parts can be switched on: of parts that stand in for each other each gets its share, where leaving one out
alone would give both nothing. In each scenario the values add up to what the arm with all parts has more than
the arm with none; being linear, so do their means.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import polars as pl

from mlopsim.core.errors import ConfigError
from mlopsim.numerics.shapley_values import coalitions, pair_interactions, shapley_values
from mlopsim.stats.bootstrap import RESAMPLES, mean_interval, ratio_interval
from mlopsim.stats.interval import Interval
from mlopsim.stats.table import interval_columns
from mlopsim.stats.two_level_bootstrap import two_level
from mlopsim.tracks.cell_table import axes_of, facts, grid
from mlopsim.tracks.draws import bootstrap_rng
from mlopsim.tracks.governance.arms import FIT_SEED, LEARNED, PARTS
from mlopsim.tracks.governance.references import NEVER, OPTIMUM

#: least mean of U - R_never, reward a window, in units of which a worth is told
FLOOR = 0.02
NO_GAIN = f"U - R_never is below {FLOOR}: see the worth in the return"
#: the row that the values of the parts add up to
SUM = "all less none"
SAME = "exactly the same in every scenario"


@dataclass(frozen=True, kw_only=True)
class CoalitionalGame:
    """The arms of a table as coalitions.

    Parameters
    ----------
    parts : tuple of str
        Those that are on in some arm.
    arms : tuple of tuple of str
        Methods, (2 ** parts,): arm c has part i where bit i of c is set. One that is fitted has as many as it
        has fits with seeds of their own, one with nothing to fit has one.
    """

    parts: tuple[str, ...]
    arms: tuple[tuple[str, ...], ...]

    @classmethod
    def of(cls, table: pl.DataFrame) -> CoalitionalGame:
        """Find the arms of a cell table by the attributes of its methods.

        Raises
        ------
        ConfigError
            If an arm is missing, two methods are the same arm, or arms have not as many fits each.
        """
        on = {part: facts(table, part) for part in PARTS}
        seeds = facts(table, FIT_SEED) if FIT_SEED in table.columns else {}
        names = [name for name, value in on[PARTS[0]].items() if value is not None]
        parts = tuple(part for part in PARTS if any(on[part][name] for name in names))
        found: dict[int, dict[Any, str]] = {}
        for name in names:
            number = sum(1 << i for i, part in enumerate(parts) if on[part][name])
            same, seed = found.setdefault(number, {}), seeds.get(name)
            if seed in same or (same and None in (seed, *same)):
                raise ConfigError(
                    f"{same.get(seed, next(iter(same.values())))} and {name} are the same arm",
                    remedy="compare one of them at a time",
                )
            same[seed] = name
        if not parts:
            raise ConfigError("no arm has a part on", remedy="methods=[arms]")
        missing = [c for c in range(1 << len(parts)) if c not in found]
        if missing:
            members = coalitions(len(parts))
            first = "+".join(part for part, there in zip(parts, members[missing[0]], strict=True) if there)
            raise ConfigError(
                f"{len(missing)} of {1 << len(parts)} arms are missing, such as {first or 'none'}",
                remedy="methods=[arms] stands for all of them",
            )
        arms = tuple(tuple(found[c].values()) for c in range(1 << len(parts)))
        counts = sorted({len(same) for same in found.values() if None not in same})
        if len(counts) > 1:
            raise ConfigError(
                f"arms have {' and '.join(map(str, counts))} fits",
                remedy="governance.fit_seeds, the same for all",
            )
        return cls(parts=parts, arms=arms)

    @property
    def fits(self) -> int:
        """Number of fits of an arm, each with a seed of its own."""
        return max(len(one) for one in self.arms)

    def worths(self, table: pl.DataFrame, name: str, tasks: Sequence[str]) -> np.ndarray:
        """Return a metric of all arms, float64 (fits, seeds, tasks, 2 ** parts).

        What has nothing to fit has the same values for each.
        """
        seeds, _ = axes_of(table)
        by_arm = []
        for arm in self.arms:
            each = [grid(table, method, name, seeds, list(tasks)) for method in arm]
            by_arm.append(np.stack(each if len(each) > 1 else each * self.fits))
        return np.stack(by_arm, axis=-1)


@dataclass(frozen=True, kw_only=True)
class Worth:
    """What a part, or a pair of parts, is worth in some tasks.

    Parameters
    ----------
    share : Interval
        In units of the mean of U - R_never of all parts: one denominator for all.
    returns, cost : Interval
        In the return and in the cost of a window.
    """

    share: Interval
    returns: Interval
    cost: Interval


@dataclass(frozen=True, kw_only=True)
class Worths:
    """What the parts are worth in some tasks, together.

    Parameters
    ----------
    parts : mapping of str to Worth
        Shapley values.
    alone, last : mapping of str to Interval
        What a part adds to the return of the arm with none, and of that with all others.
    total : Worth
        What the arm with all has more than that with none: the sum of ``parts``.
    pairs : mapping of (str, str) to Worth
        Interactions (:func:`mlopsim.numerics.shapley_values.pair_interactions`).
    gain : Interval
        U - R_never of a window: the unit of shares.
    """

    parts: Mapping[str, Worth]
    alone: Mapping[str, Interval]
    last: Mapping[str, Interval]
    total: Worth
    pairs: Mapping[tuple[str, str], Worth]
    gain: Interval


def worths_of(
    table: pl.DataFrame, tasks: Sequence[str], game: CoalitionalGame | None = None, level: float = 0.95
) -> Worths:
    """Return what the parts are worth over tasks, scenarios resampled jointly.

    A scenario of a task counts where all arms are done (and the optimum and never, for shares).

    Parameters
    ----------
    table : polars.DataFrame
        Cells.
    tasks : sequence of str
        Such as those of one family.
    game : CoalitionalGame, optional
        The arms; by default those of the table.
    level : float, default 0.95
        Of the intervals.
    """
    game = game or CoalitionalGame.of(table)
    seeds, _ = axes_of(table)
    returns, cost = (game.worths(table, name, tasks) for name in ("return", "cost"))
    # a scenario counts for both, and for all fits, or for none
    known = (np.isfinite(returns) & np.isfinite(cost)).all(axis=(0, -1))
    returns, cost = (np.where(known[..., None], one, np.nan) for one in (returns, cost))
    gain = grid(table, OPTIMUM, "upper", seeds, list(tasks)) - grid(
        table, NEVER, "return", seeds, list(tasks)
    )

    def mean(values: np.ndarray) -> Interval:
        return mean_of_differences(values, level)

    def worth(of_return: np.ndarray, of_cost: np.ndarray) -> Worth:
        return Worth(share=_share(of_return, gain, level), returns=mean(of_return), cost=mean(of_cost))

    shapley = [shapley_values(one) for one in (returns, cost)]
    between = [pair_interactions(one) for one in (returns, cost)] if len(game.parts) > 1 else []
    every = len(game.arms) - 1
    return Worths(
        parts={part: worth(*(one[..., i] for one in shapley)) for i, part in enumerate(game.parts)},
        alone={part: mean(returns[..., 1 << i] - returns[..., 0]) for i, part in enumerate(game.parts)},
        last={
            part: mean(returns[..., every] - returns[..., every & ~(1 << i)])
            for i, part in enumerate(game.parts)
        },
        total=worth(*(one[..., every] - one[..., 0] for one in (returns, cost))),
        pairs={
            (game.parts[i], game.parts[j]): worth(*(one[..., i, j] for one in between))
            for i, j in itertools.combinations(range(len(game.parts)), 2)
        },
        gain=mean(np.where(known, gain, np.nan)),
    )


def mean_of_differences(values: np.ndarray, level: float = 0.95) -> Interval:
    """Return the mean of paired differences with its interval; without ends where nothing differs.

    Parameters
    ----------
    values : ndarray of float64, shape (seeds, tasks) or (fits, seeds, tasks)
        With several fits both are resampled.
    level : float, default 0.95

    Examples
    --------
    >>> mean_of_differences(np.zeros((8, 1)))
    Interval(0 [nan, nan], n=8, exactly the same in every scenario)
    """
    known = np.isfinite(values)
    if not known.any():
        return Interval(value=math.nan, n=0, reason="no scenario in which all arms are done")
    if not values[known].any():
        # an interval of no width would look like a precise estimate of a small effect
        return Interval(
            value=0.0, n=int(known.any(axis=(0, 2) if values.ndim == 3 else 1).sum()), reason=SAME
        )
    if values.ndim == 3 and len(values) > 1:
        return _two_level(values, np.ones(values.shape[1:]), level)
    return mean_interval(values.reshape(-1, *values.shape[-1:]), bootstrap_rng(0), level=level)


def _share(values: np.ndarray, gain: np.ndarray, level: float) -> Interval:
    both = np.isfinite(values[0]) & np.isfinite(gain)
    if both.any() and gain[both].mean() < FLOOR:
        return Interval(value=math.nan, n=int(both.any(axis=1).sum()), reason=NO_GAIN)
    if len(values) > 1:
        return _two_level(values, gain, level)
    return ratio_interval(values[0], gain, bootstrap_rng(0), level=level, undefined=NO_GAIN)


def _two_level(values: np.ndarray, gain: np.ndarray, level: float) -> Interval:
    """Interval of a ratio of sums, fits and scenarios resampled independently of each other."""
    return two_level(
        [(values, 1.0)], np.zeros_like(gain), gain, bootstrap_rng(0), level, "expanded", RESAMPLES
    )


def worth_table(
    families: Mapping[str, Sequence[str]], table: pl.DataFrame, level: float = 0.95
) -> pl.DataFrame:
    """Tabulate what the parts are worth: one row a family and part, and their sum.

    Parameters
    ----------
    families : mapping of str to sequence of str
        Tasks of each family.
    table : polars.DataFrame
        Cells.
    level : float, default 0.95
        Of the intervals.

    Returns
    -------
    polars.DataFrame
        ``family``, ``part``; ``share`` (Shapley value in units of U - R_never), ``return``, ``cost`` (Shapley
        values in the return and the cost of a window), ``alone`` and ``last`` (what the part adds to the
        return of nothing, and of all others), each with ``_low``, ``_high``, ``_n`` (scenario seeds) and
        ``_reason``.
    """
    game = CoalitionalGame.of(table)
    keys: list[tuple[str, str]] = []
    rows: list[tuple[Interval, ...]] = []
    nothing = Interval(value=math.nan, n=0, reason="of single parts")
    for family, tasks in families.items():
        found = worths_of(table, tasks, game, level)
        for part, one in found.parts.items():
            keys.append((family, part))
            rows.append((one.share, one.returns, one.cost, found.alone[part], found.last[part]))
        keys.append((family, SUM))
        total = found.total
        rows.append((total.share, total.returns, total.cost, *[replace(nothing, n=total.returns.n)] * 2))
    columns: dict[str, list[str]] = {"family": [f for f, _ in keys], "part": [p for _, p in keys]}
    for name, intervals in zip(
        ("share", "return", "cost", "alone", "last"), zip(*rows, strict=True), strict=True
    ):
        columns |= interval_columns(name, intervals)
    return pl.DataFrame(columns)


def pair_table(families: Mapping[str, Sequence[str]], table: pl.DataFrame) -> pl.DataFrame:
    """Tabulate the interactions of the parts: one row a family and pair, columns as of `worth_table`."""
    game = CoalitionalGame.of(table)
    keys: list[tuple[str, str, str]] = []
    rows: list[tuple[Interval, ...]] = []
    for family, tasks in families.items():
        for (a, b), one in worths_of(table, tasks, game).pairs.items():
            keys.append((family, a, b))
            rows.append((one.share, one.returns, one.cost))
    columns: dict[str, list[str]] = {
        name: [key[i] for key in keys] for i, name in enumerate(("family", "part", "other"))
    }
    for name, intervals in zip(("share", "return", "cost"), zip(*rows, strict=True), strict=True):
        columns |= interval_columns(name, intervals)
    return pl.DataFrame(columns)


def simultaneous(intervals: int, level: float = 0.95) -> float:
    """Return the level of each of several intervals that hold together with ``level`` (Bonferroni).

    Examples
    --------
    >>> round(simultaneous(35), 5)
    0.99857
    """
    return 1.0 - (1.0 - level) / max(intervals, 1)


def of_decider(table: pl.DataFrame, learned: bool) -> pl.DataFrame:
    """Return the cells of the arms in which a learned selector decides, or a rule; all others as they are.

    Who decides is no part in them any more: their games are of the others.
    """
    is_arm = pl.col(LEARNED).is_not_null()
    kept = table.filter(~is_arm | (pl.col(LEARNED) == learned))
    return kept.with_columns(pl.when(is_arm).then(pl.lit(False)).otherwise(pl.lit(None)).alias(LEARNED))


def decider_table(families: Mapping[str, Sequence[str]], table: pl.DataFrame) -> pl.DataFrame:
    """Tabulate what the other parts are worth where a rule decides, and where a learned selector does.

    Returns
    -------
    polars.DataFrame
        ``decider`` (rule, learned), then as :func:`worth_table`.
    """
    found = []
    for learned, name in ((False, "rule"), (True, LEARNED)):
        board = worth_table(families, of_decider(table, learned))
        found.append(board.insert_column(0, pl.Series("decider", [name] * board.height)))
    return pl.concat(found)


def against_never(families: Mapping[str, Sequence[str]], table: pl.DataFrame) -> pl.DataFrame:
    """Tabulate what each arm has more than who never acts: one row a family and arm.

    Returns
    -------
    polars.DataFrame
        ``family``, ``arm``, ``return`` and ``cost`` of a window less those of never, paired by scenario, each
        with ``_low``, ``_high``, ``_n`` and ``_reason``.
    """
    seeds, _ = axes_of(table)
    arms = [name for name, value in facts(table, PARTS[0]).items() if value is not None]
    columns: dict[str, list[Any]] = {"family": [], "arm": []}
    found: dict[str, list[Interval]] = {"return": [], "cost": []}
    for family, tasks in families.items():
        for arm in arms:
            columns["family"].append(family)
            columns["arm"].append(arm)
            for name, intervals in found.items():
                both = (grid(table, method, name, seeds, list(tasks)) for method in (arm, NEVER))
                intervals.append(mean_of_differences(np.subtract(*both)))
    for name, intervals in found.items():
        columns |= interval_columns(name, intervals)
    return pl.DataFrame(columns)


def without_gain(families: Mapping[str, Sequence[str]], table: pl.DataFrame) -> dict[str, Sequence[str]]:
    """Return the families in which U - R_never is known and below :data:`FLOOR`."""
    seeds, _ = axes_of(table)
    found: dict[str, Sequence[str]] = {}
    for family, tasks in families.items():
        upper, never = (
            grid(table, method, name, seeds, list(tasks))
            for method, name in ((OPTIMUM, "upper"), (NEVER, "return"))
        )
        gain = upper - never
        if np.isfinite(gain).any() and np.nanmean(gain) < FLOOR:
            found[family] = tasks
    return found
