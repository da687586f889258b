"""Prior shift: the base rate changes, the inputs given the label do not."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mlopsim.core.errors import ConfigError
from mlopsim.core.registry import register
from mlopsim.core.spec import check_range
from mlopsim.streams.concepts.base import Concept, Law
from mlopsim.streams.layout import Layout
from mlopsim.streams.shifts.base import Shift
from mlopsim.streams.stream import DriftKind


@register("shift", "prior")
@dataclass(kw_only=True)
class Prior(Shift):
    r"""Class proportions change by resampling; P(x | y) stays exactly what the concept says.

    While the shift is there, class ``label`` makes up ``share`` of the rows and the other classes share
    the rest equally (before label noise).

    With C classes, :math:`P(y = \mathrm{label}) = \mathrm{share}` and
    :math:`P(y = k) = (1 - \mathrm{share}) / (C - 1)` of each other one.

    Parameters
    ----------
    at, width, until
        When it comes and goes; see the base class: windows, None: drawn, 0 wide: abrupt.
    label : int, default 1
        The class.
    share : float, default 0.8
        Its share, 0..1.

    Notes
    -----
    Use it for classes that become frequent or rare.

    References
    ----------
    .. [1] J. G. Moreno-Torres, T. Raeder, R. Alaiz-Rodríguez, N. V. Chawla and F. Herrera, "A unifying view
       on dataset shift in classification", Pattern Recognition 45, 2012, 521-530.
       doi:10.1016/j.patcog.2011.06.019

    Examples
    --------
    >>> from mlopsim import make
    >>> shift = Prior(at=3, share=0.9)
    >>> layout = Layout(windows=5, rows=10, warmup=2)
    >>> events = shift.reset(make("concept", "sea"), layout, 1, np.random.default_rng(1))
    >>> events[0].kind.value, events[0].start, events[0].magnitude
    ('prior', 30, 0.9)
    """

    label: int = 1
    share: float = 0.8

    def __post_init__(self) -> None:
        super().__post_init__()
        check_range("prior.share", self.share, 0.0, 1.0)

    def prepare(self, concept: Concept, layout: Layout, groups: int, rng: np.random.Generator) -> None:
        """Draw what is random and check it against the concept."""
        self._classes = len(concept.classes)
        check_range("prior.label", self.label, 0, self._classes - 1)
        law = Law.of(np.arange(2000 * concept.count) % concept.count)
        seen = np.unique(concept.sample(law, rng)[1])
        if len(seen) < self._classes:
            missing = sorted(set(range(self._classes)) - set(seen.tolist()))
            raise ConfigError(
                f"{concept.full_name}: class {missing[0]} did not occur in {len(law)} rows, so its share "
                "cannot be changed",
                remedy="choose another concept",
            )

    def describe(self) -> tuple[DriftKind, float, str]:
        """Return kind, magnitude and detail of its events."""
        return DriftKind.PRIOR, self.share, f"share of class {self.label}"

    def wanted(self, rows: np.ndarray, g: np.ndarray, rng: np.random.Generator) -> np.ndarray | None:
        """Return the label that each row must get, -1: any."""
        strength = self.strength[rows]
        if not strength.any():
            return None
        active = rng.random(len(rows)) < strength
        other = rng.integers(0, self._classes - 1, size=len(rows))
        other += other >= self.label
        label = np.where(rng.random(len(rows)) < self.share, self.label, other)
        return np.where(active, label, -1)
