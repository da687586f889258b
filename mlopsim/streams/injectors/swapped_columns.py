"""Two columns in each other's place."""

from __future__ import annotations

from dataclasses import dataclass, field

from mlopsim.core.errors import ConfigError, DataError
from mlopsim.core.registry import register
from mlopsim.streams.injectors.base import Aim, Corrupted, Injector
from mlopsim.streams.stream import Stream


@register("injector", "swapped_columns", version=2)
@dataclass(kw_only=True)
class SwappedColumns(Injector):
    r"""Two numeric columns hold each other's values in some rows, as far as they can hold them.

    Where one column has coarser numbers than the other (whole ones, say), it gets those next to them.

    :math:`(x_{ij}, x_{ik}) \leftarrow (x_{ik}, x_{ij})` in the rows i that are hit.

    Parameters
    ----------
    features : list of str
        The two columns; empty: drawn by the seed.

    Notes
    -----
    A mechanism that asks for a column is given the first of the two. Rows in which both values are equal
    cannot be hit.

    It stands for a changed order of columns in part of the rows.

    Examples
    --------
    >>> import numpy as np
    >>> from mlopsim import make
    >>> source = make("stream", "corrupted", base={"bundled": {"dataset": "wine"}},
    ...               injector={"swapped_columns": {"features": ["ash", "hue"]}}, rate=0.2,
    ...               timing={"step": {"at": 10}})
    >>> stream = source.generate(np.random.SeedSequence(0))
    >>> stream.corrupted.sum(axis=0)[[2, 10]].tolist()
    [14, 14]
    """

    features: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        if self.features and len(set(self.features)) != 2:
            raise ConfigError(
                f"injector/swapped_columns.features must name two columns, got {self.features}",
                remedy="name two, or leave it empty",
            )

    def apply(self, stream: Stream, aim: Aim) -> Corrupted:
        """Exchange the values of the rows that are hit."""
        numeric = [j for j in range(len(stream.features)) if j not in stream.categories]
        for name in self.features:
            if name not in [stream.features[j] for j in numeric]:
                raise ConfigError(
                    f"injector/swapped_columns.features: the stream has no numeric column '{name}'",
                    remedy=f"it has: {', '.join(stream.features[j] for j in numeric)}",
                )
        if len(numeric) < 2:
            raise DataError("injector/swapped_columns needs two numeric columns", remedy="use another stream")
        if self.features:
            one, other = (stream.features.index(name) for name in self.features)
        else:
            one, other = (int(j) for j in aim.rng.permutation(numeric)[:2])
        rows = aim.rows(stream, one, stream.X[:, one] != stream.X[:, other])
        X = stream.X.copy()
        X[rows, one], X[rows, other] = stream.X[rows, other], stream.X[rows, one]
        return Corrupted.of(stream, X, stream.y, rows)
