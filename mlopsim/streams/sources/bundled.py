"""Data sets that scikit-learn ships."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Any

from mlopsim.core.registry import register
from mlopsim.streams.files.tables import Table, table_of
from mlopsim.streams.sources.base import TableStream


class Bundled(Enum):
    """The classification data sets inside scikit-learn."""

    BREAST_CANCER = "breast_cancer"
    DIGITS = "digits"
    IRIS = "iris"
    WINE = "wine"


@register("stream", "bundled")
@dataclass(kw_only=True)
class BundledStream(TableStream):
    """A data set of scikit-learn; none has an order in time, so rows are shuffled by the scenario seed.

    Parameters
    ----------
    dataset : str
        ``breast_cancer`` (569 x 30, 2 classes), ``digits`` (1797 x 64, 10), ``iris`` (150 x 4, 3) or
        ``wine`` (178 x 13, 3).
    rows, windows, warmup, max_rows, thin
        As in :class:`mlopsim.streams.sources.base.TableStream`.
    shuffle : bool, default True
        Shuffle all rows first, by the scenario seed: for data without an order in time.

    Notes
    -----
    Use it where nothing may be fetched; the rows have no time, so drift must be put in (``stream/injected``).

    References
    ----------
    .. [1] F. Pedregosa and others, "Scikit-learn: machine learning in Python", Journal of Machine Learning
       Research 12, 2011, 2825-2830.

    Examples
    --------
    >>> import numpy as np
    >>> stream = BundledStream(dataset=Bundled.WINE).generate(np.random.SeedSequence(0))
    >>> stream.X.shape, stream.windows, stream.classes
    ((170, 13), 17, ('class_0', 'class_1', 'class_2'))
    """

    dataset: Bundled = Bundled.BREAST_CANCER
    shuffle: bool = True

    def content(self) -> dict[str, Any]:
        """Return nothing: these data sets have not changed since they were added."""
        return {}

    def load(self) -> Table:
        """Load the data set."""
        import polars as pl
        from sklearn import datasets

        data = getattr(datasets, f"load_{self.dataset.value}")()
        frame = pl.DataFrame(data.data, schema=[str(name) for name in data.feature_names])
        names = [str(name) for name in data.target_names]
        frame = frame.with_columns(pl.Series("(target)", [names[code] for code in data.target]))
        return table_of(frame, source=f"scikit-learn's {self.dataset.value}", label="(target)")
