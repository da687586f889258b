"""The Gymnasium ids of mlopsim."""

from __future__ import annotations

ENV_ID = "mlopsim/Delivery-v1"


def register_envs() -> None:
    """Register the environments with Gymnasium; calling it again changes nothing.

    Examples
    --------
    >>> import gymnasium
    >>> register_envs()
    >>> gymnasium.spec(ENV_ID).id
    'mlopsim/Delivery-v1'
    """
    import gymnasium

    if ENV_ID not in gymnasium.registry:
        gymnasium.register(
            id=ENV_ID,
            entry_point="mlopsim.delivery.env:DeliveryEnv",
            vector_entry_point="mlopsim.delivery.vector:DeliveryVectorEnv",
        )
