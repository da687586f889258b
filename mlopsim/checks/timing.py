"""Contract checks of timings."""

from __future__ import annotations

from typing import Any

from mlopsim.checks.base import Check, require
from mlopsim.core.errors import ConfigError
from mlopsim.core.spec import make


def _timing(cls: type[Any]) -> None:
    """Check what a timing gives."""
    made = make("timing", cls.name)
    strength = made.strength(60, 10)
    require(
        strength.shape == (60,) and bool(((strength >= 0.0) & (strength <= 1.0)).all()),
        "strength must be 60 numbers from 0 to 1",
    )
    require(bool((strength[: made.at] == 0.0).all()), f"errors happen before window {made.at}")
    require(bool(strength[made.at] > 0.0), f"no error happens in window {made.at}")
    try:
        made.strength(made.at, 1)
    except ConfigError:
        return
    require(False, "errors that begin after the end of the stream are no ConfigError")


CHECKS = [
    Check(name="timing", text="errors begin where they should and nowhere else", run=_timing),
]
