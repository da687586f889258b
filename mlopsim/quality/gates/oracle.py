"""Control: the gate that knows the truth."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from mlopsim.core.errors import DataError
from mlopsim.core.registry import register
from mlopsim.quality.gate import Gate, Rows


@register("gate", "oracle")
@dataclass(kw_only=True)
class Oracle(Gate):
    """Control: flags exactly the corrupted rows, as it knows which they are.

    It cannot learn or score: whoever knows the truth asks for its scores with :meth:`truth`, and flags those
    above 0.

    Parameters
    ----------
    alpha : float, default 0.05
        Plays no part: it raises no false alarms.
    action : Action or None
        What is done with corrupted rows; None: ``drop``.

    Examples
    --------
    >>> Oracle().truth(np.array([False, True]))
    array([0., 1.])
    """

    known: ClassVar[str] = "the truth"
    control: ClassVar[bool] = True
    limit_from: ClassVar[str] = "none"
    always_listed: ClassVar[bool] = True
    family: ClassVar[str] = "reference"
    reads: ClassVar[str] = "the truth"

    def truth(self, mask: np.ndarray) -> np.ndarray:
        """Return scores: 1 where a row (or a cell) is corrupted, else 0.

        Parameters
        ----------
        mask : ndarray of bool, shape (n,) or (n, d)

        Returns
        -------
        ndarray of float64, of the same shape

        Raises
        ------
        DataError
            If it is no mask.
        """
        if mask.dtype != np.bool_ or mask.ndim not in (1, 2):
            raise DataError(
                f"{self.full_name} needs a mask of rows or cells, got {mask.dtype} of shape {mask.shape}"
            )
        return mask.astype(np.float64)

    def marks(self, wrong: np.ndarray) -> np.ndarray:
        """Return the rows with an error."""
        found: np.ndarray = self.truth(wrong) > 0.0
        return found

    def learn(self, reference: Rows, rng: np.random.Generator) -> Any:
        """Raise: there is nothing to learn."""
        raise self._untold()

    def score(self, learned: Any, rows: Rows) -> np.ndarray:
        """Raise: rows do not hold the truth."""
        raise self._untold()

    def _untold(self) -> DataError:
        return DataError(
            f"{self.full_name} has to be told which rows are corrupted",
            remedy="use it where the truth is known: a stream with injected errors, and truth(mask)",
        )
