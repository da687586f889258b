"""Outliers anywhere."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mlopsim.core.registry import register
from mlopsim.core.spec import check_range
from mlopsim.streams.injectors._outliers import Normal, Outliers


@register("injector", "outlier_global", version=2)
@dataclass(kw_only=True)
class OutlierGlobal(Outliers):
    r"""Rows that are uniform in a box around all normal rows.

    With centre :math:`c_j` and half width :math:`r_j` of the warm-up's range,
    :math:`x_{ij} \sim U(c_j - \mathrm{scale} \cdot r_j, c_j + \mathrm{scale} \cdot r_j)`.

    Parameters
    ----------
    scale : float, default 1.1
        The box reaches from ``centre - scale r`` to ``centre + scale r``, centre and half width r of the
        range of the warm-up rows in each numeric column.

    Notes
    -----
    It stands for random values in all columns at once.

    References
    ----------
    .. [1] S. Han, X. Hu, H. Huang, M. Jiang and Y. Zhao, "ADBench: anomaly detection benchmark", NeurIPS
       Datasets and Benchmarks, 2022. arXiv:2206.09426

    Examples
    --------
    >>> from mlopsim import make
    >>> source = make("stream", "corrupted", base={"bundled": {"dataset": "wine"}}, rate=0.2,
    ...               injector="outlier_global", timing={"step": {"at": 10}})
    >>> stream = source.generate(np.random.SeedSequence(0))
    >>> int(stream.corrupted.any(axis=1).sum()), bool(stream.corrupted[stream.corrupted.any(axis=1)].all())
    (14, True)
    """

    scale: float = 1.1

    def __post_init__(self) -> None:
        check_range("injector/outlier_global.scale", self.scale, 0.0, 1e6, open_low=True)

    def drawn(self, normal: Normal, given: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Return points of the box."""
        low, high = normal.rows.min(axis=0), normal.rows.max(axis=0)
        centre, half = 0.5 * (low + high), 0.5 * (high - low)
        found: np.ndarray = centre + self.scale * half * rng.uniform(-1.0, 1.0, size=given.shape)
        return found
