"""Control: flags at random."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from mlopsim.core.registry import register
from mlopsim.quality.gate import Gate, Rows


@register("gate", "random")
@dataclass(kw_only=True)
class Random(Gate):
    r"""Control: independent scores, uniform on [0, 1), that do not look at the rows.

    One number drawn when it learns seeds a sequence of its own, and the i-th row of a call gets the i-th
    number of that sequence. So scores depend on a row's place only: asking again gives them again, and all
    rows that are to be independent of each other must be scored in one call. At a limit for alpha it flags
    rows at the same rate as the other gates.

    Scores are independent and uniform: :math:`s_i \sim U(0, 1)`.

    Parameters
    ----------
    alpha : float, default 0.05
        Share of rows that are flagged.
    action : Action or None
        What is done with flagged rows; None: ``drop``.

    Notes
    -----
    Use it as the control: what is lost by dropping as many rows by chance.

    Examples
    --------
    >>> X = np.zeros((3, 1))
    >>> rows = Rows(X=X, Z=X, y=np.zeros(3, np.int64), n_classes=2, features=("a",))
    >>> gate = Random()
    >>> learned = gate.learn(rows, np.random.default_rng(0))
    >>> gate.score(learned, rows).round(3)
    array([0.043, 0.921, 0.14 ])
    """

    control: ClassVar[bool] = True
    always_listed: ClassVar[bool] = True
    family: ClassVar[str] = "reference"
    reads: ClassVar[str] = "nothing"

    def learn(self, reference: Rows, rng: np.random.Generator) -> Any:
        """Return the seed."""
        return int(rng.integers(2**63))

    def score(self, learned: Any, rows: Rows) -> np.ndarray:
        """Return the first numbers of the sequence."""
        return np.random.Generator(np.random.PCG64(learned)).random(len(rows))
