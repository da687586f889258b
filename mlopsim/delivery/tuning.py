"""Tuning the free parameters of a selector within a budget of environment steps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from mlopsim.core.digest import canonical_json, plain
from mlopsim.core.errors import ConfigError, nearest
from mlopsim.core.registry import find
from mlopsim.core.spec import make
from mlopsim.delivery.pool import WorldPool
from mlopsim.delivery.search_space import (
    Choice,
    Weights,
    draw,
    merged,
    named,
    near,
    possible,
    space_of,
    value_of,
)
from mlopsim.delivery.selector import Selector
from mlopsim.delivery.successive_halving import ETA, distinct, rungs, size
from mlopsim.delivery.walk import walk

#: share of the budget for the choice among the finalists, and how many there are, the default included
FINAL_SHARE = 0.2
FINALISTS = 4
#: share of the search for the first, global draw; the rest refines around its best
GLOBAL_SHARE = 0.6
PARENTS = 6
WIDTH = 0.1
#: share of the pool that is kept for the final choice if there is no validation pool
HELD_BACK = 0.2
#: evolution of weights: candidates and scenarios a generation, share of parents
POPULATION = 40
GENERATION_SCENARIOS = 32
ELITE = 0.25


class Ranking(Protocol):
    """What candidates are ranked by beside their return."""

    def spent(self, costs: Mapping[str, np.ndarray], n: int) -> np.ndarray:
        """Return what it looks at, float64 (n, k), of the costs (n, T) of n roll-outs by constraint."""
        ...

    def rank(self, returns: np.ndarray, spent: np.ndarray) -> tuple[float, ...]:
        """Return what is greater for the better of two candidates, of (n,) and (n, k) in the same Worlds."""
        ...


class _ByReturn:
    """The mean return alone."""

    def spent(self, costs: Mapping[str, np.ndarray], n: int) -> np.ndarray:
        return np.zeros((n, 0))

    def rank(self, returns: np.ndarray, spent: np.ndarray) -> tuple[float, ...]:
        return (float(returns.mean()),)


@dataclass(kw_only=True)
class TuneResult:
    """What tuning found.

    Parameters
    ----------
    params : dict
        Values of all parameters that were given or free, in JSON types, for
        ``make("selector", name, **params)``.
    steps_used : int
        Environment steps that were taken, everything included; never more than the budget.
    history : list of dict
        One entry per evaluation in order: ``stage``, ``params`` (the free ones), ``scenarios`` and ``score``
        (mean return over them), ``steps`` (used so far); with ``by`` also ``rank``.
    rank : tuple of float, optional
        Of what was chosen, in the final choice; None: there was none.
    """

    params: dict[str, Any]
    steps_used: int
    history: list[dict[str, Any]] = field(default_factory=list)
    rank: tuple[float, ...] | None = None


def tune(
    name: str,
    fixed: Mapping[str, Any],
    free: Sequence[str],
    pool: WorldPool,
    deployment: Any,
    budget_steps: int,
    seed: np.random.SeedSequence,
    validation_pool: WorldPool | None = None,
    *,
    switches: int | None = None,
    by: Ranking | None = None,
) -> TuneResult:
    """Search a selector's free parameters for the highest mean return on training scenarios.

    Numbers and choices are searched by successive halving (Jamieson and Talwalkar, AISTATS 2016): candidates
    drawn from the selector's ``space``, the default among them, meet more and more scenarios, and one in four
    survives each rung; a second round starts around the best ones. Lists of weights are searched by the
    cross-entropy method (Rubinstein and Kroese 2004). The finalists, the default always among them, are
    compared on scenarios that the search has not seen.

    Parameters
    ----------
    name : str
        Name of the selector.
    fixed : dict
        Parameters that are given and stay.
    free : list of str
        Parameters to search; each needs an entry in the selector's ``space``. One of a part of the selector
        is named ``part.name``.
    pool : WorldPool
        Training scenarios.
    deployment : component of kind ``deployment``
        Parameters of the dynamics.
    budget_steps : int
        Environment steps that may be taken, search and final choice together.
    seed : numpy.random.SeedSequence
        Of candidates, scenario order and roll-outs; it is not changed.
    validation_pool : WorldPool, optional
        Scenarios for the final choice, also training ones; by default a fifth of ``pool`` is kept for it.
    switches : int, optional
        Which mechanisms of the deployment are on (:class:`mlopsim.delivery.mechanisms.Switch`).
    by : Ranking, optional
        What is searched for instead, such as the highest return within limits
        (:class:`mlopsim.governance.within.Within`): on every rung, and in the final choice.

    Returns
    -------
    TuneResult

    Raises
    ------
    ConfigError
        If a free parameter cannot be searched or is fixed, too, or the budget is negative.

    Notes
    -----
    Every candidate meets the same scenarios with the same seeds. A budget that does not allow two candidates
    leaves the defaults and uses nothing.
    """
    space = _check(name, fixed, free, budget_steps)
    # what has a number for each limit: whose limits they are is the deployment's to say
    limits = getattr(deployment, "limit_names", None)
    space = named(space, limits() if callable(limits) else ())
    start = _start(name, fixed, free)
    if not free:
        return TuneResult(params=plain(dict(fixed)), steps_used=0)
    search, final = _places(pool, validation_pool, _branch(seed, 0))
    trial = _Trial(name, dict(fixed), deployment, budget_steps, switches, by)
    arena = _Arena(trial, pool, search, _branch(seed, 1))
    judge = _Arena(trial, validation_pool or pool, final, _branch(seed, 2))
    reserved = int(FINAL_SHARE * budget_steps) // judge.steps
    per_finalist = min(len(final), reserved // FINALISTS)
    episodes = (budget_steps - per_finalist * FINALISTS * judge.steps) // arena.steps
    if per_finalist < 1 or episodes < 2:
        return TuneResult(params=plain(merged(name, {**start, **fixed})), steps_used=0)
    rng = np.random.default_rng(_branch(seed, 3))
    if any(isinstance(choice, Weights) for choice in space.values()):
        found = _evolve(arena, space, start, episodes, rng)
    else:
        found = _halve_twice(arena, space, start, episodes, rng)
    finalists = distinct([start, *found])[:FINALISTS]
    # the final choice gets what the search left over, too
    rest = (budget_steps - trial.used) // (judge.steps * len(finalists))
    ranks = [judge.score(params, min(len(final), rest), "final") for params in finalists]
    first = _best_first(ranks)[0]
    params = plain(merged(name, {**fixed, **finalists[first]}))
    return TuneResult(params=params, steps_used=trial.used, history=trial.history, rank=ranks[first])


def _best_first(ranks: Sequence[tuple[float, ...]]) -> list[int]:
    """Return the places of ranks, the greatest first; of equal ones the first."""
    return sorted(range(len(ranks)), key=lambda i: ranks[i], reverse=True)


def _check(name: str, fixed: Mapping[str, Any], free: Sequence[str], budget: int) -> dict[str, Choice]:
    cls = find("selector", name)
    known = space_of(make("selector", name, **fixed))
    for key in free:
        if key not in known:
            raise ConfigError(
                f"{cls.full_name} cannot tune '{key}'{nearest(key, known)}",
                remedy=f"what it can tune: {', '.join(known) or '(nothing)'}",
            )
        if key in fixed:
            raise ConfigError(f"{cls.full_name}.{key} is both fixed and free")
    if budget < 0:
        raise ConfigError(f"the tuning budget must be >= 0 steps, got {budget}")
    space = {key: known[key] for key in dict.fromkeys(free)}
    if len(space) > 1 and any(isinstance(choice, Weights) for choice in space.values()):
        raise ConfigError(f"{cls.full_name}: a list of weights is tuned alone", remedy="fix the others")
    return space


def _start(name: str, fixed: Mapping[str, Any], free: Sequence[str]) -> dict[str, Any]:
    """Return the default values of the free parameters."""
    default = make("selector", name, **fixed)
    return {key: value_of(default, key) for key in dict.fromkeys(free)}


def _branch(seed: np.random.SeedSequence, *keys: int) -> np.random.SeedSequence:
    """Return a child by number: unlike ``spawn``, this leaves the parent as it is."""
    return np.random.SeedSequence(seed.entropy, spawn_key=(*seed.spawn_key, *keys))


def _places(
    pool: WorldPool, validation: WorldPool | None, seed: np.random.SeedSequence
) -> tuple[np.ndarray, np.ndarray]:
    """Return the Worlds of the search and those of the final choice, in random order."""
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(pool))
    if validation is not None:
        return order, rng.permutation(len(validation))
    if len(pool) < 2:
        raise ConfigError("tuning needs at least 2 training scenarios", remedy="draw more of them")
    held = max(1, round(HELD_BACK * len(pool)))
    return order[held:], order[:held]


class _Trial:
    """Counts steps and keeps the history."""

    def __init__(
        self,
        name: str,
        fixed: dict[str, Any],
        deployment: Any,
        budget: int,
        switches: int | None,
        by: Ranking | None,
    ) -> None:
        self.name, self.fixed, self.deployment, self.budget = name, fixed, deployment, budget
        self._switches, self.by = switches, by
        self._ranking: Ranking = by or _ByReturn()
        self.used = 0
        self.history: list[dict[str, Any]] = []

    def build(self, params: Mapping[str, Any]) -> Selector:
        selector: Selector = make("selector", self.name, **merged(self.name, {**self.fixed, **params}))
        return selector

    def returns(
        self,
        selector: Selector,
        pool: WorldPool,
        which: np.ndarray,
        seeds: Sequence[np.random.SeedSequence],
    ) -> np.ndarray:
        """Return what a selector earns in these Worlds, and what it spends: float64 (n, 1 + k)."""
        on = None if self._switches is None else np.full(len(which), self._switches, dtype=np.int64)
        found = walk(selector, pool, self.deployment, which, seeds, switches=on)
        return np.concatenate([found.returns[:, None], self._ranking.spent(found.costs, len(which))], axis=1)

    def rank(self, values: np.ndarray) -> tuple[float, ...]:
        """Rank a candidate by what :meth:`returns` gave, (n, 1 + k)."""
        return self._ranking.rank(values[:, 0], values[:, 1:])


class _Arena:
    """Scenarios in a fixed order; what a candidate has walked is not walked again."""

    def __init__(
        self, trial: _Trial, pool: WorldPool, places: np.ndarray, seed: np.random.SeedSequence
    ) -> None:
        self.trial, self.pool, self.places, self.seed = trial, pool, places, seed
        self.steps = pool.steps
        self._returns: dict[str, np.ndarray] = {}

    def returns(self, params: Mapping[str, Any], positions: np.ndarray) -> np.ndarray:
        """Walk a candidate through the scenarios at ``positions`` of the order."""
        cost = len(positions) * self.steps
        self._afford(cost)
        seeds = [_branch(self.seed, int(position)) for position in positions]
        selector = self.trial.build(params)
        found = self.trial.returns(selector, self.pool, self.places[positions], seeds)
        self.trial.used += cost
        return found

    def together(
        self, key: str, draws: np.ndarray, positions: np.ndarray, stage: str
    ) -> list[tuple[float, ...]]:
        """Walk many lists of weights through the same scenarios at once; return their ranks."""
        population, count = len(draws), len(positions)
        cost = population * count * self.steps
        self._afford(cost)
        selector: Any = self.trial.build({key: [float(weight) for weight in draws[0]]})
        selector.spread(np.repeat(draws, count, axis=0))
        seeds = [_branch(self.seed, int(position)) for position in positions] * population
        which = np.tile(self.places[positions], population)
        returns = self.trial.returns(selector, self.pool, which, seeds)
        ranks = []
        for i, weights in enumerate(draws):
            self.trial.used += count * self.steps
            params = {key: [float(weight) for weight in weights]}
            ranks.append(self.note(params, returns[i * count : (i + 1) * count], stage))
        return ranks

    def _afford(self, cost: int) -> None:
        if self.trial.used + cost > self.trial.budget:
            raise AssertionError(f"tuning {self.trial.name} would exceed its budget")

    def score(self, params: Mapping[str, Any], count: int, stage: str) -> tuple[float, ...]:
        """Return the rank over the first ``count`` scenarios."""
        key = canonical_json(dict(params))
        known = self._returns.get(key)
        have = 0 if known is None else len(known)
        if known is None or count > have:
            more = self.returns(params, np.arange(have, count))
            known = more if known is None else np.concatenate([known, more])
            self._returns[key] = known
        return self.note(params, known[:count], stage)

    def note(self, params: Mapping[str, Any], values: np.ndarray, stage: str) -> tuple[float, ...]:
        """Enter an evaluation into the history; returns the rank."""
        rank = self.trial.rank(values)
        entry = {
            "stage": stage,
            "params": plain(dict(params)),
            "scenarios": len(values),
            "score": float(values[:, 0].mean()),
            "steps": self.trial.used,
        }
        self.trial.history.append(entry if self.trial.by is None else {**entry, "rank": list(rank)})
        return rank


def _halve(
    arena: _Arena, candidates: list[dict[str, Any]], ladder: Sequence[int], stage: str
) -> list[dict[str, Any]]:
    """Return the candidates of the last rung, best first, then those that fell before."""
    fallen: list[dict[str, Any]] = []
    alive, n = candidates, len(candidates)
    for k, count in enumerate(ladder):
        alive = alive[: -(-n // ETA**k)]
        ranks = [arena.score(params, count, f"{stage} {k}") for params in alive]
        ranked = [alive[i] for i in _best_first(ranks)]
        keep = -(-n // ETA ** (k + 1)) if k + 1 < len(ladder) else len(ranked)
        alive, fallen = ranked[:keep], ranked[keep:] + fallen
    return alive + fallen


def _halve_twice(
    arena: _Arena, space: dict[str, Choice], start: dict[str, Any], episodes: int, rng: np.random.Generator
) -> list[dict[str, Any]]:
    """Halve a global draw, then a draw around its best; return the finalists, best first."""
    most = size(space)
    share = episodes if most <= 64 else int(GLOBAL_SHARE * episodes)
    count, ladder = rungs(share, len(arena.places), most)
    drawn = [start]
    for _ in range(50 * count):
        if len(drawn) == count:
            break
        candidate = {key: draw(choice, rng) for key, choice in space.items()}
        if possible(arena.trial.build(candidate)):
            drawn = distinct([*drawn, candidate])
    before = arena.trial.used
    ranked = _halve(arena, drawn, ladder, "global")
    left = episodes - (arena.trial.used - before) // arena.steps
    if most <= len(drawn) or left < 1:
        return ranked[:FINALISTS]
    count, ladder = rungs(left, len(arena.places), most)
    parents = ranked[:PARENTS]
    # walked again on fewer or equally many scenarios, the parents cost little or nothing
    drawn = parents[: min(len(parents), count)]
    for attempt in range(50 * count):
        if len(drawn) >= count:
            break
        parent = parents[attempt % len(parents)]
        child = {key: near(choice, parent[key], WIDTH, rng) for key, choice in space.items()}
        if possible(arena.trial.build(child)):
            drawn = distinct([*drawn, child])
    return _halve(arena, drawn, ladder, "local")[:FINALISTS]


def _evolve(
    arena: _Arena, space: dict[str, Choice], start: dict[str, Any], episodes: int, rng: np.random.Generator
) -> list[dict[str, Any]]:
    """Search a list of weights by the cross-entropy method; return the finalists, best first."""
    (key, choice), *_ = space.items()
    assert isinstance(choice, Weights)
    population = min(POPULATION, max(2, episodes))
    count = min(GENERATION_SCENARIOS, len(arena.places), max(1, episodes // population))
    generations = episodes // (population * count)
    mean = np.asarray(start[key], dtype=np.float64)
    sigma = np.full(choice.size, choice.spread)
    elite = max(1, round(ELITE * population))
    means = []
    for generation in range(generations):
        draws = mean + sigma * rng.standard_normal((population, choice.size))
        draws[0] = mean
        # all candidates of a generation meet the same scenarios, every generation meets others
        positions = np.sort(rng.choice(len(arena.places), count, replace=False))
        ranks = arena.together(key, draws, positions, f"generation {generation}")
        parents = draws[_best_first(ranks)[:elite]]
        mean = parents.mean(axis=0)
        # a floor that falls keeps the search from collapsing on one lucky generation
        floor = 0.2 * choice.spread * (1.0 - (generation + 1) / generations)
        sigma = 0.4 * sigma + 0.6 * np.maximum(parents.std(axis=0), floor)
        means.append(mean)
    if not means:
        return []
    late = means[-max(1, generations // 4) :]
    candidates = [means[-1], np.mean(late, axis=0), means[2 * (generations - 1) // 3]]
    return [{key: [float(weight) for weight in weights]} for weights in candidates]
