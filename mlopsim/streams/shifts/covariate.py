"""Covariate shift: the inputs change, the labels given the inputs do not."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

import numpy as np

from mlopsim.core.registry import register
from mlopsim.core.spec import check_range
from mlopsim.streams.concepts.base import Concept, Law
from mlopsim.streams.layout import Layout
from mlopsim.streams.shifts.base import Mover, Shift, movable
from mlopsim.streams.stream import DriftKind


class CovariateMode(Enum):
    """How the inputs change."""

    MOVE = "move"
    RESAMPLE = "resample"


@register("shift", "covariate")
@dataclass(kw_only=True)
class Covariate(Shift):
    r"""P(x) changes and P(y | x) stays exactly what the concept says.

    ``move`` displaces the inputs by ``magnitude`` standard deviations along a direction, rescales them by
    ``scale``, and then draws the labels by the concept's rule. ``resample`` keeps a drawn row with
    probability :math:`1 / (1 + \exp(-\mathrm{magnitude} \cdot z))`, z being its standardised position along
    the direction, so that no row lies where none could lie before; it works for categorical features, too.

    With mean m and standard deviation :math:`\sigma` of the inputs, the direction u and the strength s from 0
    to 1, ``move`` gives

    .. math:: x' = m + (x - m) (1 + s (\mathrm{scale} - 1)) + s \cdot \mathrm{magnitude} \cdot \sigma u

    Parameters
    ----------
    at, width, until
        When it comes and goes; see the base class: windows, None: drawn, 0 wide: abrupt.
    mode : move or resample
        How the inputs change.
    magnitude : float, default 1.0
        Displacement in standard deviations (``move``), slope (``resample``).
    scale : float, default 1.0
        Factor of the spread around the mean (``move`` only).
    feature : int or None
        The only feature that changes; None: a random direction.

    Notes
    -----
    Use it for moves of the inputs that call for no new rule: detectors of inputs alarm, and a right model
    needs no retrain.

    References
    ----------
    .. [1] J. G. Moreno-Torres, T. Raeder, R. Alaiz-Rodríguez, N. V. Chawla and F. Herrera, "A unifying view
       on dataset shift in classification", Pattern Recognition 45, 2012, 521-530.
       doi:10.1016/j.patcog.2011.06.019

    Examples
    --------
    >>> from mlopsim import make
    >>> shift = Covariate(at=3, feature=0, magnitude=2.0)
    >>> concept = make("concept", "linear_gaussian", d=2)
    >>> events = shift.reset(concept, Layout(windows=5, rows=10, warmup=2), 1, np.random.default_rng(1))
    >>> events[0].kind.value, events[0].start, events[0].magnitude
    ('covariate', 30, 2.0)
    """

    mode: CovariateMode = CovariateMode.MOVE
    magnitude: float = 1.0
    scale: float = 1.0
    feature: int | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        check_range("covariate.magnitude", self.magnitude, -100.0, 100.0)
        check_range("covariate.scale", self.scale, 0.0, 1000.0, open_low=True)

    def check(self, concept: Concept) -> None:
        """Raise ConfigError if nothing could be displaced."""
        if self.mode is CovariateMode.MOVE:
            movable(concept, self.feature)

    def prepare(self, concept: Concept, layout: Layout, groups: int, rng: np.random.Generator) -> None:
        """Draw what is random and check it against the concept."""
        if self.mode is CovariateMode.MOVE:
            self._mover = Mover(concept, self.feature, self.magnitude, self.scale, rng)
            return
        X = concept.inputs(Law.of(np.arange(2000) % concept.count), rng)
        sd = X.std(axis=0)
        direction = np.zeros(X.shape[1])
        if self.feature is None:
            raw = np.asarray(rng.standard_normal(X.shape[1]))
            direction[:] = raw / np.sqrt((raw * raw).sum())
        else:
            check_range("covariate.feature", self.feature, 0, X.shape[1] - 1)
            direction[self.feature] = 1.0
        self._mean, self._slope = X.mean(axis=0), direction / np.where(sd > 0.0, sd, 1.0)

    def describe(self) -> tuple[DriftKind, float, str]:
        """Return kind, magnitude and detail of its events."""
        if self.mode is CovariateMode.MOVE:
            return (
                DriftKind.COVARIATE,
                self.magnitude,
                f"inputs move, standard deviations; scale {self.scale:g}",
            )
        return DriftKind.COVARIATE, self.magnitude, "inputs resampled, slope of the logistic weight"

    def move(self, X: np.ndarray, rows: np.ndarray, g: np.ndarray) -> np.ndarray | None:
        """Return moved inputs, or None."""
        strength = self.strength[rows]
        if self.mode is not CovariateMode.MOVE or not strength.any():
            return None
        return self._mover(X, strength)

    def keep(self, X: np.ndarray, rows: np.ndarray, g: np.ndarray) -> np.ndarray | None:
        """Return the probability with which a drawn row is kept, or None."""
        strength = self.strength[rows]
        if self.mode is not CovariateMode.RESAMPLE or not strength.any():
            return None
        z = np.einsum("nd,d->n", X - self._mean, self._slope)
        weight = 0.5 * (1.0 + np.tanh(0.5 * self.magnitude * z))
        return np.asarray(1.0 - strength * (1.0 - weight))
