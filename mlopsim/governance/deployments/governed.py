"""The governed deployment: the standard one with fallback, release gates, reviewer, limits."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

from mlopsim.core.errors import ConfigError
from mlopsim.core.registry import register
from mlopsim.core.spec import check_range, make, part
from mlopsim.core.track import Attribute
from mlopsim.delivery.deployments.standard import Standard

if TYPE_CHECKING:
    from mlopsim.delivery.mechanisms import Mechanisms
    from mlopsim.delivery.pool import WorldPool


@register("deployment", "governed")
@dataclass(kw_only=True)
class Governed(Standard):
    """The standard deployment, with what guards it; all of that is off by default.

    What a deployment is asked (constraints with limits) and who guards it is part of the task. How its
    mechanisms work in time stands in :mod:`mlopsim.delivery.mechanisms`.

    Parameters
    ----------
    slots, label_delay, latency, cooldown, switch_cost, retrain_cost, budget, canary_share, canary_windows
        See :class:`mlopsim.delivery.deployments.standard.Standard`; with a fallback there are at least 2
        slots, 3 with a canary.
    feedback, shadow_cost, deploy_on_arrival, metric, cost_matrix
        Likewise.
    fallback : float or None, default None
        Quality of what serves while the deployment is suspended, in units of the reward; None: it cannot be
        suspended.
    resume_on_arrival : bool, default True
        Whether a version that deploys itself on arrival ends a suspension.
    rollback : bool, default True
        Whether slots other than the newest can be deployed.
    release : list of specs of gates, default none
        Release gates: a version that one of them blocks, compared with what serves, never serves.
    audits : list of specs of audits, default none
        Release audits: a version that one of them finds biased on the labelled rows at its arrival never
        serves.
    alpha : float, default 0.05
        Level of the audits of one version, together.
    reviewer : spec of a reviewer or None, default None
        Who approves versions.
    harm : float, default 0.02
        A version is one that should be denied if it violates a constraint in the first window that it could
        serve, or an older version would earn more than this more there.
    trigger : spec of a detector of inputs or None, default None
        Whose alarms are observed.
    constraints : list of specs of constraints, default none
        What compliance means, with the limits.

    Notes
    -----
    Use it where constraints, reviewers, gates or audits are part of the task.

    Examples
    --------
    >>> from mlopsim.core.spec import make
    >>> make("deployment", "governed", fallback=0.6).fallback
    0.6
    """

    fallback: float | None = None
    resume_on_arrival: bool = True
    rollback: bool = True
    release: list[Any] = part("gate", [], many=True)
    audits: list[Any] = part("audit", [], many=True)
    alpha: float = 0.05
    reviewer: Any = part("reviewer", None)
    harm: float = 0.02
    trigger: Any = part("detector", None)
    constraints: list[Any] = part("constraint", [], many=True)

    def __post_init__(self) -> None:
        super().__post_init__()
        from mlopsim.governance.loop.alarms import check_trigger
        from mlopsim.governance.loop.release import check_release_audits, check_release_gates

        where = "deployment/governed"
        check_range(f"{where}.alpha", self.alpha, 0.0, 1.0, open_low=True)
        check_range(f"{where}.harm", self.harm, 0.0, 1e9)
        if self.fallback is not None:
            check_range(f"{where}.fallback", self.fallback, -1e9, 1e9)
            if self.slots < 2 + self.has_canary:
                raise ConfigError(
                    f"{where}.slots must be at least {2 + self.has_canary} with a fallback, got {self.slots}",
                    remedy="a version that arrives meanwhile stands beside the one that served",
                )
        check_release_audits(self.audits)
        check_release_gates(self.release)
        if self.reviewer is not None:
            make("reviewer", self.reviewer)
        if self.trigger is not None:
            check_trigger(self.trigger)
        built = [make("constraint", spec) for spec in self.constraints]
        for i, one in enumerate(built):
            if one.name in [other.name for other in built[:i]]:
                raise ConfigError(f"the constraint {one.name} is listed twice", remedy="keep one of them")

    def facts(self) -> dict[str, Attribute]:
        """Return what its tasks differ in most: also who reviews and what is asked."""
        names = [make("constraint", spec).name for spec in self.constraints]
        return {
            **super().facts(),
            "fallback": self.fallback,
            "reviewer": None if self.reviewer is None else make("reviewer", self.reviewer).name,
            "constraints": ", ".join(names) or "none",
        }

    def limit_names(self) -> tuple[str, ...]:
        """Return the names of what has a limit.

        Examples
        --------
        >>> from mlopsim.core.spec import make
        >>> make("deployment", "governed", constraints=["churn", "accuracy_floor"]).limit_names()
        ('churn', 'accuracy_floor')
        """
        return tuple(make("constraint", spec).name for spec in self.constraints)

    def unguarded(self) -> Standard:
        """Return the standard deployment that it is, with nothing on that changes what serves.

        Raises
        ------
        ConfigError
            If it has a fallback, release gates, audits, a reviewer, or no rollback: an optimum that knows
            registry, delays and costs only would then be that of another deployment.

        Examples
        --------
        >>> from mlopsim.core.spec import make
        >>> make("deployment", "governed", slots=3).unguarded().slots
        3
        """
        on = {
            "a fallback": self.fallback is not None,
            "release gates": bool(self.release),
            "audits": bool(self.audits),
            "a reviewer": self.reviewer is not None,
            "no rollback": not self.rollback,
        }
        if any(on.values()):
            raise ConfigError(
                f"the optimum of registry, delays and costs knows no deployment with "
                f"{', '.join(name for name, there in on.items() if there)}",
                remedy="leave that out here, or use mlopsim.governance.optimum, which knows it",
            )
        return Standard(**{each.name: getattr(self, each.name) for each in fields(Standard)})

    def mechanisms(self, pool: WorldPool) -> Mechanisms:
        """Return what is optional in it, for the Worlds of a pool; computed once for a pool."""
        from mlopsim.governance.loop.assemble import assemble

        return assemble(self, pool)
