"""Contract checks of constraints."""

from __future__ import annotations

from typing import Any

import numpy as np

from mlopsim.checks.base import Check, generator, identical, own_randomness, require
from mlopsim.core.spec import make
from mlopsim.governance.constraint import Charge, Over
from mlopsim.governance.loop.truth import Rates, rates_of

V0, WINDOWS = 2, 9


def _rates(seed: int = 0, *, rows: int = 40, groups: int = 2) -> Rates:
    """Return rates of made-up versions, some windows of which have no row of a group."""
    rng = generator(seed)
    counts = rng.integers(0, rows, size=(WINDOWS, WINDOWS, groups, 2, 2))
    counts[:, 4, 0] = 0
    counts[:, 5] = 0
    return rates_of(counts, V0)


def _costs(cls: type[Any]) -> None:
    made = make("constraint", cls.name)
    rates = _rates()
    with own_randomness():
        found = made.costs(rates)
    require(
        isinstance(found, np.ndarray) and found.dtype == np.float64 and found.shape == (WINDOWS, WINDOWS),
        f"costs() returns {getattr(found, 'dtype', type(found))}, expected float64 (T, T)",
    )
    require(bool(((found >= 0.0) & (found <= 1.0)).all()), "a cost is not a number from 0 to 1")
    require(bool((found[:V0] == 0.0).all()), "versions that do not exist cost something")
    require(bool((found[:, 5] == 0.0).all()), "a window without rows costs something")
    require(identical(found, made.costs(rates)), "asked again, it gives other costs")
    if made.at_switch:
        require(not found.any(), "what is charged at switches is charged in the other windows, too")


def _fair(cls: type[Any]) -> None:
    """A version that is right about everybody, in groups that are alike, is no violation."""
    counts = np.zeros((WINDOWS, WINDOWS, 2, 2, 2), dtype=np.int64)
    counts[..., 0, 0] = counts[..., 1, 1] = 30
    found = make("constraint", cls.name).costs(rates_of(counts, V0))
    require(not found.any(), "a version without any fault is a violation")


def _limit(cls: type[Any]) -> None:
    nothing, always = np.zeros(10), np.ones(10)
    for over in Over:
        made = make("constraint", cls.name, limit=0.0, over=over.value)
        require(not made.violated(nothing), f"no cost at all breaks a limit of 0 over the {over.value}")
        require(made.violated(always), f"costs in every window keep a limit of 0 over the {over.value}")


def _charges(cls: type[Any]) -> None:
    made = make("constraint", cls.name)
    if made.at_switch:
        return
    rates = _rates(1)
    hard = make("constraint", cls.name, charge=Charge.VIOLATION.value).costs(rates)
    soft = make("constraint", cls.name, charge=Charge.EXCESS.value).costs(rates)
    require(bool(np.isin(hard, (0.0, 1.0)).all()), "a violation costs neither 0 nor 1")
    require(identical(hard > 0.0, soft > 0.0), "what is a violation depends on what it costs")


CHECKS = [
    Check(name="costs", text="costs are numbers from 0 to 1, 0 where nothing can be said", run=_costs),
    Check(name="fair", text="a version without any fault costs nothing", run=_fair),
    Check(name="limit", text="a limit of 0 is kept by no cost only", run=_limit),
    Check(name="charges", text="what is a violation does not depend on what it costs", run=_charges),
]
