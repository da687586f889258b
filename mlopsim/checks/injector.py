"""Contract checks of injectors."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from mlopsim.checks.base import Check, identical, own_randomness, require
from mlopsim.checks.clean_rows import clean_stream
from mlopsim.core.spec import make
from mlopsim.streams.injectors.base import Aim, ColumnInjector, Corrupted, Injector
from mlopsim.streams.stream import Stream

RATE = 0.3
FIRST = 12


def _share(stream: Stream, rate: float = RATE) -> np.ndarray:
    return np.where(np.arange(stream.windows) >= FIRST, rate, 0.0)


def _applied(injector: Injector, stream: Stream, seed: int, rate: float = RATE) -> Corrupted:
    aim = Aim(
        share=_share(stream, rate), mechanism=make("mechanism", "random"), rng=np.random.default_rng(seed)
    )
    found = injector.apply(stream, aim)
    require(isinstance(found, Corrupted), f"apply gave {type(found).__name__} instead of Corrupted")
    return found


def _injector(cls: type[Any]) -> None:
    """Check what an injector gives, its rate, and that the clean rows stay as they are."""
    stream = clean_stream()
    before = stream.X.copy(), stream.y.copy()
    made: Injector = make("injector", cls.name)
    with own_randomness():
        found, again = (_applied(made, stream, 0) for _ in range(2))
        # a low rate: a high one may hit all rows that can be hit
        seeds = [_applied(made, stream, seed, 0.05) for seed in range(4)]
    require(
        identical(before, (stream.X, stream.y)),
        "the clean rows are changed",
        remedy="copy the arrays before you write into them",
    )
    parts = [(c.X, c.y, c.rows, c.cells, c.labels) for c in (found, again, *seeds)]
    require(
        identical(parts[0], parts[1]),
        "two runs with one seed differ",
        remedy="take all randomness from aim.rng, and keep no state from call to call",
    )
    require(not all(identical(parts[2], part) for part in parts[3:]), "the seed changes nothing")
    n, d = stream.X.shape
    for name, shape, kind in (
        ("X", (n, d), np.float64),
        ("y", (n,), np.int64),
        ("rows", (n,), np.bool_),
        ("cells", (n, d), np.bool_),
        ("labels", (n,), np.bool_),
        ("source", (n,), np.int64),
    ):
        value = getattr(found, name)
        require(
            value.shape == shape and value.dtype == kind,
            f"{name} is {value.dtype} of shape {value.shape}, expected {np.dtype(kind)} of shape {shape}",
        )
    same = (stream.X == found.X) | (np.isnan(stream.X) & np.isnan(found.X))
    require(
        identical(found.cells, ~same) and identical(found.labels, stream.y != found.y),
        "the masks are not the cells and labels that differ from the clean ones",
        remedy="return Corrupted.of(stream, X, y, rows)",
    )
    numeric = [j for j in range(d) if j not in stream.categories]
    _resolution(made, stream, numeric)
    replaced = found.source != np.arange(n)
    require(
        not (replaced & ~found.rows).any() and bool(((found.source >= 0) & (found.source < n)).all()),
        "source names other rows where none is hit, or rows that there are not",
        remedy="Corrupted.of(..., source=the clean row that stands in each place)",
    )
    touched = found.cells.any(axis=1) | found.labels
    require(bool(touched.any()), "nothing is corrupted")
    require(not (touched & ~found.rows).any(), "rows change that are not among those that are hit")
    require(
        bool(touched[found.rows].mean() > 0.7),
        f"only {touched[found.rows].mean():.0%} of the rows that are hit change",
        remedy="leave out rows that the error cannot change: see eligible and usable",
    )
    quiet = np.repeat(_share(stream) == 0.0, np.diff(stream.bounds))
    require(not found.rows[quiet].any(), "rows are hit before errors begin, or in the warm-up")
    require(bool(np.isin(found.y, [0, 1]).all()), "labels are no classes of the stream")
    names = stream.categories | found.categories
    for column, known in names.items():
        codes = found.X[:, column]
        codes = codes[~np.isnan(codes)]
        require(
            bool((codes == codes.round()).all() and codes.min() >= 0 and codes.max() < len(known)),
            f"column {column} holds codes that have no name",
            remedy="add the name of a new category: see ColumnInjector.added",
        )
    _rate(made, stream)


def _resolution(made: Injector, stream: Stream, numeric: list[int]) -> None:
    """Check that whole numbers stay whole, and halves halves."""
    for per_unit in (1.0, 2.0):
        X = stream.X.copy()
        X[:, numeric] = np.rint(X[:, numeric] * per_unit) / per_unit
        found = _applied(made, dataclasses.replace(stream, X=X), 0).X[:, numeric] * per_unit
        require(
            bool((np.isnan(found) | (found == np.rint(found))).all()),
            f"columns of multiples of {1.0 / per_unit:g} get other numbers",
            remedy="return Corrupted.of(stream, X, y, rows)",
        )


def _rate(made: Injector, stream: Stream) -> None:
    """Check that the asked share of rows is hit."""
    first = int(stream.bounds[FIRST])
    window = np.repeat(np.arange(stream.windows), np.diff(stream.bounds))
    shares, asked = [], []
    for seed in range(5):
        found = _applied(made, stream, seed)
        if made.whole_windows:
            hit = np.bincount(window[found.rows], minlength=stream.windows)[FIRST:]
            require(bool(np.isin(hit, [0, 60]).all()), "windows are hit in part")
            shares.append(float((hit > 0).mean()))
            asked.append(RATE)
            continue
        eligible = made.eligible(stream)
        if isinstance(made, ColumnInjector) and not made.own_order:
            column = made.columns(stream, np.random.default_rng(seed))[0]
            eligible = made.usable(stream, column)
        can = np.bincount(window[eligible], minlength=stream.windows)[FIRST:]
        wanted = np.minimum(RATE * 60, can) if made.of_all else RATE * can
        hit = np.bincount(window[found.rows], minlength=stream.windows)[FIRST:]
        require(
            bool((np.abs(hit - wanted) < 1.0 + 1e-9).all()),
            f"a window has {hit[np.argmax(np.abs(hit - wanted))]} rows that are hit, asked were "
            f"{wanted[np.argmax(np.abs(hit - wanted))]:.1f}",
            remedy="draw rows by aim.rows(stream, column, eligible)",
        )
        shares.append(float(found.rows[first:].sum()))
        asked.append(float(wanted.sum()))
    found_rate, asked_rate = float(np.sum(shares)), float(np.sum(asked))
    # whole windows: five draws of 28 windows; rows: stochastic rounding in each window
    spread = 5 * np.sqrt(RATE * (1 - RATE) / 28 / 5) if made.whole_windows else np.sqrt(0.25 * 28 * 5)
    require(
        abs(found_rate - asked_rate) < 4.0 * spread,
        f"the rate that is achieved is {found_rate / asked_rate:.3f} of the asked one",
    )


CHECKS = [
    Check(name="injector", text="errors have the asked rate and a true mask, clean rows stay", run=_injector),
]
