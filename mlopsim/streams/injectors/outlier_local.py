"""Outliers among their neighbours."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mlopsim.core.registry import register
from mlopsim.core.spec import check_range
from mlopsim.streams.injectors._outliers import Normal, Outliers

#: distances held at a time
BLOCK = 1 << 22


@register("injector", "outlier_local", version=2)
@dataclass(kw_only=True)
class OutlierLocal(Outliers):
    r"""Rows that lie within the range of all columns but far from their neighbours.

    A row is moved in a random direction by ``distance`` times the distance from it to its ``k``-th nearest
    warm-up row (all columns standardised), and brought back into the range that each column has in the
    warm-up: dense regions have outliers that are no outliers elsewhere.

    With standardised rows z, the distance :math:`d_k(z)` to the k-th nearest warm-up row and a uniform
    direction u, :math:`\|u\| = 1`,

    .. math:: z \leftarrow z + \mathrm{distance} \cdot d_k(z) \, u

    then each column is cut off at its least and largest warm-up value.

    Parameters
    ----------
    distance : float, default 4.0
        In distances to the k-th neighbour.
    k : int, default 10
        Neighbour that the scale comes from.

    Notes
    -----
    It stands for values that are wrong for their neighbourhood only.

    References
    ----------
    .. [1] M. M. Breunig, H.-P. Kriegel, R. T. Ng and J. Sander, "LOF: identifying density-based local
       outliers", SIGMOD, 2000, 93-104. doi:10.1145/342009.335388

    Examples
    --------
    >>> from mlopsim import make
    >>> source = make("stream", "corrupted", base={"bundled": {"dataset": "wine"}}, rate=0.2,
    ...               injector="outlier_local", timing={"step": {"at": 10}})
    >>> stream = source.generate(np.random.SeedSequence(0))
    >>> int(stream.corrupted.any(axis=1).sum())
    14
    """

    distance: float = 4.0
    k: int = 10

    def __post_init__(self) -> None:
        check_range("injector/outlier_local.distance", self.distance, 0.0, 1e6, open_low=True)
        check_range("injector/outlier_local.k", self.k, 1, 10**6)

    def values(self, normal: Normal, given: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Return the moved rows, none beyond what a column holds in the warm-up."""
        moved = super().values(normal, given, rng)
        found: np.ndarray = np.clip(moved, normal.stored.min(axis=0), normal.stored.max(axis=0))
        return found

    def drawn(self, normal: Normal, given: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Return the moved rows, standardised."""
        k = min(self.k, len(normal.rows)) - 1
        radius = np.empty(len(given))
        step = max(1, BLOCK // normal.rows.size)
        for i in range(0, len(given), step):
            apart = ((given[i : i + step, None, :] - normal.rows) ** 2).sum(axis=2)
            radius[i : i + step] = np.sqrt(np.partition(apart, k, axis=1)[:, k])
        way = rng.normal(size=given.shape)
        way /= np.linalg.norm(way, axis=1, keepdims=True)
        moved: np.ndarray = given + self.distance * radius[:, None] * way
        return moved
