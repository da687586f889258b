"""Data sets of OpenML by name or number."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from mlopsim.core.errors import ConfigError, DataError
from mlopsim.core.registry import register
from mlopsim.core.spec import check_range
from mlopsim.streams.files.tables import Table
from mlopsim.streams.sources.base import ColumnStream


@lru_cache(maxsize=4)
def _fetch(dataset: str, edition: int, data_id: int) -> Any:
    """Return the bunch of ``sklearn.datasets.fetch_openml``, which keeps a copy on disk."""
    from sklearn.datasets import fetch_openml

    what = f"OpenML data set {data_id or f'{dataset} (version {edition})'}"
    which = {"data_id": data_id} if data_id else {"name": dataset, "version": edition}
    try:
        return fetch_openml(**which, as_frame=False, parser="liac-arff", n_retries=1)
    except OSError as error:
        raise DataError(
            f"{what} is not on this machine and cannot be fetched: {error}",
            remedy="connect to the network once (scikit-learn keeps a copy in its data folder), or use "
            "stream=file with a copy of it",
        ) from error
    except ValueError as error:
        raise DataError(
            f"{what} cannot be used: {error}", remedy="check name, edition or data_id on openml.org"
        ) from error


@register("stream", "openml")
@dataclass(kw_only=True)
class OpenMlStream(ColumnStream):
    """A data set of OpenML through ``sklearn.datasets.fetch_openml``, in the order it is stored in.

    Fetched once, then read from scikit-learn's data folder.

    Parameters
    ----------
    dataset : str, default "electricity"
        Its name; not used if ``data_id`` is given.
    edition : int, default 1
        OpenML's version number of that name.
    data_id : int, default 0
        OpenML's number of the data set; 0: by name.
    target : str
        Label column; empty: the data set's own target.
    time, group, drop, categorical, positive
        As in :class:`mlopsim.streams.sources.base.ColumnStream`.
    rows, windows, warmup, max_rows, thin, shuffle
        As in :class:`mlopsim.streams.sources.base.TableStream`.

    Notes
    -----
    Use it for public data sets; the first use fetches, so not where there is no network.

    References
    ----------
    .. [1] J. Vanschoren, J. N. van Rijn, B. Bischl and L. Torgo, "OpenML: networked science in machine
       learning", SIGKDD Explorations 15(2), 2013, 49-60. doi:10.1145/2641190.2641198

    Examples
    --------
    >>> OpenMlStream(data_id=151, group="day").data_id
    151
    """

    dataset: str = "electricity"
    edition: int = 1
    data_id: int = 0
    target: str = ""

    def __post_init__(self) -> None:
        super().__post_init__()
        check_range("openml.data_id", self.data_id, 0, 10**9)
        check_range("openml.edition", self.edition, 1, 10**6)
        if not self.dataset and not self.data_id:
            raise ConfigError("stream/openml needs a data set", remedy="set dataset=NAME or data_id=NUMBER")

    def content(self) -> dict[str, Any]:
        """Return OpenML's number and checksum of the data (fetches them the first time)."""
        details = _fetch(self.dataset, self.edition, self.data_id).details
        return {"id": str(details["id"]), "md5": str(details.get("md5_checksum", ""))}

    def load(self) -> Table:
        """Turn the fetched data into a table."""
        import polars as pl

        data = _fetch(self.dataset, self.edition, self.data_id)
        columns: list[pl.Series] = []
        values = data.data.toarray() if hasattr(data.data, "toarray") else np.asarray(data.data)
        # with several targets or none scikit-learn has no single label column
        own = list(data.target_names or [])
        names = [*data.feature_names]
        arrays = [values[:, j] for j in range(len(names))]
        if data.target is not None and len(own) == 1:
            names.append(own[0])
            arrays.append(np.asarray(data.target))
        label = self.target or (own[0] if len(own) == 1 else "")
        if not label:
            raise DataError(
                f"the OpenML data set has {len(own)} target columns", remedy=f"set target to one of: {names}"
            )
        known = data.categories or {}
        for name, array in zip(names, arrays, strict=True):
            if name in known and array.dtype.kind == "f":
                words = [str(word) for word in known[name]]
                coded = [None if np.isnan(code) else words[int(code)] for code in array]
                columns.append(pl.Series(name, coded, dtype=pl.Enum(list(dict.fromkeys(words)))))
            elif array.dtype.kind in "fiub":
                series = pl.Series(name, array)
                # scikit-learn has floats only; a label or group is the integer that the file has
                whole = array.dtype.kind == "f" and bool(
                    np.equal(np.mod(array, 1), 0)[~np.isnan(array)].all()
                )
                columns.append(series.fill_nan(None).cast(pl.Int64) if whole else series)
            else:
                columns.append(pl.Series(name, [None if item is None else str(item) for item in array]))
        return self.table_of(pl.DataFrame(columns), source=f"OpenML {data.details['id']}", label=label)
