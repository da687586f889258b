"""LIME for tables."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import ClassVar

import numpy as np

from mlopsim.core.errors import ConfigError, DataError
from mlopsim.core.registry import register
from mlopsim.core.spec import check_range
from mlopsim.explain.attributions import Attributions
from mlopsim.explain.explainer import Explainer
from mlopsim.explain.lime import Fit, Function, Scales
from mlopsim.explain.output import Output, finite_output, output_of
from mlopsim.learners.base import Model


class Form(Enum):
    """Interpretable features: distances in standard deviations, or being in the row's quartile."""

    CONTINUOUS = "continuous"
    QUARTILES = "quartiles"


class Around(Enum):
    """Where perturbed rows are drawn: around the background's mean, or around the row itself."""

    MEAN = "mean"
    ROW = "row"


@register("explainer", "lime")
@dataclass(kw_only=True)
class Lime(Explainer):
    r"""Local linear models fitted to perturbed rows: slopes, not shares of the output.

    The formulas, and what differs from the package ``lime``, are in :mod:`mlopsim.explain.lime`. An
    attribution is the change of the output per standard deviation of the feature (``continuous``), or what
    being in the row's quartile adds (``quartiles``). ``base`` is the local model's answer at the background's
    mean (``continuous``), or where no feature is in the row's quartile (``quartiles``). Standard errors are
    those of the perturbations. With a ridge, a row so far from all perturbations that their weights vanish
    gets 0. Rows that share a model and a background are explained fastest in one call.

    With perturbed rows :math:`z_i`, weights :math:`w_i` and distances :math:`u_i` from the row in
    interpretable features,

    .. math::

        \min_{b_0, b} \; \sum_i w_i \left(f(z_i) - b_0 - b^\top u_i\right)^2 + \alpha \|b\|^2, \qquad
        w_i = \exp\left(-\frac{\|u_i\|^2}{2 \, \mathrm{width}^2}\right)

    Parameters
    ----------
    samples : int, default 500
        Perturbed rows, the row itself included.
    form : Form, default "continuous"
        ``continuous`` or ``quartiles`` (what the package does by default).
    around : Around, default "mean"
        ``mean`` (as the package by default) or ``row``; the latter with ``continuous`` only.
    alpha : float, default 1
        Ridge; 0 for none.
    width : float or None
        Width of the kernel: in standard deviations, or (``quartiles``) as the square root of a number of
        features in other quartiles; None: ``.75 sqrt(d)``.
    shared : bool, default True
        All rows have the same perturbations, and (``around=mean``) the model is asked once for all of them.
        False: each its own, as in the package; a row's then depend on its place among the rows.
    output : Output, default "probability"
        What is explained: the class's ``probability`` or ``margin``.
    label : int, default 1
        The class.

    Notes
    -----
    Use it for slopes around a row of any model; not where attributions must add up to the output, or must not
    vary with what is drawn.

    References
    ----------
    .. [1] M. T. Ribeiro, S. Singh and C. Guestrin, "'Why should I trust you?': explaining the predictions of
       any classifier", KDD, 2016, 1135-1144. doi:10.1145/2939672.2939778

    Examples
    --------
    >>> from mlopsim.learners.models import LinearModel, Link
    >>> model = LinearModel(coef=np.array([[1.0, -2.0]]), intercept=np.zeros(1), link=Link.SOFTMAX)
    >>> rng = np.random.default_rng(0)
    >>> background = np.array([[3.0, 1.0], [-3.0, 1.0], [3.0, -1.0], [-3.0, -1.0]])
    >>> Lime(alpha=0.0, output=Output.MARGIN).explain(model, np.ones((1, 2)), background, rng).values.round(6)
    array([[ 3., -2.]])
    """

    efficient: ClassVar[bool] = False
    drawn: ClassVar[bool] = True
    ignores_unused: ClassVar[bool] = False

    samples: int = 500
    form: Form = Form.CONTINUOUS
    around: Around = Around.MEAN
    alpha: float = 1.0
    width: float | None = None
    shared: bool = True
    output: Output = Output.PROBABILITY

    def __post_init__(self) -> None:
        super().__post_init__()
        check_range("explainer/lime.samples", self.samples, 2, 10**7)
        check_range("explainer/lime.alpha", self.alpha, 0.0, 1e12)
        if self.width is not None:
            check_range("explainer/lime.width", self.width, 0.0, 1e6, open_low=True)
        if self.form is Form.QUARTILES and self.around is Around.ROW:
            raise ConfigError(
                "explainer/lime: with form=quartiles there is nothing to draw around the row",
                remedy="around=mean, or form=continuous",
            )

    def explained(self, model: Model, X: np.ndarray) -> np.ndarray:
        """Return the class's probability or margin."""
        return output_of(model, self.output, self.label)(X)

    def attribute(
        self, model: Model, X: np.ndarray, background: np.ndarray, rng: np.random.Generator
    ) -> Attributions:
        """Return the local models' slopes."""
        from mlopsim.explain import lime

        if (background == background[0]).all():
            raise DataError(
                f"{self.full_name}: all background rows are the same: there is nothing to perturb",
                remedy="a background of different rows",
            )
        f, level, own = finite_output(output_of(model, self.output, self.label), X)
        width = lime.kernel_width(X.shape[1]) if self.width is None else self.width
        if self.form is Form.QUARTILES:
            fit = self._quartiles(f, own, X, background, rng, width)
            return Attributions(
                values=fit.coef, base=fit.at_row - fit.coef.sum(axis=1) + level, stderr=fit.stderr
            )
        scales = lime.Scales.of(background)
        Z = scales.units(X)
        fit = self._continuous(f, own, X, Z, scales, rng, width)
        base = fit.at_row - np.einsum("nj,nj->n", Z, fit.coef) + level
        return Attributions(values=fit.coef, base=base, stderr=fit.stderr)

    def _continuous(
        self,
        f: Function,
        own: np.ndarray,
        X: np.ndarray,
        Z: np.ndarray,
        scales: Scales,
        rng: np.random.Generator,
        width: float,
    ) -> Fit:
        from mlopsim.explain import lime

        if self.shared and self.around is Around.MEAN:
            return lime.shared_continuous(f, own, Z, scales, self.samples, rng, width, self.alpha)
        others, d = self.samples - 1, X.shape[1]
        once = np.where(scales.fixed, 0.0, rng.standard_normal((others, d))) if self.shared else None

        def perturb(some: slice) -> tuple[np.ndarray, np.ndarray]:
            E = once
            if E is None:
                E = np.where(scales.fixed, 0.0, rng.standard_normal((len(X[some]), others, d)))
            centre = X[some, None] if self.around is Around.ROW else scales.mean
            return E, centre + scales.deviation * E

        def relative(some: slice, E: np.ndarray) -> np.ndarray:
            return E if self.around is Around.ROW else E - Z[some, None]

        return lime.per_row(f, own, perturb, relative, width, self.alpha, others * d)

    def _quartiles(
        self,
        f: Function,
        own: np.ndarray,
        X: np.ndarray,
        background: np.ndarray,
        rng: np.random.Generator,
        width: float,
    ) -> Fit:
        from mlopsim.explain import lime, quartiles

        bins = quartiles.bins_of(background)
        mine, others = quartiles.codes_of(X, bins.cuts), self.samples - 1
        once = quartiles.draw(bins, (others,), rng) if self.shared else None

        def perturb(some: slice) -> tuple[np.ndarray, np.ndarray]:
            return once or quartiles.draw(bins, (len(X[some]), others), rng)

        def relative(some: slice, codes: np.ndarray) -> np.ndarray:
            features: np.ndarray = (codes == mine[some, None]) - 1.0
            return features

        return lime.per_row(f, own, perturb, relative, width, self.alpha, others * X.shape[1])
