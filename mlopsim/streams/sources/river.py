"""Classification data sets of river by name."""

from __future__ import annotations

from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

from mlopsim.core.errors import ConfigError, DataError, nearest
from mlopsim.core.registry import register
from mlopsim.streams.files.readers import file_digest
from mlopsim.streams.files.tables import Table
from mlopsim.streams.sources.base import ColumnStream

LABEL = "(target)"
TASKS = ("Binary classification", "Multi-class classification")


@register("stream", "river")
@dataclass(kw_only=True)
class RiverStream(ColumnStream):
    """A binary or multi-class data set of ``river.datasets``, in river's order.

    Bundled with river are Bananas, ImageSegments, Phishing and others; those that river downloads
    (Elec2, Insects, ...) are used if they are on this machine already, and never downloaded in the
    middle of a sweep.

    Parameters
    ----------
    dataset : str, default "Phishing"
        Name of the class in ``river.datasets``.
    params : dict
        Its constructor parameters, e.g. ``{variant: abrupt_balanced}`` for Insects.
    time, group, drop, categorical, positive
        As in :class:`mlopsim.streams.sources.base.ColumnStream`.
    rows, windows, warmup, max_rows, thin, shuffle
        As in :class:`mlopsim.streams.sources.base.TableStream`.

    Notes
    -----
    Use it for the data sets of the drift literature.

    References
    ----------
    .. [1] J. Montiel, M. Halford, S. M. Mastelini and others, "River: machine learning for streaming data in
       Python", Journal of Machine Learning Research 22(110), 2021, 1-8.

    Examples
    --------
    >>> import numpy as np
    >>> stream = RiverStream(dataset="Phishing").generate(np.random.SeedSequence(0))
    >>> stream.X.shape, stream.classes
    ((1250, 9), ('0', '1'))
    """

    dataset: str = "Phishing"
    params: dict[str, Any] = field(default_factory=dict)

    def content(self) -> dict[str, Any]:
        """Return the digest of the data set's file, or river's version where it is no single file."""
        path = Path(self._dataset().path)
        return {"blake2b": file_digest(path)} if path.is_file() else {"river": version("river")}

    def _dataset(self) -> Any:
        """Return river's data set, if it is one with classes and on this machine."""
        from river import datasets

        known = [name for name in dir(datasets) if isinstance(getattr(datasets, name), type)]
        if self.dataset not in known:
            raise ConfigError(
                f"river has no data set '{self.dataset}'{nearest(self.dataset, known)}",
                remedy=f"one of: {', '.join(known)}",
            )
        try:
            data = getattr(datasets, self.dataset)(**self.params)
        except (TypeError, ValueError) as error:
            raise ConfigError(f"river.params: {error}") from error
        if data.task not in TASKS:
            raise ConfigError(
                f"river's {self.dataset} is for {data.task.lower()}, not for classes",
                remedy=f"choose one for {' or '.join(task.lower() for task in TASKS)}",
            )
        if not getattr(data, "is_downloaded", True):
            given = ", ".join(f"{key}={value!r}" for key, value in self.params.items())
            raise DataError(
                f"river's {self.dataset} is not on this machine (river would fetch it from {data.url})",
                remedy=f'download it once: python -c "from river import datasets; '
                f'datasets.{self.dataset}({given}).download()", or use stream=file with a copy of it',
            )
        return data

    def load(self) -> Table:
        """Read the data set into a table."""
        import polars as pl

        data = self._dataset()
        rows: list[dict[str, Any]] = []
        labels: list[Any] = []
        for x, y in data:
            rows.append(x)
            labels.append(y)
        columns = [pl.Series(str(name), [row.get(name) for row in rows], strict=False) for name in rows[0]]
        frame = pl.DataFrame(
            [
                *columns,
                pl.Series(LABEL, [str(int(label) if isinstance(label, bool) else label) for label in labels]),
            ]
        )
        return self.table_of(frame, source=f"river's {self.dataset}", label=LABEL)
