"""A stream from a data file."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from mlopsim.core.registry import register
from mlopsim.streams.files.columns import MISSING
from mlopsim.streams.files.readers import file_digest, find_file, read_frame
from mlopsim.streams.files.tables import Table
from mlopsim.streams.sources.base import ColumnStream


@register("stream", "file", version=2)
@dataclass(kw_only=True)
class FileStream(ColumnStream):
    """Rows of a CSV, TSV, Parquet or ARFF file (gzip or zip too), in the order of the file.

    The file's content enters every key, so a changed file is another stream. What columns hold is told
    from all of their values (see :func:`mlopsim.streams.files.tables.table_of`): text of numbers, truths or
    ISO dates is numeric, text that is nearly so is an error, other text is categorical.

    Parameters
    ----------
    path : str
        The file.
    label : str, default "label"
        Column of the labels, of any type.
    missing : list of str
        Texts that stand for a missing value (after stripping blanks).
    time, group, drop, categorical, positive
        As in :class:`mlopsim.streams.sources.base.ColumnStream`.
    rows, windows, warmup, max_rows, thin, shuffle
        As in :class:`mlopsim.streams.sources.base.TableStream`.

    Notes
    -----
    Use it for your own data; what drifts in them is not known, so delays and the like are undefined.

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
        """Return the digest of the file's bytes, which stands for the path in all keys.

        What cannot be used is an error here, before any work starts.
        """
        self.check()
        return self.identity()

    def identity(self) -> dict[str, Any]:
        """Return the digest of the file's bytes."""
        return {"blake2b": file_digest(find_file(self.path)), "replaces": ["path"]}

    def load(self) -> Table:
        """Read the file."""
        path = find_file(self.path)
        return self.table_of(read_frame(path), source=path.name, label=self.label, missing=self.missing)
