"""The Gymnasium id of the closed loop."""

from __future__ import annotations

ENV_ID = "mlopsim/ClosedLoop-v0"


def register_closed_loop() -> None:
    """Register the closed loop with Gymnasium; calling it again changes nothing.

    Examples
    --------
    >>> import gymnasium
    >>> register_closed_loop()
    >>> gymnasium.spec(ENV_ID).id
    'mlopsim/ClosedLoop-v0'
    """
    import gymnasium

    if ENV_ID not in gymnasium.registry:
        gymnasium.register(
            id=ENV_ID,
            entry_point="mlopsim.governance.env:ClosedLoopEnv",
            vector_entry_point="mlopsim.governance.env:ClosedLoopVectorEnv",
        )
