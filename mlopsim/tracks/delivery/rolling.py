"""Rolling the method of one cell out, also again: with decisions replaced, and everything kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from mlopsim.core.digest import canonical_json, digest_arrays, digest_bytes
from mlopsim.core.errors import ConfigError
from mlopsim.core.fingerprint import fingerprint_digest
from mlopsim.core.identity import identity_words
from mlopsim.core.seeds import Axis, Split, seed_sequence
from mlopsim.core.spec import make, params_of
from mlopsim.core.track import Cell, FitResult
from mlopsim.delivery.pool import WorldPool
from mlopsim.delivery.scenarios import pool_of
from mlopsim.delivery.walk import Trajectory, walk
from mlopsim.governance.record.deployed import Deployed
from mlopsim.governance.record.overrides import Override, Overruled
from mlopsim.tracks.delivery.controls import CONTROLS, run_control
from mlopsim.tracks.delivery.fits import build_selector, seeded_parts
from mlopsim.tracks.delivery.origins import Block, blocks_of
from mlopsim.world.cache import default_cache
from mlopsim.world.spec import WorldSpec
from mlopsim.world.world import World


def world_spec(cell: Cell) -> WorldSpec:
    """Return the World that a cell is rolled out over."""
    part = cell.task.part
    return WorldSpec(
        stream=part["stream"],
        learner=part["learner"],
        training=part["training"],
        split=cell.split,
        index=cell.seed,
        root=cell.root,
    )


def block_of(world: World, cell: Cell) -> Block | None:
    """Return the windows that a cell on a real stream serves; None: all of them.

    Seeds take the blocks in turn: seed 0 the first one, seed 1 the second one.
    """
    origins = cell.task.part.get("origins")
    if origins is None:
        return None
    blocks = blocks_of(world.warmup, world.windows, origins["count"], origins["overlap"])
    return blocks[cell.seed % len(blocks)]


@dataclass(frozen=True, kw_only=True)
class Scene:
    """Where cells of one World and task are rolled out.

    Parameters
    ----------
    pool : WorldPool
        Of the one World, or of the block of it that is served.
    deployment : component of kind ``deployment``
    block : Block or None
        The windows of a real stream that are served; None: all.
    """

    pool: WorldPool
    deployment: Any
    block: Block | None


def scene_of(cell: Cell, world: World) -> Scene:
    """Return where a cell is rolled out, given its World."""
    block = block_of(world, cell)
    deployment = make("deployment", cell.task.part["deployment"])
    served = world if block is None else world.block(block.first, block.end)
    return Scene(pool=pool_of([served], deployment), deployment=deployment, block=block)


@dataclass(frozen=True, kw_only=True)
class Rolled:
    """One roll-out: what happened, metrics of controls; the selector as it told, its seed (control: None)."""

    trajectory: Trajectory
    extra: Mapping[str, float]
    recorder: Overruled | None
    seed: np.random.SeedSequence | None = None


def undefined_reason(cell: Cell, world: World) -> str:
    """Say why a cell has no roll-out; empty: it has one."""
    if cell.method.part["kind"] != "control":
        return ""
    return CONTROLS[cell.method.part["name"]].undefined(world)


def roll_out(
    cell: Cell,
    scene: Scene,
    fits: Mapping[str, FitResult],
    overrides: Sequence[Override] = (),
    taken: Mapping[int, int] | None = None,
    *,
    margins: bool = False,
) -> Rolled:
    """Roll the method of a cell out.

    Parameters
    ----------
    cell : Cell
    scene : Scene
    fits : mapping of str to FitResult
    overrides, taken, margins
        Decisions that are replaced, and whether margins are kept, see
        :class:`mlopsim.governance.record.overrides.Overruled`.

    Raises
    ------
    ConfigError
        If a plan with hindsight is to be overruled.
    """
    if cell.method.part["kind"] == "control":
        if overrides or taken:
            raise ConfigError(
                f"{cell.method.name} is a plan with hindsight: it cannot be overruled",
                remedy="overrule a method that decides window by window",
            )
        reference = CONTROLS[cell.method.part["name"]]
        trajectory, extra = run_control(reference, scene.pool.worlds[0], scene.pool, scene.deployment)
        return Rolled(trajectory=trajectory, extra=extra, recorder=None)
    selector = build_selector(cell.method.part, fits[cell.fit] if cell.fit is not None else None)
    words = identity_words(cell.method.part, *seeded_parts(cell.task.part))
    seed = seed_sequence(Axis.METHOD, Split.parse(cell.split), cell.seed, *words, root=cell.root)
    recorder = Overruled(selector, overrides, taken, margins=margins)
    trajectory = walk(recorder, scene.pool, scene.deployment, np.zeros(1, np.int64), [seed])
    return Rolled(trajectory=trajectory, extra={}, recorder=recorder, seed=seed)


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
        "block": None if scene.block is None else scene.block.number,
        "deployment": deployment.full_name,
        **{name: getattr(deployment, name) for name in ("slots", "label_delay", "latency", "cooldown")},
    }
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
        answers=None if told is None else np.array(told.answers, dtype=np.int64),
        alarms=np.array(told.alarms, dtype=bool) if told is not None and told.alarms else None,
        margins=np.array(told.margins) if told is not None and told.margins else None,
        overrides=tuple(overrides),
        policy=None if told is None else told.selector,
        seed=rolled.seed,
        facts=facts,
        evidence=evidence,
    )


def redeploy(
    cell: Cell,
    fits: Mapping[str, FitResult],
    *,
    overrides: Sequence[Override] = (),
    taken: Mapping[int, int] | None = None,
) -> Deployed:
    """Compute the deployment of a cell again.

    Parameters
    ----------
    cell : Cell
    fits : mapping of str to FitResult
        The fits that it names.
    overrides, taken
        Decisions that are replaced, see :class:`mlopsim.governance.record.overrides.Overruled`.

    Raises
    ------
    ConfigError
        If the cell has no roll-out, or an override cannot be carried out.
    """
    scene = scene_of(cell, default_cache().open(world_spec(cell)))
    if reason := undefined_reason(cell, scene.pool.worlds[0]):
        raise ConfigError(
            f"the cell has no deployment: {reason}", remedy="name a cell of another method or stream"
        )
    first, last = scene.pool.warmup - 1, scene.pool.windows - 2
    for entry in overrides:
        if not first <= entry.window <= last:
            raise ConfigError(
                f"there is no decision at window {entry.window} to override",
                remedy=f"decisions are taken at the windows {first} to {last}",
            )
    rolled = roll_out(cell, scene, fits, overrides, taken, margins=True)
    return deployed_of(cell, scene, fits, rolled, overrides)
