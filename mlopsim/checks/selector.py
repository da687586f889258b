"""Contract checks of selectors: run by ``mlopsim check`` and the test-suite alike.

Rules and agents get hand-made views without a World behind them, so that there is nothing to be read but what
is published. Agents of the package act with a random network; an agent of somebody else is trained for
a few steps.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from mlopsim.checks.base import Check, identical, own_randomness, require
from mlopsim.checks.selector_views import FIRST, answers, interface_of, random_views, redrawn, rows_of
from mlopsim.core.errors import ConfigError, MlopsimError
from mlopsim.core.spec import make
from mlopsim.delivery.search_space import (
    Choice,
    Each,
    Range,
    Weights,
    admits,
    draw,
    merged,
    near,
    possible,
    space_of,
    value_of,
)
from mlopsim.delivery.selector import READS, Interface, View

#: slots and switches of the deployments that every selector is tried in
SETTINGS: tuple[dict[str, Any], ...] = (
    {"slots": 1, "label_delay": 0},
    {"slots": 3, "label_delay": 2, "latency": 1},
    {"slots": 4, "label_delay": 1, "deploy_on_arrival": False},
)
#: prime, so that what returns every second or third decision does not look as if it were reset
WALKS, STEPS = 7, 23
#: environment steps for which an agent of somebody else is trained
AGENT_STEPS = 256


def is_agent(cls: type[Any]) -> bool:
    """Say whether a selector needs a trained agent."""
    return bool(getattr(cls, "agent", False))


def draws(cls: type[Any], count: int) -> list[dict[str, Any]]:
    """Return the default parameters and some drawn from the selector's space."""
    rng = np.random.default_rng(1)
    found: list[dict[str, Any]] = [{}]
    for _ in range(count if _space(cls) else 0):
        params: dict[str, Any] = {}
        for key, choice in _space(cls).items():
            if isinstance(choice, Weights):
                params[key] = [float(w) for w in rng.standard_normal(choice.size)]
            else:
                params[key] = draw(choice, rng)
        if possible(make("selector", cls.name, **merged(cls.name, params))):
            found.append(params)
    return found


def ready(cls: type[Any], interface: Interface, params: dict[str, Any]) -> Any:
    """Build a selector; give an agent a network for this interface."""
    selector = make("selector", {cls.name: merged(cls.name, params)})
    if is_agent(cls):
        selector.load(_fit(cls, interface))
    return selector


def _space(cls: type[Any]) -> dict[str, Choice]:
    return space_of(cls())


def _fit(cls: type[Any], interface: Interface) -> Any:
    if hasattr(cls, "untrained"):
        return cls.untrained(interface, np.random.default_rng(0))
    return _short_training(cls, interface)


def _short_training(cls: type[Any], interface: Interface) -> Any:
    from mlopsim.core.track import FitResult
    from mlopsim.delivery.pool import WorldPool
    from mlopsim.world.build import build_world
    from mlopsim.world.spec import WorldSpec

    stream = {"synthetic": {"windows": 16, "rows": 20, "warmup": 4}}
    worlds = [build_world(WorldSpec.of(stream, "ridge", "last", index=i)) for i in range(2)]
    pool = WorldPool(worlds, interface.deployment.objective)
    fit = cls().train(pool, interface.deployment, AGENT_STEPS, np.random.SeedSequence(0))
    require(isinstance(fit, FitResult), f"train() returns {type(fit).__name__}", remedy="return a FitResult")
    return fit


@dataclass(frozen=True, kw_only=True)
class _Case:
    """A selector, a deployment, and what is seen of it."""

    selector: Any
    interface: Interface
    views: list[View]
    number: int


def _cases(cls: type[Any], *, more: int = 2) -> Iterator[_Case]:
    """Yield every setting with the default parameters and ``more`` drawn ones."""
    from mlopsim.delivery.agents.selector import Agent

    for number, setting in enumerate(SETTINGS):
        if is_agent(cls) and not (issubclass(cls, Agent) or hasattr(cls, "untrained")) and number != 1:
            continue  # each would be a training
        interface = interface_of(horizon=STEPS, **setting)
        for params in draws(cls, more):
            views = random_views(interface, WALKS, STEPS, number)
            yield _Case(
                selector=ready(cls, interface, params), interface=interface, views=views, number=number
            )


def _actions(cls: type[Any]) -> None:
    for case in _cases(cls):
        given = answers(case.selector, case.views)
        last = case.interface.retrain
        require(
            bool(((given >= 0) & (given <= last)).all()),
            f"answers {given.min()}..{given.max()}: actions are 0..{last}",
        )


