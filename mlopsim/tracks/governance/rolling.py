"""Rolling the method of one cell of the governance track out, also again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from mlopsim.core.errors import ConfigError
from mlopsim.core.identity import identity_words
from mlopsim.core.seeds import Axis, Split, seed_sequence
from mlopsim.core.spec import make
from mlopsim.core.track import Cell, FitResult
from mlopsim.delivery.pool import WorldPool
from mlopsim.delivery.scenarios import pool_of
from mlopsim.governance.record.deployed import Deployed
from mlopsim.governance.record.overrides import Override
from mlopsim.tracks.governance.arms import arm_of
from mlopsim.tracks.governance.controls import CONTROLS, Found, play
from mlopsim.tracks.governance.fitted import conditions_of_fits
from mlopsim.tracks.governance.worlds import PAIRED, trained
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
from mlopsim.world.spec import WorldSpec


def spec_of(cell: Cell) -> WorldSpec:
    """Return the World of a cell: that of its arm."""
    return world_spec(cell, trained(cell.task.part, arm_of(cell.method.part).gate))


def scene_of(cell: Cell, pool: WorldPool | None = None) -> Scene:
    """Return where a cell is rolled out; ``pool`` is that of its World, if it is at hand."""
    deployment = make("deployment", cell.task.part["deployment"])
    if pool is None:
        pool = pool_of([default_cache().open(spec_of(cell))], deployment)
    return Scene(pool=pool, deployment=deployment, switches=arm_of(cell.method.part).switches(deployment))


def undefined_reason(cell: Cell, scene: Scene) -> str:
    """Say why a cell has no roll-out; empty: it has one.

    A selector that stands in every table refuses deployments that it has nothing to do in.
    """
    content = cell.method.part
    if content["kind"] != "selector" or "arm" in content:
        return ""
    selector = make("selector", {key: content[key] for key in ("kind", "name", "params")})
    check = getattr(selector, "check", None)
    if not callable(check) or not getattr(selector, "control", False):
        return ""
    try:
        check(scene.deployment)
    except ConfigError as error:
        return error.message
    return ""


def roll_out(
    cell: Cell,
    scene: Scene,
    fits: Mapping[str, FitResult],
    overrides: Sequence[Override] = (),
    taken: Mapping[int, int] | None = None,
    *,
    prices: Sequence[float] = (0.0,),
    margins: bool = False,
) -> tuple[Rolled, Found | None]:
    """Roll the method of a cell out.

    Parameters
    ----------
    cell : Cell
    scene : Scene
    fits : mapping of str to FitResult
    overrides, taken, margins
        See :class:`mlopsim.governance.record.overrides.Overruled`.
    prices : sequence of float
        Of cost, for the optimum.

    Returns
    -------
    Rolled
    Found or None
        What a reference found; None for a method.

    Raises
    ------
    ConfigError
        If a plan is to be overruled.
    """
    if cell.method.part["kind"] == "control":
        refuse_overruling(cell, overrides, taken)
        trajectory, found = play(CONTROLS[cell.method.part["name"]], scene, prices)
        return Rolled(trajectory=trajectory, extra=found.extra, recorder=None), found
    selector = build_selector(cell.method.part, fits[cell.fit] if cell.fit is not None else None)
    # the arm is in no seed: one agent draws alike in all of its arms, so that they differ in nothing else;
    # nor are the conditions of a task that is played with the fits of another one
    words = identity_words(cell.method.part, *seeded_parts(conditions_of_fits(cell.task.part), PAIRED))
    seed = seed_sequence(Axis.METHOD, Split.parse(cell.split), cell.seed, *words, root=cell.root)
    return decide(selector, scene, seed, overrides, taken, margins=margins), None


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
    scene = scene_of(cell)

    def rolled() -> Rolled:
        # of the optimum the plan without a price is the deployment
        return roll_out(cell, scene, fits, overrides, taken, margins=True)[0]

    return redeployed(cell, scene, fits, rolled, overrides, undefined=undefined_reason(cell, scene))
