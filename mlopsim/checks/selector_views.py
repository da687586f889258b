"""Views for the contract checks of selectors: no World behind them, every combination of what can be seen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from functools import partial
from typing import Any, Literal

import numpy as np

from mlopsim.checks.base import ContractError
from mlopsim.delivery.features import OF_INPUTS, OF_LABELS, feature_names
from mlopsim.delivery.inputs import Feed, Rows
from mlopsim.delivery.selector import Interface, Selector, View

#: features that are 0 or 1
FLAGS = ("known", "filled", "in_flight", "seen", "can_retrain", "canary", "serving", "candidate")
#: columns of ``View.errors``
ROWS = 12
#: first decision time
FIRST = 4

_PUBLISHED = tuple(field.name for field in fields(View))


class PublishedView(View):
    """A view that names the culprit when something is read that no deployment publishes."""

    def __getattr__(self, name: str) -> Any:
        """Only called for names that do not exist."""
        raise ContractError(
            f"reads view.{name}, which is not published",
            remedy=f"a view has: {', '.join(_PUBLISHED)}, view['feature'], slots()",
        )

    def __getitem__(self, name: str) -> np.ndarray:
        """Return the column of a named feature."""
        if name not in self.interface.names:
            raise ContractError(
                f"reads the feature '{name}', which is not published",
                remedy="see mlopsim.delivery.features for the names",
            )
        return super().__getitem__(name)


def interface_of(slots: int, horizon: int, **setting: Any) -> Interface:
    """Return an interface with the published feature names."""
    from mlopsim.delivery.deployments.standard import Standard

    deployment = Standard(slots=slots, **setting)
    return Interface(names=feature_names(slots), slots=slots, horizon=horizon, deployment=deployment)


def random_views(
    interface: Interface, n: int, steps: int, seed: int, *, fork: int | None = None
) -> list[View]:
    """Return views of n roll-outs that hang together no more than versions and time require.

    Parameters
    ----------
    interface : Interface
        Slots, names and deployment.
    n : int
        Number of roll-outs.
    steps : int
        Number of decisions.
    seed : int
        Of everything.
    fork : int, optional
        From this decision on everything is drawn anew; before it, lists with and without a fork are equal.

    Returns
    -------
    list of View
    """
    rng = np.random.default_rng(seed)
    feed = random_inputs(n, steps, seed, fork)
    slots, names = interface.slots, interface.names
    flags = [i for i, name in enumerate(names) if name.split("_", 1)[-1] in FLAGS or name in FLAGS]
    versions = np.full((n, slots), -1, np.int64)
    versions[:, 0] = FIRST
    views: list[View] = []
    serving = np.zeros(n, np.int64)
    for step in range(steps):
        if step == fork:
            rng = np.random.default_rng([seed, 1])
        t = FIRST + step
        arrives = rng.random(n) < 0.2
        for i in np.flatnonzero(arrives & (versions[:, 0] < t - 1)):
            versions[i] = [t - 1, *versions[i, :-1]]
            serving[i] = 0
        filled = versions >= 0
        moved = rng.random(n) < 0.1
        serving = np.where(moved, (rng.random(n) * filled.sum(axis=1)).astype(np.int64), serving)
        obs = rng.random((n, len(names))).astype(np.float32)
        obs[:, flags] = obs[:, flags] > 0.5
        mask = rng.random((n, slots + 2)) < 0.6
        mask[:, 0] = True
        mask[:, 1:-1] &= filled
        mask[np.arange(n), 1 + serving] = False
        errors = np.full((n, ROWS), -1, np.int8)
        if step > interface.deployment.label_delay:
            errors = (rng.random((n, ROWS)) < rng.random((n, 1))).astype(np.int8)
            errors[rng.random((n, ROWS)) < 0.2] = -1
        views.append(
            PublishedView(
                interface=interface,
                t=np.full(n, t),
                obs=obs,
                mask=mask,
                versions=versions.copy(),
                serving=serving.copy(),
                errors=errors,
                inputs=feed.at(np.full(n, t), versions[np.arange(n), serving]),
            )
        )
    return views


def random_inputs(n: int, steps: int, seed: int, fork: int | None = None, *, phase: int = 4) -> Feed:
    """Return inputs of n deployments whose law moves in every fifth window; see :func:`random_views`.

    ``phase``: the first window in which it does.
    """

    def rows_of_walk(i: int) -> np.ndarray:
        drawn = []
        for t in range(FIRST + steps):
            late = fork is not None and t >= FIRST + fork
            rng = np.random.default_rng([seed, 2, i, t, int(late)])
            drawn.append(rng.normal(size=(ROWS, 2)) + 3.0 * (t % 5 == phase))
        return np.concatenate(drawn)

    windows = FIRST + steps
    bounds = np.arange(windows + 1) * ROWS
    start = np.maximum(np.arange(windows) - 2, 0)

    def answers(i: int, v: int) -> np.ndarray:
        return np.asarray(rows_of_walk(i)[:, v % 2])

    return Feed([Rows(partial(rows_of_walk, i), bounds, start, i, partial(answers, i)) for i in range(n)])


def rows_of(view: View, which: Sequence[int], *, errors: bool = True) -> View:
    """Return a view of some roll-outs, copied; without the errors if they are not wanted."""
    take = list(which)
    return PublishedView(
        interface=view.interface,
        t=view.t[take],
        obs=view.obs[take],
        mask=view.mask[take],
        versions=view.versions[take],
        serving=view.serving[take],
        errors=view.errors[take] if errors else np.empty((len(take), 0), np.int8),
        inputs=None if view.inputs is None else view.inputs.of(take),
    )


def redrawn(views: Sequence[View], what: Literal["labels", "inputs"]) -> list[View]:
    """Return views in which all that is made of labels, or all that is made of inputs, is drawn anew."""
    rng = np.random.default_rng(5)
    ends = [(name, f"_{name}") for name in (OF_LABELS if what == "labels" else OF_INPUTS)]
    n = len(views[0].t)
    feed = random_inputs(n, len(views), 5, phase=1)
    found = []
    for view in views:
        new = rows_of(view, range(n))
        names = view.interface.names
        columns = [i for i, f in enumerate(names) if any(f == own or f.endswith(end) for own, end in ends)]
        new.obs[:, columns] = rng.random((n, len(columns)))
        if what == "labels":
            new.errors[:] = np.where(new.errors < 0, -1, rng.random(new.errors.shape) < 0.5)
        else:
            new.inputs = feed.at(new.t, new.versions[np.arange(n), new.serving])
        found.append(new)
    return found


def answers(
    selector: Selector,
    views: Sequence[View],
    which: Sequence[int] | None = None,
    *,
    seed: int = 3,
    errors: bool = True,
) -> np.ndarray:
    """Reset a selector and return its answers in some of the roll-outs, shape (roll-outs, steps)."""
    walks = range(len(views[0].t)) if which is None else which
    seeds = np.random.SeedSequence(seed).spawn(len(views[0].t))
    selector.reset(len(walks), views[0].interface, [seeds[i] for i in walks])
    given: list[np.ndarray] = []
    for view in views:
        answer = np.asarray(selector.act(rows_of(view, walks, errors=errors)))
        if answer.shape != (len(walks),) or answer.dtype.kind not in "iu":
            raise ContractError(
                f"answers {len(walks)} roll-outs with {answer.dtype} of shape {answer.shape}",
                remedy="return one whole number per roll-out, int64 of shape (N,)",
            )
        # a copy: a selector may hand out the same array again and again
        given.append(answer.astype(np.int64, copy=True))
    return np.stack(given, axis=1)
