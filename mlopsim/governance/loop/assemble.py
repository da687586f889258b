"""All that guards the deployments of a pool, put together."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from mlopsim.core.spec import canonical, make, part_of
from mlopsim.delivery.mechanisms import Mechanisms, Switch
from mlopsim.governance.loop.alarms import alarms_of
from mlopsim.governance.loop.compliance import all_costs
from mlopsim.governance.loop.memo import once
from mlopsim.governance.loop.release import blocked_by_audits, refused_by_gates
from mlopsim.governance.loop.review import bad_versions

if TYPE_CHECKING:
    from mlopsim.delivery.pool import WorldPool


def assemble(deployment: Any, pool: WorldPool) -> Mechanisms:
    """Return the mechanisms of a governed deployment over a pool; all of it is computed once.

    Parameters
    ----------
    deployment : component of kind ``deployment``
        See :class:`mlopsim.governance.deployments.governed.Governed`.
    pool : WorldPool

    Returns
    -------
    Mechanisms
        On is what the deployment has.
    """

    def make_all() -> Mechanisms:
        if pool.within is None:
            return _assemble(deployment, pool)
        # Worlds do not influence one another: what was computed for all of them is not computed again
        whole, places = pool.within
        return assemble(deployment, whole).of(places)

    return once(pool, ["mechanisms", part_of(deployment)], make_all)


def _assemble(deployment: Any, pool: WorldPool) -> Mechanisms:
    arrays: dict[str, Any] = {}
    switches = Switch(0)
    times = [deployment.label_delay, deployment.latency]
    costs = all_costs(pool, [make("constraint", spec) for spec in deployment.constraints], times[0])
    if deployment.audits:
        parts = [canonical("audit", spec) for spec in deployment.audits]
        arrays["blocked"] = once(
            pool,
            ["blocked", parts, deployment.alpha, *times],
            lambda: blocked_by_audits(pool, parts, deployment.alpha, deployment),
        )
    if deployment.release:
        gates = [canonical("gate", spec) for spec in deployment.release]
        arrays["refused"] = once(
            pool, ["refused", gates, *times], lambda: refused_by_gates(pool, gates, deployment)
        )
    if arrays:
        switches |= Switch.AUDITS
    if deployment.reviewer is not None:
        bad = bad_versions(pool, costs, deployment)
        review = make("reviewer", deployment.reviewer).review(bad, pool.seeds)
        arrays |= {"delay": review.delay, "denied": review.denied}
        switches |= Switch.REVIEW
    if deployment.rollback:
        switches |= Switch.ROLLBACK
    if deployment.fallback is not None:
        arrays["fallback"] = np.full((len(pool), pool.windows), float(deployment.fallback))
        switches |= Switch.SUSPEND
    if deployment.trigger is not None:
        trigger = canonical("detector", deployment.trigger)
        arrays["alarm"] = once(pool, ["alarm", trigger], lambda: alarms_of(pool, trigger))
        switches |= Switch.TRIGGER
    return Mechanisms(
        **arrays,
        guarded=np.array([_has_gate(pool, i) for i in range(len(pool))]),
        costs=costs,
        resume_on_arrival=deployment.resume_on_arrival,
        switches=switches,
    )


def _has_gate(pool: WorldPool, i: int) -> bool:
    spec = pool.world(i).spec
    training = None if spec is None else make("training", spec.training)
    return bool(getattr(training, "has_gate", False))
