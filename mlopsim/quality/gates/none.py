"""Control: no gate."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from mlopsim.core.registry import register
from mlopsim.core.track import Attribute
from mlopsim.quality.gate import Gate, Rows


@register("gate", "none")
@dataclass(kw_only=True)
class NoGate(Gate):
    """Control: never flags anything. All scores are 0, and it needs no limit.

    Parameters
    ----------
    alpha : float, default 0.05
        Plays no part.
    action : Action or None
        Plays no part.

    Examples
    --------
    >>> X = np.array([[1.0], [np.nan]])
    >>> rows = Rows(X=X, Z=np.zeros((2, 1)), y=np.zeros(2, np.int64), n_classes=2, features=("a",))
    >>> gate = NoGate()
    >>> gate.score(gate.learn(rows, np.random.default_rng(0)), rows)
    array([0., 0.])
    """

    control: ClassVar[bool] = True
    limit_from: ClassVar[str] = "none"
    always_listed: ClassVar[bool] = True
    family: ClassVar[str] = "reference"
    reads: ClassVar[str] = "nothing"

    def facts(self) -> dict[str, Attribute]:
        """Return its attributes: nothing is done with rows."""
        return {**super().facts(), "action": None}

    def marks(self, wrong: np.ndarray) -> np.ndarray:
        """Return no row."""
        return np.zeros(len(wrong), dtype=np.bool_)

    def learn(self, reference: Rows, rng: np.random.Generator) -> Any:
        """Return nothing."""
        return None

    def score(self, learned: Any, rows: Rows) -> np.ndarray:
        """Return zeros."""
        return np.zeros(len(rows))