def _deterministic(cls: type[Any]) -> None:
    for case in _cases(cls):
        selector, views = case.selector, case.views
        with own_randomness():
            first = answers(selector, views)
            again = answers(selector, views)
        require(
            identical(first, again),
            "gives other answers after a reset with the same seeds",
            remedy="set all state in reset(), and draw from its seeds only",
        )
        if not is_agent(cls):
            params = {f.name: getattr(selector, f.name) for f in dataclasses.fields(selector) if f.init}
            other = answers(type(selector)(**params), views)
            require(identical(first, other), "a new object with the same parameters answers otherwise")


def _causal(cls: type[Any]) -> None:
    half = STEPS // 2
    for case in _cases(cls, more=1):
        fork = random_views(case.interface, WALKS, STEPS, case.number, fork=half)
        one, other = answers(case.selector, case.views), answers(case.selector, fork)
        require(
            identical(one[:, :half], other[:, :half]),
            "two roll-outs that look the same so far get different answers: something of another roll-out, "
            "or of the future, is known",
            remedy="forget everything in reset()",
        )


def _independent(cls: type[Any]) -> None:
    for case in _cases(cls):
        selector, views = case.selector, case.views
        together = answers(selector, views)
        message = "the answer for a deployment depends on the deployments beside it"
        remedy = "combine arrays element by element along the first axis only"
        for i in range(WALKS):
            require(
                identical(together[[i]], answers(selector, views, [i])),
                f"{message} (alone: other answers)",
                remedy=remedy,
            )
        some = [WALKS - 1, 2, 0]
        require(
            identical(together[some], answers(selector, views, some)),
            f"{message} (in another order: other answers)",
            remedy=remedy,
        )


def _view_unchanged(cls: type[Any]) -> None:
    for case in _cases(cls, more=1):
        selector, views = case.selector, case.views
        seeds = np.random.SeedSequence(3).spawn(WALKS)
        selector.reset(WALKS, views[0].interface, seeds)
        for view in views:
            given, before = rows_of(view, range(WALKS)), rows_of(view, range(WALKS))
            selector.act(given)
            for name in ("t", "obs", "mask", "versions", "serving", "errors"):
                require(
                    identical(getattr(given, name), getattr(before, name)),
                    f"changes view.{name}",
                    remedy="copy an array before writing into it",
                )
            require(vars(given).keys() == vars(before).keys(), "stores something in the view")
        require(
            all(seed.n_children_spawned == 0 for seed in seeds),
            "spawns from the seeds that it was given, so the next roll-out with them would differ",
            remedy="np.random.default_rng(seed), or a copy of the seed",
        )


def _errors_unused(cls: type[Any]) -> None:
    if getattr(cls(), "uses_errors", True):
        return
    for case in _cases(cls, more=1):
        selector, views = case.selector, case.views
        require(
            identical(answers(selector, views), answers(selector, views, errors=False)),
            "says uses_errors = False, but reads view.errors",
            remedy="remove uses_errors",
        )


def _memoryless(cls: type[Any]) -> None:
    """One that says so answers alike without a past, for some rows only, and whatever the seeds."""
    if not getattr(cls(), "memoryless", False):
        return
    for case in _cases(cls, more=1):
        selector, views = case.selector, case.views
        usual = answers(selector, views)
        some = [WALKS - 1, 0, 2]
        selector.reset(len(some), case.interface, np.random.SeedSequence(77).spawn(len(some)))
        for step in range(len(views) - 1, -1, -2):
            require(
                identical(usual[some, step], selector.act(rows_of(views[step], some))),
                "says memoryless = True, but what it saw or drew before changes its answer",
                remedy="remove memoryless",
            )


def _believed(cls: type[Any]) -> None:
    """What it chose by has a number for each action and is another array at each answer."""
    if not getattr(cls, "believes", ""):
        return
    for case in _cases(cls, more=1):
        selector, views = case.selector, case.views
        selector.reset(WALKS, case.interface, np.random.SeedSequence(0).spawn(WALKS))
        before = None
        for view in views[:3]:
            selector.act(rows_of(view, range(WALKS)))
            found = selector.believed
            shape = (WALKS, case.interface.slots + 2)
            require(
                found.shape == shape and not np.isnan(found).any(),
                f"believed has the shape {found.shape} or holds NaN: {shape} numbers are due",
            )
            require(found is not before, "believed is the array of the last answer, written over")
            before = found


