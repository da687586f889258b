"""A sensor out of calibration."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mlopsim.core.errors import ConfigError
from mlopsim.core.registry import register
from mlopsim.core.spec import check_range
from mlopsim.streams.injectors.base import ColumnInjector, changed, location_and_spread
from mlopsim.streams.stream import Stream


@register("injector", "affine", version=2)
@dataclass(kw_only=True)
class Affine(ColumnInjector):
    r"""Values of some numeric columns are stretched about the mean and shifted.

    x becomes, with mean m and standard deviation s of the warm-up,

    .. math:: m + \mathrm{gain} \, (x - m) + \mathrm{shift} \cdot s

    number next to that which the column can hold. Values that stay what they are cannot be hit.

    Parameters
    ----------
    features : list of str
        Columns that are hit; empty: drawn by the seed.
    count : int, default 1
        How many are drawn where ``features`` is empty.
    gain : float, default 1.5
        Slope.
    shift : float, default 2.0
        In standard deviations.

    Notes
    -----
    It stands for a sensor that is badly calibrated.

    Examples
    --------
    >>> from mlopsim import make
    >>> source = make("stream", "corrupted", base={"bundled": {"dataset": "wine"}}, injector="affine",
    ...               rate=1.0, timing={"step": {"at": 10}})
    >>> stream = source.generate(np.random.SeedSequence(0))
    >>> int(stream.corrupted.sum())
    70
    """

    gain: float = 1.5
    shift: float = 2.0

    def __post_init__(self) -> None:
        super().__post_init__()
        check_range("injector/affine.gain", self.gain, -1e6, 1e6)
        check_range("injector/affine.shift", self.shift, -1e6, 1e6)
        if self.gain == 1.0 and self.shift == 0.0:
            raise ConfigError("injector/affine with gain 1 and shift 0 changes nothing", remedy="set one")

    def usable(self, stream: Stream, column: int) -> np.ndarray:
        """Return the rows with a value that the sensor reads as another one."""
        everything = np.ones(len(stream.y), dtype=np.bool_)
        return changed(stream, column, self._read(stream, column, everything))

    def spoilt(self, stream: Stream, column: int, chosen: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Return the values as the sensor reads them."""
        return self._read(stream, column, chosen)

    def _read(self, stream: Stream, column: int, chosen: np.ndarray) -> np.ndarray:
        mean, spread = location_and_spread(stream, column)
        found: np.ndarray = mean + self.gain * (stream.X[chosen, column] - mean) + self.shift * spread
        return found
