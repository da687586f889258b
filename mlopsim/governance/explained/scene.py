"""Deployments that can be walked again, as often as one likes and with other actions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from mlopsim.core.errors import ConfigError
from mlopsim.delivery.selector import Interface, Selector, View
from mlopsim.delivery.walk import Trajectory, walk

if TYPE_CHECKING:
    from mlopsim.delivery.pool import WorldPool


@dataclass(frozen=True, kw_only=True)
class Scene:
    """N deployments: Worlds, dynamics and seeds, everything that a walk hangs on but the selector.

    Parameters
    ----------
    pool : WorldPool
        The Worlds.
    deployment : component of kind ``deployment``
        The dynamics.
    which : ndarray of int64, shape (N,)
        World of every deployment, as numbers in the pool.
    seeds : sequence of SeedSequence
        One per deployment, for selectors that draw.
    options : mapping
        What :func:`mlopsim.delivery.walk.walk` is told beside that: what gates block, ...
    each : mapping of str to ndarray, shape (N, ...)
        The same for what differs from deployment to deployment: which mechanisms are on, ...
    """

    pool: WorldPool
    deployment: Any
    which: np.ndarray
    seeds: Sequence[np.random.SeedSequence]
    options: Mapping[str, Any] = field(default_factory=dict)
    each: Mapping[str, np.ndarray] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if len(self.which) != len(self.seeds):
            raise ConfigError(f"{len(self.which)} deployments need as many seeds, got {len(self.seeds)}")

    def __len__(self) -> int:
        return len(self.which)

    @property
    def steps(self) -> int:
        """Number of decisions S = T - W of a deployment."""
        return int(self.pool.steps)

    @property
    def first(self) -> int:
        """Time W - 1 of the first decision."""
        return int(self.pool.warmup) - 1

    def walk(
        self, selector: Selector, *, rows: np.ndarray | None = None, forced: np.ndarray | None = None
    ) -> Trajectory:
        """Walk the deployments, or those of ``rows`` (R,), repeats allowed; ``forced`` as of :func:`walk`."""
        some = self if rows is None else self.of(rows)
        told: dict[str, Any] = {**some.options, **some.each}
        return walk(
            selector,
            some.pool,
            some.deployment,
            some.which,
            some.seeds,
            forced=forced,
            **told,
        )

    def of(self, rows: np.ndarray) -> Scene:
        """Return the scene of some of the deployments, repeats allowed."""
        return replace(
            self,
            which=self.which[rows],
            seeds=[self.seeds[i] for i in rows.tolist()],
            each={name: values[rows] for name, values in self.each.items()},
        )


def narrowed(view: View, selector: Any) -> View:
    """Return a view as a selector sees it: one that does not know the action suspend does not see it."""
    known = view.interface.slots + 2
    if view.mask.shape[1] <= known or getattr(selector, "can_suspend", False):
        return view
    return replace(view, mask=view.mask[:, :known])


class Watched:
    """Hands everything on to a selector, and keeps what it saw, answered and believed at every step.

    Parameters
    ----------
    selector : Selector
        It is asked at every step, forced or not.

    Attributes
    ----------
    views : list of View
        What it saw, step by step; of the mask all that is possible, known to it or not.
    answers : list of ndarray of int64, shape (N,)
        What it answered.
    believed : list of ndarray of float64, shape (N, A)
        The numbers that it chose by; empty for a selector that has none.
    alarmed : list of ndarray of bool, shape (N,)
        Where it had an alarm; empty for a selector that knows none.
    """

    #: what is possible is recorded whole
    can_suspend = True

    def __init__(self, selector: Any) -> None:
        self.selector = selector
        self.full_name: str = selector.full_name
        self.uses_errors = bool(getattr(selector, "uses_errors", True))
        self.uses_inputs = bool(getattr(selector, "uses_inputs", False))

    def reset(self, n: int, interface: Interface, seeds: Sequence[np.random.SeedSequence]) -> None:
        """Start the selector and empty the record."""
        self.interface, self.seeds = interface, seeds
        self.views: list[View] = []
        self.answers: list[np.ndarray] = []
        self.believed: list[np.ndarray] = []
        self.alarmed: list[np.ndarray] = []
        self.selector.reset(n, interface, seeds)

    def act(self, view: View) -> np.ndarray:
        """Return the selector's actions."""
        actions: np.ndarray = self.selector.act(narrowed(view, self.selector))
        self.views.append(view)
        self.answers.append(actions.copy())
        if getattr(self.selector, "believes", ""):
            self.believed.append(np.array(self.selector.believed, dtype=np.float64))
        if hasattr(self.selector, "alarmed"):
            self.alarmed.append(np.array(self.selector.alarmed, dtype=bool))
        return actions
