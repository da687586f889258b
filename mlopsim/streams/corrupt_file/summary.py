"""What errors did to rows: the rate that was achieved, and the columns before and after."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mlopsim.streams.injectors.base import ColumnInjector, Corrupted, Injector
from mlopsim.streams.stream import Stream

if TYPE_CHECKING:
    import polars as pl


@dataclass(frozen=True, kw_only=True)
class Achieved:
    """How many were hit of those that could be, in the windows with errors.

    Parameters
    ----------
    of : str
        What is counted: rows, windows, or rows that can be hit in a column.
    hit, possible : int
        Where several columns are hit: rows in which the value of this one is another.
    asked : float
        Mean of the asked share over those that are possible.
    """

    of: str
    hit: int
    possible: int
    asked: float

    @property
    def share(self) -> float | None:
        """Share that was hit; None where nothing could be."""
        return self.hit / self.possible if self.possible else None


@dataclass(frozen=True, kw_only=True)
class Column:
    """A feature with wrong cells; before and after are those of all rows of the windows with errors.

    Parameters
    ----------
    feature : str
    wrong : int
        Wrong cells.
    rows : int
        Rows of the windows with errors.
    missing : (int, int)
        Cells without a value, before and after.
    mean, sd : (float, float) or None
        Of the values; None for categories, and where there are no values.
    categories : (int, int) or None
        Different categories; None for numbers.
    """

    feature: str
    wrong: int
    rows: int
    missing: tuple[int, int]
    mean: tuple[float, float] | None = None
    sd: tuple[float, float] | None = None
    categories: tuple[int, int] | None = None


@dataclass(frozen=True, kw_only=True)
class Summary:
    """What errors did.

    Parameters
    ----------
    achieved : list of Achieved
        One for each column that is hit in rows of its own, else one.
    windows : list of int
        Windows in which errors could happen.
    rows, cells, labels : int
        Wrong ones.
    columns : list of Column
    classes : dict of str to (float, float)
        Share of each class in the windows with errors, before and after.
    notes : list of str
        What a reader of the file should know.
    """

    achieved: list[Achieved]
    windows: list[int]
    rows: int
    cells: int
    labels: int
    columns: list[Column]
    classes: dict[str, tuple[float, float]]
    notes: list[str]

    @classmethod
    def of(cls, injector: Injector, clean: Stream, found: Corrupted, share: np.ndarray) -> Summary:
        """Compare rows with the clean ones.

        Parameters
        ----------
        injector : Injector
        clean : Stream
        found : Corrupted
            What the injector made of it.
        share : ndarray of float64, shape (T,)
            Asked rate by window.

        Examples
        --------
        >>> from mlopsim import make
        >>> source = make("stream", "corrupted", base={"bundled": {"dataset": "wine"}}, rate=0.2,
        ...               injector={"unit_scale": {"features": ["ash"]}}, timing={"step": {"at": 10}})
        >>> seed = np.random.SeedSequence(0)
        >>> clean = source.clean(seed)
        >>> share = 0.2 * make("timing", source.timing).strength(clean.windows, clean.warmup)
        >>> injector = make("injector", source.injector)
        >>> found = Summary.of(injector, clean, source.corrupt(clean, seed), share)
        >>> rate = found.achieved[0]
        >>> rate.of, rate.hit, rate.possible, round(rate.asked, 9), found.rows, found.cells
        ('rows that can be hit in ash', 14, 70, 0.2, 14, 14)
        """
        active = share > 0.0
        inside = np.repeat(active, np.diff(clean.bounds))
        labels = [
            np.bincount(y[inside], minlength=clean.n_classes) / max(1, int(inside.sum()))
            for y in (clean.y, found.y)
        ]
        wrong = np.flatnonzero(found.cells.any(axis=0)).tolist()
        notes = []
        if found.received and np.isnan(found.X[found.cells]).any():
            notes.append(
                "a file has one header: what came under another name or type, or not at all, is empty"
            )
        if injector.of_all:
            able = int((injector.eligible(clean) & inside).sum())
            notes.append(f"{able:,} of the {int(inside.sum()):,} rows in these windows can be hit")
        if not wrong and not found.labels.any():
            notes.append("nothing is wrong: raise the rate, or take another seed")
        return cls(
            achieved=_achieved(injector, clean, found, share),
            windows=np.flatnonzero(active).tolist(),
            rows=int((found.cells.any(axis=1) | found.labels).sum()),
            cells=int(found.cells.sum()),
            labels=int(found.labels.sum()),
            columns=[_column(clean, found, j, inside) for j in wrong],
            classes={
                name: (float(labels[0][c]), float(labels[1][c])) for c, name in enumerate(clean.classes)
            },
            notes=notes,
        )


def _achieved(injector: Injector, clean: Stream, found: Corrupted, share: np.ndarray) -> list[Achieved]:
    active = share > 0.0
    inside = np.repeat(active, np.diff(clean.bounds))
    if injector.whole_windows:
        hit = np.add.reduceat(found.rows, clean.bounds[:-1]) > 0
        asked = float(share[active].mean())
        return [Achieved(of="windows", hit=int(hit.sum()), possible=int(active.sum()), asked=asked)]

    def counted(of: str, hit: np.ndarray, possible: np.ndarray) -> Achieved:
        places = np.flatnonzero(inside & possible)
        asked = np.repeat(share, np.diff(clean.bounds))[places]
        mean = float(asked.mean()) if len(places) else 0.0
        return Achieved(of=of, hit=int(hit.sum()), possible=len(places), asked=mean)

    everything = np.ones(len(clean.y), dtype=np.bool_)
    if not isinstance(injector, ColumnInjector):
        return [counted("rows", found.rows, everything if injector.of_all else injector.eligible(clean))]
    columns = np.flatnonzero(found.cells.any(axis=0)).tolist()
    if injector.features:
        columns = sorted(clean.features.index(name) for name in injector.features)
    result = []
    for j in columns:
        possible = everything if injector.own_order else injector.usable(clean, j)
        # of several columns only the cells tell where each was hit
        hit = found.rows if len(columns) == 1 else found.cells[:, j]
        result.append(counted(f"rows that can be hit in {clean.features[j]}", hit, possible))
    return result


def _column(clean: Stream, found: Corrupted, j: int, inside: np.ndarray) -> Column:
    sides = [clean.X[inside, j], found.X[inside, j]]
    before, after = (side[~np.isnan(side)] for side in sides)
    named = j in clean.categories
    numbers = not named and len(before) > 0 and len(after) > 0
    return Column(
        feature=clean.features[j],
        wrong=int(found.cells[:, j].sum()),
        rows=int(inside.sum()),
        missing=(len(sides[0]) - len(before), len(sides[1]) - len(after)),
        mean=(float(before.mean()), float(after.mean())) if numbers else None,
        sd=(float(before.std()), float(after.std())) if numbers else None,
        categories=(len(np.unique(before)), len(np.unique(after))) if named else None,
    )


@dataclass(frozen=True, kw_only=True)
class Example:
    """A cell that is wrong, as the file holds it; None: nothing."""

    row: int
    before: object
    after: object


def examples(before: pl.DataFrame, after: pl.DataFrame, wrong: dict[str, pl.Series]) -> dict[str, Example]:
    """Return the first wrong cell of each column that has one.

    Parameters
    ----------
    before, after : polars.DataFrame
        Rows without and with errors.
    wrong : dict of str to polars.Series of bool
        Which rows of a column are wrong.

    Examples
    --------
    >>> import polars as pl
    >>> before, after = pl.DataFrame({"x": [1, 2]}), pl.DataFrame({"x": [1, None]})
    >>> examples(before, after, {"x": pl.Series([False, True])})
    {'x': Example(row=1, before=2, after=None)}
    """
    found = {}
    for name, mask in wrong.items():
        if mask.any():
            row = int(mask.arg_true()[0])
            found[name] = Example(row=row, before=before[name][row], after=after[name][row])
    return found
