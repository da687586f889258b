"""The closed loop for Gymnasium: ``mlopsim/ClosedLoop-v0``, one deployment or many at once.

The environments of the delivery, with a governed deployment by default: there is one dynamics.
"""

from __future__ import annotations

from typing import Any

from mlopsim.core.errors import ConfigError
from mlopsim.core.spec import Spec
from mlopsim.delivery.env import DeliveryEnv
from mlopsim.delivery.vector import DeliveryVectorEnv

#: what guards a deployment where nothing else is said
GOVERNED: Spec = {
    "governed": {
        "latency": 3,
        "fallback": 0.5,
        "release": ["accuracy_drop"],
        "reviewer": "fallible",
        "trigger": "ks",
        "constraints": [{"accuracy_floor": {"floor": 0.7}}],
    }
}


class ClosedLoopEnv(DeliveryEnv):
    """A governed deployment: which version serves, when to retrain, when to suspend.

    :class:`mlopsim.delivery.env.DeliveryEnv` with ``info["cost"]``, ``info["costs"]`` by constraint (both by
    the truth: a deployment sees what it measures, in the observation), and the action K + 2, suspend, where
    the deployment has a fallback.

    Parameters
    ----------
    deployment : spec, default :data:`GOVERNED`
        With mechanisms.
    **keywords
        See :class:`mlopsim.delivery.env.DeliveryEnv`.

    Raises
    ------
    ConfigError
        If the deployment has no mechanisms.
    """

    def __init__(self, *, deployment: Spec = GOVERNED, **keywords: Any) -> None:
        super().__init__(deployment=deployment, **keywords)
        _need_mechanisms(self)


class ClosedLoopVectorEnv(DeliveryVectorEnv):
    """N governed deployments in one compiled step, see :class:`ClosedLoopEnv`.

    Parameters
    ----------
    num_envs : int, default 1
    deployment : spec, default :data:`GOVERNED`
    **keywords
        See :class:`mlopsim.delivery.vector.DeliveryVectorEnv`.
    """

    def __init__(self, num_envs: int = 1, *, deployment: Spec = GOVERNED, **keywords: Any) -> None:
        super().__init__(num_envs, deployment=deployment, **keywords)
        _need_mechanisms(self)


def _need_mechanisms(env: DeliveryEnv | DeliveryVectorEnv) -> None:
    if env.engine.mechanisms is None:
        raise ConfigError(
            f"the closed loop needs a deployment with mechanisms, {env.deployment.full_name} has none",
            remedy="deployment={'governed': {...}}",
        )
