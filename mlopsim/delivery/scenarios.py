"""From specs to what an environment needs: a pool of Worlds and a deployment."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from mlopsim.core.errors import ConfigError
from mlopsim.core.spec import Spec, make
from mlopsim.delivery.pool import WorldPool
from mlopsim.world.spec import WorldSpec

if TYPE_CHECKING:
    from mlopsim.world.world import World


def pool_of(worlds: Sequence[World | WorldSpec], deployment: Any) -> WorldPool:
    """Stack Worlds with what a deployment needs of them: its metric, and counts if it has canaries.

    Those that are named by their specs are let go once they are stacked.
    """
    return WorldPool(worlds, deployment.objective, canary=deployment.has_canary)


def open_scenarios(
    stream: Spec = "procedural",
    learner: Spec = "ridge",
    training: Spec = "last",
    deployment: Spec = "standard",
    split: str = "train",
    scenarios: int = 100,
    root: int = 0,
    worlds: Sequence[World] | None = None,
    pool: WorldPool | None = None,
) -> tuple[WorldPool, Any]:
    """Open the Worlds of an environment and build its deployment.

    Parameters
    ----------
    stream, learner, training : spec
        What the Worlds are made of; not read if ``worlds`` or ``pool`` is given.
    deployment : spec
        The deployment.
    split : str
        ``train``, ``validation`` or ``test``.
    scenarios : int
        Number of scenarios 0..scenarios-1 of that split.
    root : int
        Root of all seeds.
    worlds : sequence of World, optional
        Worlds at hand.
    pool : WorldPool, optional
        A pool at hand.

    Returns
    -------
    pool : WorldPool
        The Worlds, stacked.
    deployment : component of kind ``deployment``
        The built deployment.

    Raises
    ------
    ConfigError
        For both ``worlds`` and ``pool``, or less than one scenario; see also :class:`WorldPool`.
    """
    built = make("deployment", deployment)
    if pool is not None:
        if worlds is not None:
            raise ConfigError("pass worlds or a pool, not both")
        return pool, built
    if worlds is None:
        if scenarios < 1:
            raise ConfigError(f"scenarios must be at least 1, got {scenarios}")
        specs = [
            WorldSpec.of(stream, learner, training, split=split, index=i, root=root) for i in range(scenarios)
        ]
        return pool_of(specs, built), built
    return pool_of(worlds, built), built
