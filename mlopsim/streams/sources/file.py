"""A stream from a data file."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from mlopsim.core.registry import register
from mlopsim.streams.readers import file_digest, find_file, read_frame
from mlopsim.streams.sources._base import ColumnStream
from mlopsim.streams.tables import MISSING, Table, table_of


@register("stream", "file")
@dataclass(kw_only=True)
class FileStream(ColumnStream):
    """Rows of a CSV, TSV, Parquet or ARFF file (gzip or zip too), in the order of the file.

    The file's content enters every key, so a changed file is another stream. Text columns are
    categorical unless all of their values read as numbers.

    Parameters
    ----------
    path : str
        The file.
    label : str, default "label"
        Column of the labels, of any type.
    missing : list of str
        Texts that stand for a missing value (after stripping blanks).
    time : str
        Column to sort by (stably); empty: the order of the source is the order in time.
    group : str
        Protected group column; it stays a feature unless dropped.
    drop, categorical : list of str
        Columns that are no features; numeric columns that are categories.
    positive : str
        This label against all others.
    rows, windows : int, default 0 and 120
        Rows a window; with 0 as many as give about ``windows`` windows, at least 10.
    warmup : int, default 10
        Windows of history.
    max_rows : int, default 0
        Use the first so many rows only; 0: all.
    thin : float, default 1.0
        Share of the rows of each window to keep, drawn by the scenario seed.
    shuffle : bool, default False
        Shuffle all rows first, by the scenario seed: for data without an order in time.

    Examples
    --------
    >>> import tempfile, numpy as np
    >>> from pathlib import Path
    >>> path = Path(tempfile.mkdtemp()) / "small.csv"
    >>> _ = path.write_text("x,job,label\\n" + "1.5,cook,no\\n?,nurse,yes\\n" * 60)
    >>> source = FileStream(path=str(path), rows=20, warmup=2)
    >>> stream = source.generate(np.random.SeedSequence(0))
    >>> stream.windows, stream.features, stream.classes, stream.categories
    (6, ('x', 'job'), ('no', 'yes'), {1: ('cook', 'nurse')})
    """

    path: str = ""
    label: str = "label"
    missing: list[str] = field(default_factory=lambda: list(MISSING))

    def content(self) -> dict[str, Any]:
        """Return the digest of the file's bytes; it stands for the path in all keys."""
        return {"blake2b": file_digest(find_file(self.path)), "replaces": ["path"]}

    def load(self) -> Table:
        """Read the file."""
        path = find_file(self.path)
        return table_of(
            read_frame(path),
            source=path.name,
            label=self.label,
            time=self.time,
            group=self.group,
            drop=self.drop,
            categorical=self.categorical,
            positive=self.positive,
            missing=self.missing,
        )
