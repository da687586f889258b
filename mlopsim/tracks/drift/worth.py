"""What alarms are worth: a detector as the retrain trigger of a deployment."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, ClassVar, cast

import numpy as np

from mlopsim.core.digest import canonical_json
from mlopsim.core.spec import make
from mlopsim.core.track import Cell, FitResult, Outcome
from mlopsim.delivery.selector import View
from mlopsim.delivery.selectors.on_alarm import OnAlarm
from mlopsim.delivery.selectors.trigger import Trigger
from mlopsim.drift.detector import Detector
from mlopsim.drift.positions import positions
from mlopsim.drift.scenario import Scenario
from mlopsim.drift.signal import SignalKind
from mlopsim.tracks.drift.controls import is_upper
from mlopsim.world.spec import WorldSpec

if TYPE_CHECKING:
    from mlopsim.delivery.pool import WorldPool
    from mlopsim.delivery.selector import Selector
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
        """Give it the decisions at which there is an alarm, bool (n, S)."""
        self._alarms = alarms
        return self

    def alarm(self, view: View) -> np.ndarray:
        """Look the alarm up."""
        found: np.ndarray = self._alarms[:, self.step]
        return found


@lru_cache(maxsize=8)
def _opened(content: str) -> tuple[World, WorldPool, Any]:
    import json

    from mlopsim.delivery.scenarios import pool_of
    from mlopsim.world.cache import open_worlds

    parts = json.loads(content)
    deployments = [make("deployment", part.pop("deployment")) for part in parts]
    worlds = open_worlds([WorldSpec(**part) for part in parts])
    return worlds[0], pool_of(worlds, deployments[0]), deployments[0]


def add_worth(
    outcome: Outcome,
    cell: Cell,
    runs: Sequence[tuple[Detector, np.ndarray] | None],
    main: int,
    arl0: np.ndarray,
    scenario: Scenario,
    wait: int | None,
    tuned: FitResult | None,
    seed: np.random.SeedSequence,
) -> None:
    """Roll a deployment out with a detector as retrain trigger; add ``return``, ``retrains``, ``wait`` and U.

    U and the return of the oracle's plan, the two ends between which the optimum lies, stand in the cells of
    the control that is the upper end of the scale, the clairvoyant.

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
    arl0 : ndarray of float64, shape (A,)
        What was asked of each.
    scenario : Scenario
        What the detector read.
    wait : int or None
        Windows between an alarm and the retrain; None: those that were tuned.
    tuned : FitResult or None
        Of :func:`mlopsim.tracks.drift.wait_tuning.tune_wait`, where ``wait`` is None.
    seed : SeedSequence
        Of the detector.
    """
    world, pool, deployment = _opened(canonical_json([_content(cell)]))
    returns, retrains = np.full(len(runs), np.nan), np.full(len(runs), np.nan)
    waits = np.full(len(runs), math.nan if wait is None else float(wait))
    if wait is None:
        assert tuned is not None
        waits = tuned.arrays["wait"]
    for number, run in enumerate(runs):
        if run is None or math.isnan(waits[number]):
            continue
        detector, alarms = run
        trajectory = roll_out(
            detector, [alarms], scenario, pool, deployment, [int(waits[number])], [0], [seed]
        )
        returns[number] = float(np.mean(trajectory.reward[0]))
        retrains[number] = float(trajectory.retrained[0].sum())
    found = {"return": returns[main], "retrains": retrains[main], "wait": waits[main]}
    if tuned is not None:
        best = int(tuned.arrays["best"][0])
        found |= {"return_best": returns[best], "retrains_best": retrains[best], "wait_best": waits[best]}
        found["arl0_best"] = arl0[best]
    for name, value in found.items():
        outcome.metrics[name] = float(value)
        if not math.isnan(value):
            outcome.reasons.pop(name, None)
    outcome.curves |= {"by_arl0_return": returns, "by_arl0_wait": waits}
    if tuned is not None:
        outcome.curves |= {"waits": tuned.arrays["waits"], "wait_return": tuned.arrays["wait_return"][main]}
    run = runs[main]
    if run is not None and is_upper(run[0]):
        from mlopsim.delivery.oracle.bracket import bracket

        both = bracket(pool.square("reward", 0), world.warmup, deployment)
        outcome.metrics |= {"upper": both.upper / pool.steps, "lower": both.lower / pool.steps}
        for name in ("upper", "lower"):
            outcome.reasons.pop(name, None)
    else:
        for name in ("upper", "lower"):
            outcome.reasons[name] = "only the clairvoyant's cell holds the bound"


def roll_out(
    detector: Detector,
    alarms: Sequence[np.ndarray],
    scenario: Scenario,
    pool: WorldPool,
    deployment: Any,
    waits: Sequence[int],
    which: Sequence[int],
    seeds: Sequence[np.random.SeedSequence],
) -> Trajectory:
    """Roll a deployment out over some Worlds with one detector as retrain trigger, with each of some waits.

    Parameters
    ----------
    detector : Detector
        With its limit.
    alarms : sequence of ndarray of int64
        Its alarms on the scenario of each World, in rows: what is looked up where it does not run along.
    scenario : Scenario
        One of them; all are seen through the same channel.
    pool, deployment
        See :func:`mlopsim.delivery.walk.walk`.
    waits : sequence of int
        W numbers of windows between an alarm and the retrain.
    which : sequence of int
        The k Worlds, by place in the pool.
    seeds : sequence of SeedSequence
        One a World.

    Returns
    -------
    Trajectory
        Of ``k * W`` roll-outs: all waits of the first World, then those of the second.
    """
    from mlopsim.delivery.walk import walk

    selector: Trigger
    if scenario.channel.signal.kind is SignalKind.ERRORS and not detector.control:
        selector = OnAlarm(detector=detector)
    else:
        found = [decisions(pool.world(int(i)), rows) for i, rows in zip(which, alarms, strict=True)]
        selector = Replay().attach(np.repeat(np.array(found), len(waits), axis=0))
    selector = selector.with_waits(np.tile(np.array(waits, dtype=np.int64), len(which)))
    worlds = np.repeat(np.array(which, dtype=np.int64), len(waits))
    return walk(cast("Selector", selector), pool, deployment, worlds, [seed for seed in seeds for _ in waits])


def training_pool(cells: Sequence[Cell]) -> tuple[WorldPool, Any]:
    """Return the Worlds of cells of one task and their deployment."""
    _, pool, deployment = _opened(canonical_json([_content(cell) for cell in cells]))
    return pool, deployment


def _content(cell: Cell) -> dict[str, Any]:
    names = ("stream", "learner", "training", "deployment")
    return {name: cell.task.part[name] for name in names} | {
        "split": cell.split,
        "index": cell.seed,
        "root": cell.root,
    }


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
