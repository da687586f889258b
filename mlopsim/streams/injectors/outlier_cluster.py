"""Outliers of one kind."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mlopsim.core.registry import register
from mlopsim.core.spec import check_range
from mlopsim.streams.injectors._outliers import Normal, Outliers


@register("injector", "outlier_cluster", version=2)
@dataclass(kw_only=True)
class OutlierCluster(Outliers):
    r"""Rows around one point far from the normal ones: they look like a group of their own.

    With mean :math:`m_j` and standard deviation :math:`s_j` of the warm-up and signs :math:`u_j = \pm 1`
    drawn once,

    .. math::

        x_{ij} \leftarrow m_j + s_j \, (\mathrm{distance} \cdot u_j + \mathrm{spread} \cdot e_{ij}), \qquad
        e_{ij} \sim N(0, 1)

    Parameters
    ----------
    distance : float, default 5.0
        Of the point from the mean, in standard deviations of each column, in a direction that the seed
        draws: its coordinates are plus or minus ``distance``.
    spread : float, default 0.3
        Standard deviation of the rows around it, in those of each column.

    Notes
    -----
    It stands for a source of its own, such as a broken device: rows that are alike among themselves.

    References
    ----------
    .. [1] S. Han, X. Hu, H. Huang, M. Jiang and Y. Zhao, "ADBench: anomaly detection benchmark", NeurIPS
       Datasets and Benchmarks, 2022. arXiv:2206.09426

    Examples
    --------
    >>> from mlopsim import make
    >>> source = make("stream", "corrupted", base={"bundled": {"dataset": "wine"}}, rate=0.2,
    ...               injector="outlier_cluster", timing={"step": {"at": 10}})
    >>> stream = source.generate(np.random.SeedSequence(0))
    >>> int(stream.corrupted.any(axis=1).sum())
    14
    """

    distance: float = 5.0
    spread: float = 0.3

    def __post_init__(self) -> None:
        check_range("injector/outlier_cluster.distance", self.distance, 0.0, 1e6, open_low=True)
        check_range("injector/outlier_cluster.spread", self.spread, 0.0, 1e6, open_low=True)

    def drawn(self, normal: Normal, given: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Return points of the cluster."""
        centre = self.distance * rng.choice([-1.0, 1.0], size=given.shape[1])
        found: np.ndarray = centre + self.spread * rng.normal(size=given.shape)
        return found
