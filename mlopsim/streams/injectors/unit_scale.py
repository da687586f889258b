"""A wrong unit."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mlopsim.core.errors import ConfigError
from mlopsim.core.registry import register
from mlopsim.core.spec import check_range
from mlopsim.streams.injectors.base import ColumnInjector, changed
from mlopsim.streams.stream import Stream


@register("injector", "unit_scale", version=2)
@dataclass(kw_only=True)
class UnitScale(ColumnInjector):
    r"""Values of some numeric columns come in another unit: they are multiplied by a factor.

    Of a product the column gets the number next to it that it can hold.

    :math:`x_{ij} \leftarrow \mathrm{factor} \cdot x_{ij}` in the rows i that are hit.

    Parameters
    ----------
    features : list of str
        Columns that are hit; empty: drawn by the seed.
    count : int, default 1
        How many are drawn where ``features`` is empty.
    factor : float, default 100.0
        Not 0 and not 1. Values that stay what they are cannot be hit, such as 0, or a whole number that
        times the factor is nearer to itself than to another one.

    Notes
    -----
    It stands for another unit of measurement; rules of ranges find a large ``factor``.

    Examples
    --------
    >>> from mlopsim import make
    >>> source = make("stream", "corrupted", base={"bundled": {"dataset": "wine"}},
    ...               injector={"unit_scale": {"features": ["ash"]}}, rate=0.5, timing={"step": {"at": 10}})
    >>> stream = source.generate(np.random.SeedSequence(0))
    >>> stream.X[stream.corrupted].min() > 100.0, stream.corrupted.any(axis=0).nonzero()[0].tolist()
    (np.True_, [2])
    """

    factor: float = 100.0

    def __post_init__(self) -> None:
        super().__post_init__()
        check_range("injector/unit_scale.factor", self.factor, -1e12, 1e12)
        if self.factor in (0.0, 1.0):
            raise ConfigError(
                f"injector/unit_scale.factor must not be {self.factor:g}",
                remedy="1 changes nothing, 0 loses the values: use injector missing",
            )

    def usable(self, stream: Stream, column: int) -> np.ndarray:
        """Return the rows with a value that the factor changes."""
        return changed(stream, column, stream.X[:, column] * self.factor)

    def spoilt(self, stream: Stream, column: int, chosen: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Return the values in the other unit."""
        found: np.ndarray = stream.X[chosen, column] * self.factor
        return found
