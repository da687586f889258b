"""The control that lets the fallback serve."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from mlopsim.core.errors import ConfigError
from mlopsim.core.registry import register
from mlopsim.delivery.selector import View
from mlopsim.delivery.selectors.base import Rule


@register("selector", "suspend_always")
@dataclass(kw_only=True)
class SuspendAlways(Rule):
    """Suspend as soon as it is possible, and do nothing else: the fallback serves to the end.

    It has no cost from its first suspended window on, so no selector that does better is worth its name. A
    deployment without a fallback is refused.

    Notes
    -----
    Use it as the floor of compliance: no costs, and what the fallback earns.

    Examples
    --------
    >>> from mlopsim.core.spec import make
    >>> SuspendAlways().check(make("deployment", "governed", fallback=0.6))
    >>> SuspendAlways().check(make("deployment", "standard"))
    Traceback (most recent call last):
    ...
    mlopsim.core.errors.ConfigError: selector/suspend_always: the deployment has no fallback to serve
      remedy: deployment: {governed: {fallback: 0.7}}
    """

    uses_errors: ClassVar[bool] = False
    reads: ClassVar[str] = "nothing"
    control: ClassVar[bool] = True
    can_suspend: ClassVar[bool] = True

    def check(self, deployment: Any) -> None:
        """Refuse a deployment without a fallback."""
        if getattr(deployment, "fallback", None) is None:
            raise ConfigError(
                f"{self.full_name}: the deployment has no fallback to serve",
                remedy="deployment: {governed: {fallback: 0.7}}",
            )

    def decide(self, view: View) -> np.ndarray:
        """Suspend where that is possible."""
        if not self.interface.suspends:
            return self.keep()
        return np.where(view.mask[:, self.interface.suspend], self.interface.suspend, 0).astype(np.int64)
