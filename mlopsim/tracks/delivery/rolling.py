"""Rolling the method of one cell out, also again: with decisions replaced, and everything kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from mlopsim.core.identity import identity_words
from mlopsim.core.seeds import Axis, Split, seed_sequence
from mlopsim.core.spec import make
from mlopsim.core.track import Cell, FitResult
from mlopsim.delivery.scenarios import pool_of
from mlopsim.governance.record.deployed import Deployed
from mlopsim.governance.record.overrides import Override
from mlopsim.tracks.delivery.controls import CONTROLS, run_control
from mlopsim.tracks.delivery.origins import Block, blocks_of
from mlopsim.tracks.rolling import (
    Rolled,
    Scene,
    build_selector,
    decide,
    redeployed,
    refuse_overruling,
    seeded_parts,
    world_spec,
)
from mlopsim.world.cache import default_cache
from mlopsim.world.world import World


def block_of(world: World, cell: Cell) -> Block | None:
    """Return the windows that a cell on a real stream serves; None: all of them.

    Seeds take the blocks in turn: seed 0 the first one, seed 1 the second one.
    """
    origins = cell.task.part.get("origins")
    if origins is None:
        return None
    blocks = blocks_of(world.warmup, world.windows, origins["count"], origins["overlap"])
    return blocks[cell.seed % len(blocks)]


def scene_of(cell: Cell, world: World) -> Scene:
    """Return where a cell is rolled out, given its World."""
    block = block_of(world, cell)
    deployment = make("deployment", cell.task.part["deployment"])
    served = world if block is None else world.block(block.first, block.end)
    return Scene(
        pool=pool_of([served], deployment),
        deployment=deployment,
        block=None if block is None else block.number,
    )


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
        refuse_overruling(cell, overrides, taken)
        reference = CONTROLS[cell.method.part["name"]]
        trajectory, extra = run_control(reference, scene.pool.worlds[0], scene.pool, scene.deployment)
        return Rolled(trajectory=trajectory, extra=extra, recorder=None)
    selector = build_selector(cell.method.part, fits[cell.fit] if cell.fit is not None else None)
    words = identity_words(cell.method.part, *seeded_parts(cell.task.part))
    seed = seed_sequence(Axis.METHOD, Split.parse(cell.split), cell.seed, *words, root=cell.root)
    return decide(selector, scene, seed, overrides, taken, margins=margins)


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
    reason = undefined_reason(cell, scene.pool.worlds[0])

    def rolled() -> Rolled:
        return roll_out(cell, scene, fits, overrides, taken, margins=True)

    return redeployed(cell, scene, fits, rolled, overrides, undefined=reason)
