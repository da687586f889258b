"""Values that are gone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from mlopsim.core.registry import register
from mlopsim.streams.injectors.base import ColumnInjector
from mlopsim.streams.stream import Stream


@register("injector", "missing")
@dataclass(kw_only=True)
class Missing(ColumnInjector):
    r"""Values of some columns are missing: MCAR, MAR or MNAR by the mechanism.

    :math:`x_{ij} \leftarrow \mathrm{NaN}` where :math:`R_{ij} = 1`, with :math:`P(R_{ij} = 1 \mid X, y, g)`
    by the mechanism.

    Parameters
    ----------
    features : list of str
        Columns that are hit; empty: drawn by the seed.
    count : int, default 1
        How many are drawn where ``features`` is empty.

    Notes
    -----
    It stands for values that were not recorded; the mechanism decides how much harm they do.

    References
    ----------
    .. [1] D. B. Rubin, "Inference and missing data", Biometrika 63, 1976, 581-592.
       doi:10.1093/biomet/63.3.581

    Examples
    --------
    >>> from mlopsim import make
    >>> source = make("stream", "corrupted", base={"bundled": {"dataset": "wine"}}, injector="missing",
    ...               mechanism="own_value", rate=0.2, timing={"step": {"at": 10}})
    >>> stream = source.generate(np.random.SeedSequence(0))
    >>> int(np.isnan(stream.X).sum()), int(stream.corrupted.sum())
    (14, 14)
    """

    takes: ClassVar[str] = "any"

    def spoilt(self, stream: Stream, column: int, chosen: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Return nothing but NaN."""
        return np.full(int(chosen.sum()), np.nan)
