"""Outliers that no single column shows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mlopsim.core.registry import register
from mlopsim.streams.injectors._outliers import Normal, Outliers


@register("injector", "outlier_dependency", version=2)
@dataclass(kw_only=True)
class OutlierDependency(Outliers):
    r"""Rows whose columns are right one by one and wrong together.

    Each numeric value is that of a warm-up row drawn for this column alone, as it is stored, to the bit: the
    marginal laws stay, the dependence between columns and on the label is gone. A cell that by chance gets
    the value that it had is not wrong.

    :math:`x_{ij} \leftarrow x_{r(i, j) j}` with :math:`r(i, j)` uniform over the complete warm-up rows,
    independently for each column.

    Notes
    -----
    It stands for records put together wrongly. Detectors of single columns are blind to it.

    References
    ----------
    .. [1] S. Han, X. Hu, H. Huang, M. Jiang and Y. Zhao, "ADBench: anomaly detection benchmark", NeurIPS
       Datasets and Benchmarks, 2022. arXiv:2206.09426

    Examples
    --------
    >>> from mlopsim import make
    >>> source = make("stream", "corrupted", base={"bundled": {"dataset": "wine"}}, rate=0.2,
    ...               injector="outlier_dependency", timing={"step": {"at": 10}})
    >>> stream = source.generate(np.random.SeedSequence(0))
    >>> int(stream.corrupted.any(axis=1).sum())
    14
    """

    def values(self, normal: Normal, given: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Return stored values, drawn column by column."""
        rows = rng.integers(len(normal.stored), size=given.shape)
        return np.take_along_axis(normal.stored, rows, axis=0)
