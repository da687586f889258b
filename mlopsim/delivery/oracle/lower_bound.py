"""The lower end of the bracket: the best feasible plan found."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mlopsim.core.errors import MlopsimError
from mlopsim.delivery.oracle.plan import RETRAIN, Plan
from mlopsim.delivery.oracle.problem import MONEY, Problem


def _arguments(problem: Problem) -> tuple[np.ndarray, np.ndarray]:
    shape = np.array(
        [problem.warmup, problem.label_delay, problem.latency, problem.slots, problem.canary_windows,
         problem.on_arrival],
        dtype=np.int64,
    )  # fmt: skip
    money = np.array(
        [problem.share, problem.switch_cost, problem.retrain_cost, problem.budget + MONEY], dtype=np.float64
    )
    return shape, money


def serving(problem: Problem, trained: np.ndarray) -> tuple[float, Plan]:
    """Serve as well as possible with a given set of retrains.

    Parameters
    ----------
    problem : Problem
        The roll-out.
    trained : ndarray of int64
        Candidate numbers (version - v0) of the retrained versions, ascending, without the initial version.

    Returns
    -------
    value : float
        Total reward as the dynamics would count it (shadow costs aside).
    plan : Plan
        It. The optimum for these retrains if arrivals deploy themselves and there are no canaries;
        otherwise a good plan, because the registry then depends on what served.

    Raises
    ------
    MlopsimError
        If the retrains are impossible together.
    """
    from mlopsim.delivery.oracle import _serving

    shape, money = _arguments(problem)
    trace = np.zeros((problem.T, 2), dtype=np.int64)
    trained = np.asarray(trained, dtype=np.int64)
    value = _serving.evaluate(problem.values, trained, shape, money, trace, _serving.NOWHERE)
    if value < _serving.NOWHERE / 2:
        raise MlopsimError("these retrains are impossible together")
    versions = problem.versions[np.concatenate([[0], trained])]
    deploys = [(int(t), int(versions[trace[t, 0]])) for t in np.flatnonzero(trace[:, 0] >= 0)]
    retrains = [int(v) + problem.label_delay for v in versions[1:]]
    return float(value), Plan.of(problem, retrains, deploys)


def trained_by(problem: Problem, plan: Plan) -> np.ndarray:
    """Return the candidate numbers that a plan trains, int64, ascending."""
    return np.flatnonzero(plan.intents == RETRAIN).astype(np.int64) - problem.label_delay


def rounded(problem: Problem, shares: np.ndarray, threshold: float) -> np.ndarray:
    """Round fractional training decisions: the allowed set with the largest sum of ``x - threshold``."""
    from mlopsim.delivery.oracle import _paths

    chosen = np.zeros(len(shares), dtype=np.bool_)
    _paths.train(np.where(shares > threshold, shares - threshold, 0.0), problem.gaps, chosen)
    return np.flatnonzero(chosen).astype(np.int64)


def affordable(problem: Problem, trained: np.ndarray) -> np.ndarray:
    """Keep the first retrains that the budget can pay."""
    unit = problem.retrain_cost + (problem.switch_cost if problem.on_arrival else 0.0)
    if unit * len(trained) <= problem.budget + MONEY:
        return trained
    return trained[: int((problem.budget + MONEY) / unit)]


def feasible_plan(
    problem: Problem,
    starts: Sequence[np.ndarray],
    *,
    effort: int = 4000,
    kicks: int = 8,
    target: float = float("inf"),
) -> tuple[float, Plan]:
    """Search for a good plan from several sets of retrains.

    Each set is served as well as possible, the best two are then improved by adding, dropping and
    shifting retrains, each move with its own best serving; then the winner is disturbed and improved
    again (iterated local search).

    Parameters
    ----------
    problem : Problem
        The roll-out.
    starts : sequence of ndarray of int64
        Sets of candidate numbers, ascending; those that are impossible are skipped.
    effort : int, default 4000
        Largest number of serving problems solved for one start.
    kicks : int, default 8
        How often the best set is disturbed (one to three retrains added or dropped at random, by a
        fixed seed) and improved again.
    target : float, default inf
        A known upper bound: the search ends where it is reached.

    Returns
    -------
    value : float
        Total reward of the best plan.
    plan : Plan
        It.
    """
    from mlopsim.delivery.oracle import _serving

    shape, money = _arguments(problem)
    values = problem.values
    usable = problem.firsts < problem.T
    usable[0] = False
    trace = np.zeros((problem.T, 2), dtype=np.int64)
    scored: list[tuple[float, np.ndarray]] = []
    for start in [np.zeros(0, dtype=np.int64), *starts]:
        trained = np.asarray(start, dtype=np.int64)
        trained = affordable(problem, trained[usable[trained]])
        scored.append((_serving.evaluate(values, trained, shape, money, trace, _serving.NOWHERE), trained))
    order = sorted(range(len(scored)), key=lambda i: -scored[i][0])
    best, trained = scored[order[0]]
    rng = np.random.default_rng(0)
    for kick in range(2 + kicks):
        if best >= target - 1e-9:
            break
        begin = scored[order[min(kick, len(order) - 1)]][1] if kick < 2 else disturbed(problem, trained, rng)
        begin = affordable(problem, begin[usable[begin]])
        value, chosen = _serving.climb(values, begin, usable, problem.spacing, 4, effort, shape, money)
        if value > best + 1e-12:
            best, trained = value, chosen
    return serving(problem, trained)


def disturbed(problem: Problem, trained: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Add or drop one to three retrains at random; what is too near to an added one is dropped."""
    kept = [int(v) for v in trained]
    for _ in range(int(rng.integers(1, 4))):
        if len(problem.versions) < 2 or (kept and rng.random() < 0.5):
            if kept:
                kept.pop(int(rng.integers(len(kept))))
        else:
            new = int(rng.integers(1, len(problem.versions)))
            kept = sorted([v for v in kept if abs(v - new) >= problem.spacing] + [new])
    return np.array(kept, dtype=np.int64)
