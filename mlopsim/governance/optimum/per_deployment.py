"""The optimum of one deployment that keeps its own limits, between a plan and a bound."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mlopsim.core.errors import MlopsimError
from mlopsim.delivery.oracle.bracket import AFTER_LP, ALONE, EXACT, LP_WINDOWS
from mlopsim.delivery.oracle.lagrange import lagrangian_bound
from mlopsim.delivery.oracle.lower_bound import rounded
from mlopsim.delivery.oracle.problem import Problem
from mlopsim.governance.optimum.bound import bound_by_price, constrained_bound
from mlopsim.governance.optimum.case import Case, Played
from mlopsim.governance.optimum.constrained import TOLERANCE, nothing_meets
from mlopsim.governance.optimum.serving import Server


@dataclass(frozen=True, kw_only=True)
class LimitedBracket:
    """Both ends of what a clairvoyant earns in one deployment within its limits, in total reward.

    Parameters
    ----------
    lower : float
        What ``actions`` earns in the real dynamics; NaN where no plan within the limits was found.
    upper : float
        No plan within the limits earns more.
    actions : ndarray of int64, shape (S,), or None
        The plan.
    cost : float
        What the plan costs in total; NaN without one.
    price : float
        Of the cost in the bound: what one more unit of it is worth at most. 0 without a limit on the mean.
    """

    lower: float
    upper: float
    actions: np.ndarray | None
    cost: float
    price: float

    @property
    def gap(self) -> float:
        """Width of the bracket; NaN without a plan."""
        return self.upper - self.lower

    @property
    def exact(self) -> bool:
        """Whether both ends agree within 1e-9."""
        return bool(self.gap <= EXACT)


def limited_bracket(case: Case, *, effort: int = 600, kicks: int = 2) -> LimitedBracket:
    """Bracket the optimum of one roll-out within its own limits.

    Upper end: the linear program with the rows of the limits, and the oracle's dual at the price that it
    finds (beyond 200 windows the best price of the dual, by golden section). Lower end: a search over
    retrains, each served as well as possible within the limits; without such a search where there are
    canaries, then the best of never acting and suspending.

    Parameters
    ----------
    case : Case
        The roll-out.
    effort, kicks : int
        Of :meth:`mlopsim.governance.optimum.serving.Server.search`.

    Returns
    -------
    LimitedBracket

    Raises
    ------
    ConfigError
        If nothing meets the limits.
    MlopsimError
        If the oracle and the dynamics disagree about a plan (a bug, never hidden).

    Examples
    --------
    >>> from mlopsim.core.spec import make
    >>> deployment = make("deployment", "standard", switch_cost=0.0, label_delay=0, latency=0)
    >>> case = Case.bare(np.full((12, 12), 0.9), 2, deployment, cost=np.ones((12, 12)), limit=0.25,
    ...                  fallback=np.full(12, 0.4))
    >>> both = limited_bracket(case)
    >>> round(both.lower, 6), round(both.upper, 6), both.cost
    (5.0, 5.25, 2.0)
    """
    one, problem = case.constrained, case.constrained.problem
    limited = bool(np.isfinite(one.limit))
    starts: list[np.ndarray] = []
    price = 0.0
    if problem.T <= LP_WINDOWS:
        relaxed = constrained_bound(one)
        upper, price = relaxed.bound, float(relaxed.prices[0]) if limited else 0.0
        starts = [rounded(problem, relaxed.trained, threshold) for threshold in (0.05, 0.3, 0.5)]
    plans = [played for played in (case.never(), case.suspended()) if played is not None]
    if problem.share == 1:
        server = Server(constrained=one)
        if price > 0.0:
            # what is worth training at that price
            starts.append(Server(constrained=one, price=price, counted=False).search(starts, kicks=0)[1])
        target = upper if problem.T <= LP_WINDOWS else float("inf")
        served, _ = server.search(starts, effort=effort, kicks=kicks, target=target)
        if np.isfinite(served.value):
            plans.append(_checked(case, served.intents, served.value))
    kept = [played for played in plans if played.within[0] and played.cost[0] <= one.allowance + TOLERANCE]
    best = max(kept, key=lambda played: float(played.value[0]), default=None)
    lower = float("nan") if best is None else float(best.value[0])
    # a target of the dual, which sets the length of its steps only
    aim = upper - 1.0 if problem.T <= LP_WINDOWS else float(problem.values.sum(axis=1).min())
    aim = lower if best is not None else aim
    if problem.T > LP_WINDOWS:

        def free(changed: Problem) -> float:
            return lagrangian_bound(changed, aim, iterations=ALONE)[0]

        if limited:
            upper, price = bound_by_price(one, free, most=one.penalty)
        else:
            upper = free(one.priced(0.0))
    elif one.run is None and not upper - aim <= EXACT:
        worth = price * one.allowance if limited else 0.0
        better, _ = lagrangian_bound(
            one.priced(price), aim - worth, iterations=AFTER_LP, start=relaxed.multipliers
        )
        upper = min(upper, worth + better)
    if best is None and upper < -one.penalty / 2:
        # the penalty of what is forbidden is in the bound
        raise nothing_meets("of this deployment")
    if lower > upper + 1e-8 * problem.T:
        raise MlopsimError(
            f"a plan earns {lower!r}, more than the bound {upper!r}",
            remedy="please report this, with the configuration: it is a bug",
        )
    return LimitedBracket(
        lower=lower,
        upper=upper if best is None else max(upper, lower),
        actions=None if best is None else best.actions[0],
        cost=float("nan") if best is None else float(best.cost[0]),
        price=price,
    )


def _checked(case: Case, intents: np.ndarray, expected: float) -> Played:
    """Return a plan as the dynamics pay it; shadow evaluations aside, that is what was expected."""
    played = case.play(intents[None])
    deployment = case.deployment
    free = deployment.feedback.value != "shadow" or deployment.shadow_cost == 0.0
    if free and abs(float(played.value[0]) - expected) > 1e-8 * case.pool.windows:
        raise MlopsimError(
            f"the oracle expects {expected!r} of a plan, the dynamics pay {float(played.value[0])!r}",
            remedy="please report this, with the configuration: it is a bug",
        )
    return played
