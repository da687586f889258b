"""The control that never acts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from mlopsim.core.registry import register
from mlopsim.delivery.selector import View
from mlopsim.delivery.selectors.base import Rule


@register("selector", "never")
@dataclass(kw_only=True)
class Never(Rule):
    """Never retrain, never switch: the initial version serves to the end.

    The zero point of the normalised score.

    Notes
    -----
    Use it in every comparison: what a rule gains is its distance from this one.

    Examples
    --------
    >>> from mlopsim.checks.toy_deployment import play
    >>> play(Never(), 6)
    'kkkkkk'
    """

    uses_errors: ClassVar[bool] = False
    reads: ClassVar[str] = "nothing"
    control: ClassVar[bool] = True
    always_listed: ClassVar[bool] = True

    def decide(self, view: View) -> np.ndarray:
        """Keep."""
        return self.keep()
