"""Columns and categories that are not those that were agreed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from mlopsim.core.registry import register
from mlopsim.core.spec import check_range
from mlopsim.quality.batch_gate import BatchGate
from mlopsim.quality.gate import Rows


@register("gate", "schema")
@dataclass(kw_only=True)
class Schema(BatchGate):
    """Checks names, types and order of the columns, unseen categories and columns without any value.

    No test: the score is infinite (p = 0) where something is wrong, else 0 (p = 1). Not wrong is a column
    without a value that has none in the reference, either. With ``unseen`` at 0 a rare category that the
    reference happens to lack is a false alarm.

    Parameters
    ----------
    unseen : float, default 0.0
        Share of a column's known values that may be of categories which the reference lacks.
    alpha : float, default 0.05
        Plays no part unless it is 1, which flags everything.
    action : Action or None
        What is done with a flagged batch; None: ``hold``.

    Notes
    -----
    Use it before anything else reads a batch. It sees no wrong value in an agreed column.

    References
    ----------
    .. [1] E. Breck, N. Polyzotis, S. Roy, S. E. Whang and M. Zinkevich, "Data validation for machine
       learning", MLSys, 2019.

    Examples
    --------
    >>> X = np.array([[0.0, 1.5], [1.0, 2.5]])
    >>> rows = Rows(X=X, Z=X, y=np.zeros(2, np.int64), n_classes=2, features=("job", "age"), categorical=(0,))
    >>> gate = Schema()
    >>> learned = gate.learn(rows, np.random.default_rng(0))
    >>> gate.score(learned, rows)
    array(0.)
    >>> bad = rows.take(slice(0, 1))
    >>> bad.X[:] = [2.0, np.nan]
    >>> gate.problems(learned, bad)
    ["column 'job': 1 of 1 values in unseen categories", "column 'age': no value"]
    >>> gate.score(learned, bad)
    array(inf)
    """

    family: ClassVar[str] = "rule"

    unseen: float = 0.0

    def __post_init__(self) -> None:
        super().__post_init__()
        check_range("gate/schema.unseen", self.unseen, 0.0, 1.0)

    def learn(self, reference: Rows, rng: np.random.Generator) -> Any:
        """Return names, categorical columns, their codes and which columns have no value."""
        self.check_reference(reference)
        codes = {j: np.unique(reference.X[:, j]) for j in reference.categorical}
        return reference.features, reference.categorical, codes, np.isnan(reference.X).all(axis=0)

    def problems(self, learned: Any, rows: Rows) -> list[str]:
        """Return what is wrong with a batch, one line each."""
        features, categorical, codes, empty = learned
        self.check_width(len(features), rows)
        types = tuple("category" if j in categorical else "number" for j in range(len(features)))
        found = []
        if rows.features != features or rows.categorical != categorical:
            found.append("features are not those of the reference")
        if rows.received is not None:
            names = rows.received.names
            found += [f"column '{name}' is missing" for name in features if name not in names]
            found += [f"column '{name}' was not agreed" for name in names if name not in features]
            common = [name for name in features if name in names]
            if common != [name for name in names if name in features]:
                found.append("columns come in another order")
            agreed = dict(zip(features, types, strict=True))
            for name, kind in zip(names, rows.received.types, strict=True):
                if kind != agreed.get(name, kind):
                    found.append(f"column '{name}' is {kind}, not {agreed[name]}")
        if len(rows):
            for j, name in enumerate(features):
                known = ~np.isnan(rows.X[:, j])
                if not known.any():
                    found += [] if empty[j] else [f"column '{name}': no value"]
                elif j in codes:
                    new = int((known & ~np.isin(rows.X[:, j], codes[j])).sum())
                    if new > self.unseen * int(known.sum()):
                        found.append(f"column '{name}': {new} of {known.sum()} values in unseen categories")
        return found

    def score(self, learned: Any, rows: Rows) -> np.ndarray:
        """Return infinity where something is wrong, else 0, of shape ()."""
        return np.array(np.inf if self.problems(learned, rows) else 0.0)
