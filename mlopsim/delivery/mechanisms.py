"""What a deployment may have beside its registry: suspension, review, release gates, limits on costs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from enum import IntFlag
from typing import Any

import numpy as np

from mlopsim.core.errors import ConfigError
from mlopsim.delivery.env_arguments import whole_numbers

#: what stands in the history of what served where the fallback did
FALLBACK = -2


class Switch(IntFlag):
    """Which mechanisms are on in one deployment: a bit mask, observed, and fixed while it runs.

    ``AUDITS``: release gates, absolute (``blocked``) and relative (``refused``). ``REVIEW``: a version waits
    for its approval and may be denied. ``ROLLBACK``: slots other than the newest can be deployed.
    ``SUSPEND``: the fallback can be made to serve. ``TRIGGER``: alarms are observed; where there are
    alarms and it is off, the shift of inputs that they are made of is not observed either.
    """

    AUDITS = 1
    REVIEW = 2
    ROLLBACK = 4
    SUSPEND = 8
    TRIGGER = 16


#: all of them
EVERY_SWITCH = Switch.AUDITS | Switch.REVIEW | Switch.ROLLBACK | Switch.SUSPEND | Switch.TRIGGER


def _nothing(*shape: int, dtype: type = float) -> np.ndarray:
    return np.zeros(shape or (0,), dtype=dtype)


@dataclass(frozen=True, kw_only=True)
class Costs:
    """What it costs to break one constraint, in every cell of M Worlds, and what a deployment sees of that.

    Parameters
    ----------
    name : str
        Of the constraint; unique in a deployment.
    true : ndarray of float64, shape (M, cells)
        Cost in 0..1 of a window if a version serves it, by
        :meth:`mlopsim.delivery.pool.WorldPool.cell`; the fallback costs 0, a canary the traffic-weighted
        mean. Where ``at_switch``: zeros.
    seen : ndarray of float32, shape (M, cells)
        What the deployment measures instead: sampled, known ``lag`` windows later.
    lag : int
        Windows from a window to its measured cost: the label delay, or 0 where no label is needed.
    limit : float
        Per window, 0..1.
    weight : float, default 1.0
        In the sum ``info["cost"]``.
    at_switch : bool, default False
        Whether it is charged where the traffic moves instead: the share of the rows of the first window whose
        answer is another one (at most one constraint of a deployment; seen at once and as it is).
    bar : float, optional
        Cost of one window above which it is out of compliance; by default the limit. It differs where the
        limit is not one on the cost of a window.
    """

    name: str
    true: np.ndarray
    seen: np.ndarray
    lag: int
    limit: float
    weight: float = 1.0
    at_switch: bool = False
    bar: float | None = None

    def out(self, costs: np.ndarray) -> np.ndarray:
        """Return which windows are out of compliance, given their costs.

        Examples
        --------
        >>> cost = Costs(name="churn", true=np.zeros((1, 3)), seen=np.zeros((1, 3)), lag=0, limit=0.1)
        >>> cost.out(np.array([0.0, 0.1, 0.3]))
        array([False, False,  True])
        """
        above: np.ndarray = costs > (self.limit if self.bar is None else self.bar)
        return above


@dataclass(frozen=True, kw_only=True)
class Mechanisms:
    """Optional mechanisms of a deployment over the M Worlds of a pool; what has the size 0 is off.

    Parameters
    ----------
    blocked : ndarray of bool, shape (M, T) or (0, 0)
        Versions that an absolute release gate rejects on arrival (switch ``AUDITS``).
    refused : ndarray of bool, shape (M, T, T) or (0, 0, 0)
        ``[m, v, s]``: version v is rejected on arrival while s serves (or served last, while suspended; the
        base of a canary). Switch ``AUDITS``.
    delay : ndarray of int64, shape (M, T) or (0, 0)
        Windows that version v waits for its approval after it was trained (switch ``REVIEW``). Until then it
        is in flight: no other retrain can be decided.
    denied : ndarray of bool, shape (M, T) or (0, 0)
        Versions that are never approved (switch ``REVIEW``): they leave the pipeline after their delay.
    fallback : ndarray of float64, shape (M, T) or (0, 0)
        Quality of the fallback in each window (switch ``SUSPEND``). There is then one more action, K + 2:
        suspend. Decided at t, the fallback serves from t + 1 on, until a slot is deployed (also the one that
        served before) or, with ``resume_on_arrival``, a version arrives that deploys itself.
    alarm : ndarray of bool, shape (M, cells) or (0, 0)
        Whether a drift alarm is on at decision time t where version v serves (switch ``TRIGGER``).
    guarded : ndarray of bool, shape (M,) or (0,)
        Whether the versions of a World were trained behind a data gate; observed.
    costs : tuple of Costs
        The constraints, in their order.
    resume_on_arrival : bool, default True
        Whether a version that deploys itself on arrival also ends a suspension; False: it waits in the
        registry. One that arrives in the very window in which a suspension begins always waits.
    switches : Switch
        What is on where nothing else is said at the start of a deployment.

    Examples
    --------
    >>> Mechanisms(fallback=np.full((1, 12), 0.6)).suspends
    True
    """

    blocked: np.ndarray = field(default_factory=lambda: _nothing(0, 0, dtype=bool))
    refused: np.ndarray = field(default_factory=lambda: _nothing(0, 0, 0, dtype=bool))
    delay: np.ndarray = field(default_factory=lambda: _nothing(0, 0, dtype=np.int64))
    denied: np.ndarray = field(default_factory=lambda: _nothing(0, 0, dtype=bool))
    fallback: np.ndarray = field(default_factory=lambda: _nothing(0, 0))
    alarm: np.ndarray = field(default_factory=lambda: _nothing(0, 0, dtype=bool))
    guarded: np.ndarray = field(default_factory=lambda: _nothing(0, dtype=bool))
    costs: tuple[Costs, ...] = ()
    resume_on_arrival: bool = True
    switches: Switch = EVERY_SWITCH

    def __post_init__(self) -> None:
        names = [cost.name for cost in self.costs]
        twice = next((name for i, name in enumerate(names) if name in names[:i]), None)
        if twice is not None:
            raise ConfigError(f"the constraint {twice} is there twice", remedy="keep one, or rename it")
        if sum(cost.at_switch for cost in self.costs) > 1:
            raise ConfigError("two constraints are charged at switches", remedy="keep one")

    @property
    def suspends(self) -> bool:
        """Whether there is a fallback, and so the action suspend."""
        return self.fallback.size > 0

    @property
    def constraints(self) -> tuple[str, ...]:
        """Names of the constraints."""
        return tuple(cost.name for cost in self.costs)

    def of(self, which: np.ndarray) -> Mechanisms:
        """Return the mechanisms of some of the Worlds, by number, int64 (m,).

        Examples
        --------
        >>> both = Mechanisms(guarded=np.array([True, False]))
        >>> both.of(np.array([1])).guarded
        array([False])
        """
        names = ("blocked", "refused", "delay", "denied", "fallback", "alarm", "guarded")
        some = {name: getattr(self, name)[which] for name in names if getattr(self, name).size}
        costs = tuple(replace(one, true=one.true[which], seen=one.seen[which]) for one in self.costs)
        return replace(self, **some, costs=costs)

    def check(self, worlds: int, windows: int, cells: int) -> None:
        """Raise unless all shapes fit a pool.

        Raises
        ------
        ConfigError
            Names the array, the shape that it has and the one that is needed.
        """
        wanted: dict[str, tuple[int, ...]] = {
            "blocked": (worlds, windows),
            "refused": (worlds, windows, windows),
            "delay": (worlds, windows),
            "denied": (worlds, windows),
            "fallback": (worlds, windows),
            "alarm": (worlds, cells),
            "guarded": (worlds,),
        }
        for name, shape in wanted.items():
            found = getattr(self, name)
            if found.size and found.shape != shape:
                raise ConfigError(f"{name} must have the shape {shape}, got {found.shape}")
        if self.delay.size and self.delay.min() < 0:
            raise ConfigError(f"a review takes at least 0 windows, got {self.delay.min()}")
        if self.fallback.size and not np.isfinite(self.fallback).all():
            raise ConfigError("the quality of the fallback must be finite")
        for cost in self.costs:
            for name in ("true", "seen"):
                found = getattr(cost, name)
                if found.shape != (worlds, cells):
                    raise ConfigError(
                        f"costs of {cost.name} ({name}) must have the shape {(worlds, cells)}, "
                        f"got {found.shape}"
                    )
                if not ((found >= 0.0) & (found <= 1.0)).all():
                    raise ConfigError(f"costs of {cost.name} ({name}) must lie in 0..1")


def check_switches(values: Any, shape: tuple[int, ...]) -> np.ndarray:
    """Return switches as they are, int64.

    Raises
    ------
    ConfigError
        If they are no whole numbers that stand for switches, or have another shape.

    Examples
    --------
    >>> int(check_switches(Switch.AUDITS | Switch.ROLLBACK, ()))
    5
    """
    if isinstance(values, Switch):
        values = int(values)
    return whole_numbers(values, shape, int(EVERY_SWITCH) + 1, "switches")


def arms_of(mechanisms: Mechanisms | None, arms: Sequence[int] | None) -> np.ndarray:
    """Return the switches of which an episode draws one: those given, or those of the mechanisms alone.

    Raises
    ------
    ConfigError
        If there are arms and no mechanisms, or no arm.

    Examples
    --------
    >>> arms_of(Mechanisms(), None), arms_of(Mechanisms(), [0, Switch.AUDITS])
    (array([31]), array([0, 1]))
    """
    if arms is None:
        return np.array([0 if mechanisms is None else int(mechanisms.switches)], dtype=np.int64)
    if mechanisms is None:
        raise ConfigError("a deployment without mechanisms has no arms", remedy="deployment=governed")
    if len(arms) == 0:
        raise ConfigError("there must be one arm at least", remedy="arms=[0]: everything off")
    return check_switches([int(arm) for arm in arms], (len(arms),))
