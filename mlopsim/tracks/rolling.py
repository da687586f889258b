"""Rolling the method of one cell out, also again: what tracks whose cells are deployments share."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from mlopsim.core.digest import canonical_json, digest_arrays, digest_bytes
from mlopsim.core.errors import ConfigError
from mlopsim.core.fingerprint import fingerprint_digest
from mlopsim.core.spec import make, params_of
from mlopsim.core.track import Cell, FitResult
from mlopsim.delivery.pool import WorldPool
from mlopsim.delivery.walk import Trajectory, walk
from mlopsim.governance.record.deployed import Deployed
from mlopsim.governance.record.overrides import Override, Overruled
from mlopsim.world.spec import WorldSpec

#: parts of a task or fit that its seeds hang on, beside the method
SEEDED = ("stream", "learner", "training", "deployment")


def seeded_parts(part: Mapping[str, Any], without: Sequence[str] = ("feedback",)) -> list[Any]:
    """Return the parts of a task or fit that seeds hang on, the deployment without some of its parameters.

    So a method that reads no scores of versions is tuned and rolled out alike under every feedback, and what
    differs between two of them is what is seen, not the luck of two searches.

    Parameters
    ----------
    part : mapping
        Of a task or fit.
    without : sequence of str
        Parameters of the deployment whose values are compared on the same draws.

    Examples
    --------
    >>> from mlopsim.core.spec import canonical
    >>> part = dict.fromkeys(SEEDED) | {"deployment": canonical("deployment", {"standard": {"slots": 2}})}
    >>> "feedback" in seeded_parts(part)[3]["params"], seeded_parts(part)[3]["params"]["slots"]
    (False, 2)
    """
    found = [part[kind] for kind in SEEDED]
    params = {name: value for name, value in found[-1]["params"].items() if name not in without}
    return [*found[:-1], {**found[-1], "params": params}]


def build_selector(content: Mapping[str, Any], fit: FitResult | None) -> Any:
    """Build a selector from a method's part, with the parameters or weights of its fit."""
    params = dict(content["params"])
    if fit is not None and "params" in fit.info:
        params.update(fit.info["params"])
    part = {"kind": content["kind"], "name": content["name"], "params": params}
    selector = make("selector", part)
    if getattr(type(selector), "agent", False):
        assert fit is not None
        selector.load(fit)
    return selector


def world_spec(cell: Cell, training: Mapping[str, Any] | None = None) -> WorldSpec:
    """Return the World that a cell is rolled out over; ``training`` stands in place of the task's own."""
    part = cell.task.part
    return WorldSpec(
        stream=part["stream"],
        learner=part["learner"],
        training=dict(part["training"] if training is None else training),
        split=cell.split,
        index=cell.seed,
        root=cell.root,
    )


@dataclass(frozen=True, kw_only=True)
class Scene:
    """Where cells of one World and task are rolled out.

    Parameters
    ----------
    pool : WorldPool
        Of the one World, or of the block of it that is served.
    deployment : component of kind ``deployment``
    block : int or None, default None
        Number of the windows of a real stream that are served; None: all.
    switches : int or None, default None
        Which of the deployment's mechanisms are on; None: what it has.
    """

    pool: WorldPool
    deployment: Any
    block: int | None = None
    switches: int | None = None


@dataclass(frozen=True, kw_only=True)
class Rolled:
    """One roll-out: what happened, metrics of controls; the selector as it told, its seed (control: None)."""

    trajectory: Trajectory
    extra: Mapping[str, float]
    recorder: Overruled | None
    seed: np.random.SeedSequence | None = None


def decide(
    selector: Any,
    scene: Scene,
    seed: np.random.SeedSequence,
    overrides: Sequence[Override] = (),
    taken: Mapping[int, int] | None = None,
    *,
    margins: bool = False,
) -> Rolled:
    """Let a selector decide in a scene.

    Parameters
    ----------
    selector : Selector
    scene : Scene
    seed : SeedSequence
        Of its draws.
    overrides, taken, margins
        Decisions that are replaced, and whether margins are kept, see
        :class:`mlopsim.governance.record.overrides.Overruled`.
    """
    recorder = Overruled(selector, overrides, taken, margins=margins)
    switches = None if scene.switches is None else np.array([scene.switches], dtype=np.int64)
    which = np.zeros(1, np.int64)
    trajectory = walk(recorder, scene.pool, scene.deployment, which, [seed], switches=switches)
    return Rolled(trajectory=trajectory, extra={}, recorder=recorder, seed=seed)


