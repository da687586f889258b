"""One deployment as an auditor meets it: computed again, its record, and what is asked of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from mlopsim.core.spec import make
from mlopsim.governance.lineage.lineage import Lineage, lineage_of
from mlopsim.governance.record.deployed import Deployed
from mlopsim.governance.record.events import Event
from mlopsim.governance.record.history import History
from mlopsim.governance.record.log import Record, pruned, strict_json
from mlopsim.governance.record.overrides import Override
from mlopsim.governance.record.verdict import Verification

if TYPE_CHECKING:
    from mlopsim.delivery.mechanisms import Costs, Mechanisms, Switch
    from mlopsim.governance.constraint import Constraint
    from mlopsim.governance.loop.truth import Rates

#: computes the deployment again, with decisions that are replaced
Again: TypeAlias = Callable[[Sequence[Override]], Deployed]


@dataclass(frozen=True, kw_only=True, eq=False)
class Case:
    """One deployment and all that is asked about it. Arrays by window are of the S windows that it served.

    Parameters
    ----------
    deployed : Deployed
        The deployment, computed again, with the overrides that are on record.
    record : Record
        What lies there; where nothing does what replay derives.
    again : callable
        Computes it again with other overrides, for drills.
    kept : Verification, optional
        What verification says of the record that lies there; None: none does.
    keep : int, optional
        Windows whose payloads must be kept; by default all.
    """

    deployed: Deployed
    record: Record
    again: Again
    kept: Verification | None = None
    keep: int | None = None

    @property
    def first(self) -> int:
        """The first window that was served, W."""
        return int(self.deployed.pool.warmup)

    @property
    def steps(self) -> int:
        """Number S of windows that were served, and of decisions."""
        return int(self.deployed.pool.steps)

    @property
    def windows(self) -> np.ndarray:
        """The windows that were served, int64 (S,)."""
        return np.arange(self.first, self.first + self.steps)

    @property
    def served(self) -> np.ndarray:
        """Version that served each window, int64 (S,); -2 the fallback."""
        return np.asarray(self.deployed.trajectory.served[self.deployed.row, self.first :])

    @property
    def candidate(self) -> np.ndarray:
        """Canary beside it, int64 (S,); -1 none."""
        return np.asarray(self.deployed.trajectory.candidate[self.deployed.row, self.first :])

    @cached_property
    def history(self) -> History:
        """Its state at each decision."""
        return History(self.deployed)

    @property
    def mechanisms(self) -> Mechanisms | None:
        """What is optional in it; None: nothing."""
        found: Mechanisms | None = self.history.mechanisms
        return found

    @property
    def on(self) -> Switch:
        """Which of that is on."""
        from mlopsim.delivery.mechanisms import Switch

        return Switch(self.history.switches or 0)

    @cached_property
    def lineage(self) -> Lineage:
        """What served when, and what became of each version."""
        return lineage_of(self.deployed)

    @property
    def events(self) -> Sequence[Event]:
        """What replay says that happened."""
        return self.lineage.events

    @cached_property
    def lines(self) -> list[Mapping[str, Any] | None]:
        """Decisions on record, line by line; None where the payload is gone.

        Raises
        ------
        DataError
            If one is no JSON.
        """
        return [None if pruned(line) is not None else strict_json(line) for line in self.record.decisions]

    @property
    def unsound(self) -> str:
        """What is wrong with the record that lies there, by itself; empty: nothing, or none does."""
        if self.kept is None:
            return ""
        return "; ".join(finding.message for finding in self.kept.levels["internal"].findings)

    @property
    def whole_from(self) -> int:
        """First window of which all payloads are there."""
        gone = max((i for i, line in enumerate(self.lines) if line is None), default=None)
        if gone is None:
            return self.first - 1
        later = [line["window"] for line in self.lines[gone + 1 :] if line is not None]
        return int(min(later, default=self.first + self.steps))

    @cached_property
    def constraints(self) -> list[Constraint]:
        """The constraints of its task."""
        return [make("constraint", spec) for spec in getattr(self.deployed.deployment, "constraints", [])]

    @property
    def costs(self) -> tuple[Costs, ...]:
        """Their costs in every cell of the pool, true and measured."""
        return () if self.mechanisms is None else self.mechanisms.costs

    def charged(self, name: str) -> np.ndarray:
        """Return what each window cost by a constraint, by the truth; float64 (S,)."""
        return np.asarray(self.deployed.trajectory.costs[name][self.deployed.row])

    def measured(self, cost: Costs) -> np.ndarray:
        """Return what the deployment measured of it, float64 (S,): known ``cost.lag`` windows later."""
        if cost.at_switch:
            return self.charged(cost.name)
        pool, seen = self.deployed.pool, cost.seen[self.deployed.world]

        def of(version: int, window: int) -> float:
            return float(seen[int(pool.cell(version, window))])

        return np.array([self._mixed(of, s) for s in range(self.steps)])

    def at(self, square: np.ndarray) -> np.ndarray:
        """Return what a table (T, T, ...) ``[version, window]`` holds of what served: (S, ...).

        A canary counts by its share; NaN where the fallback served.
        """
        gone = np.full(square.shape[2:], np.nan)
        found = [
            gone if self.served[s] < 0 else self._mixed(lambda v, t: square[v, t], s)
            for s in range(self.steps)
        ]
        return np.array(found, dtype=np.float64)

    def _mixed(self, of: Callable[[int, int], Any], s: int) -> Any:
        version, beside, window = int(self.served[s]), int(self.candidate[s]), self.first + s
        if version < 0:
            return 0.0
        if beside < 0:
            return of(version, window)
        share = float(self.deployed.deployment.canary_share)
        return (1.0 - share) * of(version, window) + share * of(beside, window)

    @cached_property
    def out(self) -> dict[str, np.ndarray]:
        """Which windows were out of compliance by the truth, bool (S,), by constraint."""
        return {cost.name: cost.out(self.charged(cost.name)) for cost in self.costs}

    @property
    def any_out(self) -> np.ndarray:
        """Which windows were out of compliance with any constraint, bool (S,)."""
        return np.asarray(np.logical_or.reduce([np.zeros(self.steps, dtype=bool), *self.out.values()]))

    @cached_property
    def truth(self) -> Rates:
        """True rates of its World."""
        from mlopsim.governance.loop.compliance import laws

        return laws(self.deployed.pool)[self.deployed.world]

    @cached_property
    def seen(self) -> Rates:
        """What can be measured of them in its World."""
        from mlopsim.governance.loop.truth import measured

        return measured(self.deployed.pool.world(self.deployed.world))
