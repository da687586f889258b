"""What alarms are worth: a detector as the retrain trigger of a deployment."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from mlopsim.core.digest import canonical_json
from mlopsim.core.spec import make
from mlopsim.core.track import Cell, Outcome
from mlopsim.delivery.selector import View
from mlopsim.delivery.selectors.on_alarm import OnAlarm
from mlopsim.delivery.selectors.trigger import Trigger
from mlopsim.drift.detector import Detector
from mlopsim.drift.positions import positions
from mlopsim.drift.scenario import Scenario
from mlopsim.drift.signal import SignalKind
from mlopsim.tracks.drift.controls import is_upper
from mlopsim.world.cache import default_cache
from mlopsim.world.spec import WorldSpec

if TYPE_CHECKING:
    from mlopsim.delivery.pool import WorldPool
    from mlopsim.delivery.walk import Trajectory
    from mlopsim.world.world import World


@dataclass(kw_only=True)
class Replay(Trigger):
    """Retrains some windows after an alarm known beforehand: of a control, or on the inputs of the scenario.

    Those are alarms of the detector with the limit that was calibrated on the scenario's windows against its
    first ones. :class:`mlopsim.delivery.selectors.on_alarm.OnAlarm` compares with the training rows of what
    serves, which are other rows and another number of them: the limit would give other false alarms there.
    """

    full_name = "selector/replay"
    uses_errors: ClassVar[bool] = False
    holds: ClassVar[bool] = True

    def attach(self, alarms: np.ndarray) -> Replay:
        """Give it the decisions at which there is an alarm, bool (S,)."""
        self._alarms = alarms
        return self

    def alarm(self, view: View) -> np.ndarray:
        """Look the alarm up."""
        return self._alarms[self.step : self.step + 1]


@lru_cache(maxsize=8)
def _opened(content: str) -> tuple[World, WorldPool, Any]:
    import json

    from mlopsim.delivery.scenarios import pool_of

    part = json.loads(content)
    deployment = make("deployment", part.pop("deployment"))
    world = default_cache().open(WorldSpec(**part))
    return world, pool_of([world], deployment), deployment


def add_worth(
    outcome: Outcome,
    cell: Cell,
    runs: Sequence[tuple[Detector, np.ndarray] | None],
    main: int,
    scenario: Scenario,
    wait: int,
    seed: np.random.SeedSequence,
) -> None:
    """Roll a deployment out with a detector as retrain trigger; add ``return``, ``retrains`` and U.

    U stands in the cells of the control that is the upper end of the scale, the clairvoyant.

    Parameters
    ----------
    outcome : Outcome
        Of the cell so far; changed. Its curve ``by_arl0_return`` (A,) has the return at each arl0.
    cell : Cell
        Its task has a deployment.
    runs : sequence of (Detector, ndarray of int64) or None
        By arl0: the detector with its limit, and the rows of its alarms on the scenario; None: no limit.
    main : int
        Which of them the metrics are of; it has a limit.
    scenario : Scenario
        What the detector read.
    wait : int
        Windows between an alarm and the retrain.
    seed : SeedSequence
        Of the detector.
    """
    part = cell.task.part
    names = ("stream", "learner", "training", "deployment")
    content = {name: part[name] for name in names} | {
        "split": cell.split,
        "index": cell.seed,
        "root": cell.root,
    }
    world, pool, deployment = _opened(canonical_json(content))
    returns = np.full(len(runs), np.nan)
    for number, run in enumerate(runs):
        if run is None:
            continue
        detector, alarms = run
        trajectory = _walk(detector, alarms, scenario, world, pool, deployment, wait, seed)
        returns[number] = float(np.mean(trajectory.reward[0]))
        if number == main:
            outcome.metrics["retrains"] = float(trajectory.retrained[0].sum())
    outcome.metrics["return"] = float(returns[main])
    outcome.curves["by_arl0_return"] = returns
    for name in ("return", "retrains"):
        outcome.reasons.pop(name, None)
    run = runs[main]
    if run is not None and is_upper(run[0]):
        from mlopsim.delivery.oracle.bracket import bracket

        outcome.metrics["upper"] = bracket(pool.reward[0], world.warmup, deployment).upper / pool.steps
        outcome.reasons.pop("upper", None)
    else:
        outcome.reasons["upper"] = "only the clairvoyant's cell holds the bound"


def _walk(
    detector: Detector,
    alarms: np.ndarray,
    scenario: Scenario,
    world: World,
    pool: WorldPool,
    deployment: Any,
    wait: int,
    seed: np.random.SeedSequence,
) -> Trajectory:
    from mlopsim.delivery.walk import walk

    selector: Any
    if scenario.channel.signal.kind is SignalKind.ERRORS and not detector.control:
        selector = OnAlarm(detector=detector, wait=wait)
    else:
        selector = Replay(wait=wait).attach(decisions(world, alarms))
    return walk(selector, pool, deployment, np.zeros(1, np.int64), [seed])


def decisions(world: World, alarms: Sequence[int] | np.ndarray) -> np.ndarray:
    """Return at which decisions there is an alarm, bool (S,).

    The decision of step s follows window W - 1 + s; an alarm at a monitored row belongs to the decision after
    the row's window.
    """
    steps = world.windows - world.warmup
    rows = positions(alarms, "alarms") + world.bounds[world.warmup]
    step = np.searchsorted(world.bounds, rows, side="right") - 1 - (world.warmup - 1)
    found = np.zeros(steps, dtype=bool)
    found[step[step < steps]] = True
    return found
