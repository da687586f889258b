"""The oracle's answer for one roll-out: the optimum between a plan and a bound."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from mlopsim.core.errors import MlopsimError
from mlopsim.delivery.oracle.lagrange import MARGIN, Multipliers, lagrangian_bound
from mlopsim.delivery.oracle.linear_program import lp_bound
from mlopsim.delivery.oracle.lower_bound import feasible_plan, rounded, trained_by
from mlopsim.delivery.oracle.plan import Plan
from mlopsim.delivery.oracle.problem import Problem
from mlopsim.delivery.oracle.replay import replay_rewards
from mlopsim.delivery.oracle.search import STATES, search
from mlopsim.delivery.oracle.without_rollback import latest_only

#: roll-outs longer than this get the Lagrangian bound alone: the program's value in a fraction of its time
LP_WINDOWS = 200
#: evaluations of the dual: where it stands alone, and where it starts from the linear program
ALONE, AFTER_LP = 1500, 200
#: a search that leaves out some states is repeated with so many times more if it had at most twice too many
AGAIN = 5
#: the bracket is called exact when it is narrower
EXACT = 1e-9


@dataclass(frozen=True, kw_only=True)
class Bracket:
    """Lower and upper end of the clairvoyant optimum of a roll-out, in total reward over windows W..T-1.

    Parameters
    ----------
    lower : float
        What ``lower_plan`` earns in the real dynamics.
    upper : float
        No plan earns more. Shadow costs are not in it.
    lower_plan : ndarray of int64, shape (T - W,)
        Actions: 0 keep, 1..K deploy slot i - 1, K + 1 retrain.
    exact : bool
        Whether both ends agree within 1e-9: the optimum is then known.
    latest : float
        What the exact optimum without rollback (``latest_plan``) earns in the real dynamics.
    latest_plan : ndarray of int64, shape (T - W,)
        Its actions.
    never : float
        What never retraining earns.
    bound : str
        Where ``upper`` comes from: ``lp``, ``lagrange`` (the dual is lower than the program, or stands
        alone), ``search``, or ``latest`` with a single slot, where the latest-only optimum is the optimum.
    """

    lower: float
    upper: float
    lower_plan: np.ndarray
    exact: bool
    latest: float
    latest_plan: np.ndarray
    never: float
    bound: str

    @property
    def gap(self) -> float:
        """Width of the bracket, >= 0."""
        return self.upper - self.lower


def bracket(
    reward: np.ndarray,
    warmup: int,
    deployment: Any,
    *,
    blocked: np.ndarray | None = None,
    starts: Sequence[Sequence[int]] = (),
    effort: int = 4000,
    kicks: int = 8,
    states: int = STATES,
) -> Bracket:
    """Bracket the clairvoyant optimum of a roll-out.

    Upper end: the linear program's dual, evaluated safely (beyond 200 windows the Lagrangian dual alone).
    Lower end: the best plan of a local search from the latest-only optimum, the rounded linear program and
    ``starts``; always replayed through the dynamics. Where they do not meet, the dual also prices places in
    the registry, and a search through all plans that it does not rule out lowers the one or raises the other.

    Parameters
    ----------
    reward : ndarray of float64, shape (T, T)
        Reward of version v in window t, ``[v, t]``, costs aside (``world.metric(deployment.objective)``).
    warmup : int
        Number of warm-up windows W.
    deployment : component of kind ``deployment``
        The dynamics' parameters.
    blocked : ndarray of bool, shape (T,), optional
        Versions that a release gate rejects on arrival, whatever serves.
    starts : sequence of sequences of int, optional
        Further sets of versions to train from which the search for the lower end starts.
    effort : int, default 4000
        Largest number of serving problems that the search solves for one start.
    kicks : int, default 8
        How often the search disturbs its best plan and improves it again.
    states : int, default 4000
        States that the search through all plans keeps at one decision time; 0: no such search.

    Returns
    -------
    Bracket

    Raises
    ------
    ConfigError
        If the deployment has more than registry, delays and costs that changes what serves.
    MlopsimError
        If the oracle and the dynamics disagree about a plan (a bug, never hidden).

    Examples
    --------
    >>> from mlopsim.core.spec import make
    >>> params = {"label_delay": 0, "latency": 0, "retrain_cost": 0.5, "switch_cost": 0.0}
    >>> deployment = make("deployment", "standard", **params)
    >>> reward = np.where(np.arange(8)[:, None] >= 4, 1.0, 0.25) * np.ones((8, 8))
    >>> both = bracket(reward, 2, deployment)
    >>> both.lower, round(both.upper, 6), both.exact
    (3.25, 3.25, True)
    """
    deployment = deployment.unguarded()
    problem = Problem.of(reward, warmup, deployment, blocked=blocked)
    latest = latest_only(problem)
    sets = [trained_by(problem, latest.plan)]
    sets += [np.sort(np.asarray(versions, dtype=np.int64)) - problem.v0 for versions in starts]
    candidates = [(latest.value, latest.plan.actions(problem))]
    if problem.slots == 1:
        # nothing to roll back to: the latest-only optimum is the optimum
        upper, bound = latest.value + MARGIN, "latest"
    else:
        value, plan, upper, prices, bound = _first(problem, sets, latest.value, effort, kicks)
        candidates.append((value, plan.actions(problem)))
        lower = max(value, latest.value)
        if states and upper - lower > EXACT:
            for many in (states, AGAIN * states):
                found = search(problem, prices, lower, states=many)
                if found.upper < upper:
                    upper, bound = found.upper, "search"
                if found.actions is not None:
                    candidates.append((found.value, found.actions))
                    lower = max(lower, found.value)
                if upper - lower <= EXACT or found.widest > 2 * states:
                    break
    actions = np.array(
        [np.zeros(problem.T - problem.warmup, dtype=np.int64)] + [plan for _, plan in candidates]
    )
    played = replay_rewards(actions, reward, warmup, deployment, blocked=blocked)
    shadow = _observation_free(deployment)
    for row, (expected, _) in enumerate(candidates, start=1):
        if played.invalid[row].any() or (shadow and abs(played.returns[row] - expected) > 1e-8 * problem.T):
            raise MlopsimError(
                f"the oracle expects {expected!r} of a plan, the dynamics pay {float(played.returns[row])!r} "
                f"({int(played.invalid[row].sum())} impossible actions)",
                remedy="please report this, with the configuration: it is a bug",
            )
    best = int(np.argmax(played.returns))
    lower = float(played.returns[best])
    if lower > upper + 1e-8 * problem.T:
        raise MlopsimError(
            f"a plan earns {lower!r}, more than the bound {upper!r}",
            remedy="please report this, with the configuration: it is a bug",
        )
    # what is left is round-off
    upper = max(upper, lower)
    return Bracket(
        lower=lower,
        upper=upper,
        lower_plan=actions[best],
        exact=upper - lower <= EXACT,
        latest=float(played.returns[1]),
        latest_plan=actions[1],
        never=float(played.returns[0]),
        bound=bound,
    )


def _first(
    problem: Problem, sets: list[np.ndarray], latest: float, effort: int, kicks: int
) -> tuple[float, Plan, float, Multipliers, str]:
    """Return a plan and its value, a bound, the prices that gave it, and where it comes from."""
    if problem.T > LP_WINDOWS:
        value, plan = feasible_plan(problem, sets, effort=effort, kicks=kicks)
        upper, prices = lagrangian_bound(problem, max(value, latest), iterations=ALONE)
        return value, plan, upper, prices, "lagrange"
    relaxed = lp_bound(problem)
    sets = sets + [rounded(problem, relaxed.trained, threshold) for threshold in (0.05, 0.3, 0.5)]
    value, plan = feasible_plan(problem, sets, effort=effort, kicks=kicks, target=relaxed.bound)
    lower = max(value, latest)
    if relaxed.bound - lower > EXACT:
        upper, prices = lagrangian_bound(problem, lower, iterations=AFTER_LP, start=relaxed.multipliers)
        if upper < relaxed.bound:
            return value, plan, upper, prices, "lagrange"
    return value, plan, relaxed.bound, relaxed.multipliers, "lp"


def _observation_free(deployment: Any) -> bool:
    """Return whether observing costs nothing, so that the oracle's value must equal the replay's."""
    return bool(deployment.feedback.value != "shadow" or deployment.shadow_cost == 0.0)