def refuse_overruling(cell: Cell, overrides: Sequence[Override], taken: Mapping[int, int] | None) -> None:
    """Raise if decisions of a plan with hindsight are to be replaced.

    Raises
    ------
    ConfigError
    """
    if overrides or taken:
        raise ConfigError(
            f"{cell.method.name} is a plan with hindsight: it cannot be overruled",
            remedy="overrule a method that decides window by window",
        )


def check_windows(pool: WorldPool, overrides: Sequence[Override]) -> None:
    """Raise unless each override is of a window at which something is decided.

    Raises
    ------
    ConfigError
    """
    first, last = pool.warmup - 1, pool.windows - 2
    for entry in overrides:
        if not first <= entry.window <= last:
            raise ConfigError(
                f"there is no decision at window {entry.window} to override",
                remedy=f"decisions are taken at the windows {first} to {last}",
            )


def redeployed(
    cell: Cell,
    scene: Scene,
    fits: Mapping[str, FitResult],
    rolled: Callable[[], Rolled],
    overrides: Sequence[Override] = (),
    *,
    undefined: str = "",
) -> Deployed:
    """Compute the deployment of a cell again: what the ``redeploy`` of every track comes to.

    Parameters
    ----------
    cell, scene, fits
        What is rolled out, where, with which fits.
    rolled : callable
        Rolls it out.
    overrides : sequence of Override
        Decisions that are replaced.
    undefined : str
        Why the cell has no roll-out; empty: it has one.

    Raises
    ------
    ConfigError
        If the cell has no roll-out, or an override cannot be carried out.
    """
    if undefined:
        raise ConfigError(
            f"the cell has no deployment: {undefined}",
            remedy="name a cell of another method, task or stream",
        )
    check_windows(scene.pool, overrides)
    return deployed_of(cell, scene, fits, rolled(), overrides)


def deployed_of(
    cell: Cell,
    scene: Scene,
    fits: Mapping[str, FitResult],
    rolled: Rolled,
    overrides: Sequence[Override] = (),
) -> Deployed:
    """Return a roll-out as the deployment that records are derived from.

    Parameters
    ----------
    cell, scene, fits, rolled
        What was rolled out, where, with which fits, and what came out.
    overrides : sequence of Override
        Decisions that were replaced.
    """
    method, told = cell.method.part, rolled.recorder
    deployment = scene.deployment
    facts: dict[str, Any] = {
        "schema": 1,
        "track": cell.track,
        "task": cell.task.digest,
        "method": cell.method.digest,
        "fit": cell.fit,
        "split": cell.split,
        "root": cell.root,
        "seed": cell.seed,
        "warmup": scene.pool.warmup,
        "windows": scene.pool.windows,
        "block": scene.block,
        "deployment": deployment.full_name,
        **{name: getattr(deployment, name) for name in ("slots", "label_delay", "latency", "cooldown")},
    }
    if scene.switches is not None:
        facts["switches"] = scene.switches
    fit = None if cell.fit is None else fits[cell.fit]
    evidence = {
        "platform": fingerprint_digest(),
        "worlds": scene.pool.digest(),
        # of the weights that decided: their bits are part of what was decided on
        "fit": None
        if fit is None
        else digest_bytes(f"{digest_arrays(fit.arrays)}{canonical_json(fit.info)}".encode()),
        "deployment": params_of(deployment),
    }
    return Deployed(
        cell=cell.key,
        method=f"{method['kind']}/{method['name']}",
        pool=scene.pool,
        deployment=deployment,
        trajectory=rolled.trajectory,
        switches=scene.switches,
        answers=None if told is None else np.array(told.answers, dtype=np.int64),
        alarms=np.array(told.alarms, dtype=bool) if told is not None and told.alarms else None,
        margins=np.array(told.margins) if told is not None and told.margins else None,
        overrides=tuple(overrides),
        policy=None if told is None else told.selector,
        seed=rolled.seed,
        facts=facts,
        evidence=evidence,
    )