def _facts(cls: type[Any]) -> None:
    selector = cls()
    for name in ("family", "known"):
        value = getattr(selector, name, "-")
        require(isinstance(value, str) and value != "", f"{name} is {value!r}", remedy="a text")
    for name in ("control", "always_listed"):
        value = getattr(selector, name, False)
        require(isinstance(value, bool), f"{name} is {value!r}", remedy="a bool")


def _reads(cls: type[Any]) -> None:
    """Answers stay when what is said not to be read is drawn anew."""
    for case in _cases(cls, more=1):
        reads = getattr(case.selector, "reads", None)
        if reads is None:
            return
        require(reads in READS, f"reads is {reads!r}", remedy=f"one of: {', '.join(READS)}")
        usual = answers(case.selector, case.views)
        unread: dict[Literal["labels", "inputs"], bool] = {
            "labels": READS[reads] == "none",
            "inputs": reads in ("nothing", "errors"),
        }
        for what, without in unread.items():
            if without:
                require(
                    identical(usual, answers(case.selector, redrawn(case.views, what))),
                    f"says reads = '{reads}', but its answers change with the {what}",
                    remedy="reads: say all that it reads",
                )


def _seen_from_start(cls: type[Any]) -> None:
    """A registry of one slot, one roll-out and one decision is a deployment, too."""
    interface = interface_of(slots=SETTINGS[1]["slots"], horizon=1)
    views = random_views(interface, 1, 1, 0)
    require(int(views[0].t[0]) == FIRST, "the first view is that of the first decision")
    answers(ready(cls, interface, {}), views)


def _searchable(cls: type[Any]) -> None:
    names = {field.name for field in dataclasses.fields(cls) if field.init}
    default = cls()
    rng = np.random.default_rng(0)
    for key, choice in _space(cls).items():
        require(key.partition(".")[0] in names, f"space names '{key}', which is no parameter")
        require(
            isinstance(choice, tuple | Range | Weights | Each),
            f"space['{key}'] is {choice!r}",
            remedy="a tuple or Range",
        )
        value = value_of(default, key)
        require(admits(choice, value), f"the default {key}={value!r} lies outside of space['{key}']")
        if isinstance(choice, Weights):
            require(len(_space(cls)) == 1, f"space['{key}'] is a list of weights, which is searched alone")
            require(
                callable(getattr(cls, "spread", None)), "a list of weights needs the method spread(weights)"
            )
            continue
        for _ in range(20):
            value = draw(choice, rng)
            require(
                admits(choice, near(choice, value, 0.3, rng)), f"space['{key}'] leaves itself near {value!r}"
            )
            try:
                make("selector", cls.name, **merged(cls.name, {key: value}))
            except MlopsimError as error:
                require(False, f"space['{key}'] holds {value!r}, which is refused: {error.message}")


def _untrained(cls: type[Any]) -> None:
    if not is_agent(cls):
        return
    for method in ("train", "load"):
        require(callable(getattr(cls, method, None)), f"an agent needs the method {method}()")
    interface = interface_of(horizon=STEPS, **SETTINGS[1])
    try:
        cls().reset(1, interface, np.random.SeedSequence(0).spawn(1))
    except ConfigError as error:
        require(error.remedy is not None, "the error of an agent without a fit names no remedy")
        return
    require(False, "starts without having been trained", remedy="raise ConfigError in reset()")


CHECKS = [
    Check(name="space", text="space names parameters and holds their defaults", run=_searchable),
    Check(name="untrained", text="an agent without a fit is refused with a remedy", run=_untrained),
    Check(name="actions", text="answers are actions, one per roll-out", run=_actions),
    Check(name="small", text="rolls out one deployment for one decision", run=_seen_from_start),
    Check(
        name="deterministic",
        text="the same seeds give the same answers, after a reset too",
        run=_deterministic,
    ),
    Check(name="causal", text="the same past gives the same answers, whatever comes", run=_causal),
    Check(name="independent", text="roll-outs do not influence one another", run=_independent),
    Check(name="view", text="what it is shown stays as it is", run=_view_unchanged),
    Check(name="errors", text="uses_errors is true to what it reads", run=_errors_unused),
    Check(name="memoryless", text="memoryless is true to what it remembers and draws", run=_memoryless),
    Check(name="believed", text="what it chose by has a number for each action", run=_believed),
    Check(name="facts", text="family, known, control and always_listed are what tables can show", run=_facts),
    Check(name="reads", text="answers do not change with what it says it does not read", run=_reads),
]
