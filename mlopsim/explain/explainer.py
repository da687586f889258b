"""The contract of explainers: attributions of one output of a model, row by row."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from mlopsim.core.errors import ConfigError, DataError
from mlopsim.core.spec import check_range
from mlopsim.explain.attributions import Attributions
from mlopsim.explain.output import features_of
from mlopsim.learners.base import Model
from mlopsim.learners.models import ConstantModel


@dataclass(kw_only=True)
class Explainer:
    """Base of what attributes a model's output to features (kind ``explainer``).

    An explainer defines :meth:`explained` and :meth:`attribute`, and :meth:`check_model` if it cannot explain
    every model.

    Parameters
    ----------
    label : int, default 1
        The class whose margin or probability is explained.

    Attributes
    ----------
    efficient : bool
        Whether the attributions of a row and the base add up to the output, exactly.
    drawn : bool
        Whether anything is drawn at random.
    ignores_unused : bool
        Whether a feature that the model does not use gets 0 whatever the other features are.
    """

    efficient: ClassVar[bool] = True
    drawn: ClassVar[bool] = False
    ignores_unused: ClassVar[bool] = True
    full_name: ClassVar[str]
    name: ClassVar[str]

    label: int = 1

    def __post_init__(self) -> None:
        check_range(f"{self.full_name}.label", self.label, 0, 255)

    def check_model(self, model: Model) -> None:
        """Raise unless the explainer can explain models of this kind.

        Not asked about a :class:`mlopsim.learners.models.ConstantModel`: any explainer gives zeros for it.

        Raises
        ------
        ConfigError
            Names what it needs.
        """

    def explained(self, model: Model, X: np.ndarray) -> np.ndarray:
        """Return the output that is explained, float64 (n,), of finite rows (n, d)."""
        raise NotImplementedError

    def attribute(
        self, model: Model, X: np.ndarray, background: np.ndarray, rng: np.random.Generator
    ) -> Attributions:
        """Return the attributions; the model can be explained and the rows are checked."""
        raise NotImplementedError

    def explain(
        self, model: Model, X: np.ndarray, background: np.ndarray, rng: np.random.Generator
    ) -> Attributions:
        """Return what each feature adds to the model's output for each row.

        Parameters
        ----------
        model : Model
            Trained, such as ``world.model(v)``.
        X : ndarray of float64, shape (n, d)
            Rows to explain, as the model takes them (``world.encoded()``): finite. There may be none.
        background : ndarray of float64, shape (m, d)
            Rows that say what a feature is when it is not known: at least one. All of them are used.
        rng : Generator
            For all that is drawn; untouched by explainers that draw nothing.

        Returns
        -------
        Attributions
            Of a row the same (up to rounding) whatever rows are explained with it.

        Raises
        ------
        ConfigError
            If the explainer cannot explain such a model, or the model has no such class.
        DataError
            If rows are missing, do not fit together or hold values that are not finite.
        """
        X = finite_rows(X, "the rows to explain")
        background = finite_rows(background, "the background")
        if not len(background):
            raise DataError(
                f"{self.full_name}: the background has no rows", remedy="pass rows such as the warm-up's"
            )
        if X.shape[1] != background.shape[1]:
            raise DataError(
                f"{self.full_name}: the rows have {X.shape[1]} features, the background {background.shape[1]}"
            )
        if not X.shape[1]:
            raise DataError(f"{self.full_name}: the rows have no features")
        takes = features_of(model)
        if takes is not None and takes != X.shape[1]:
            raise DataError(
                f"{self.full_name}: the rows have {X.shape[1]} features, the model takes {takes}",
                remedy="rows as the model was trained on them (world.encoded())",
            )
        if isinstance(model, ConstantModel):
            return Attributions(values=np.zeros(X.shape), base=self.explained(model, X))
        self.check_model(model)
        if not len(X):
            # asked about one row, as many estimators refuse tables without rows
            return Attributions(values=np.zeros(X.shape), base=self.explained(model, background[:1])[:0])
        return self.attribute(model, X, background, rng)

    def _refuse(self, model: Model, needs: str, remedy: str) -> ConfigError:
        estimator = getattr(model, "estimator", None)
        what = type(model).__name__ if estimator is None else type(estimator).__name__
        return ConfigError(f"{self.full_name} needs {needs}, got {what}", remedy=remedy)


def finite_rows(X: np.ndarray, what: str) -> np.ndarray:
    """Return rows as contiguous float64.

    Raises
    ------
    DataError
        Unless they are a table of finite numbers; names the first place that is not.

    Examples
    --------
    >>> finite_rows(np.array([[1.0, np.nan]]), "the rows to explain")
    Traceback (most recent call last):
    ...
    mlopsim.core.errors.DataError: the rows to explain: row 0, column 1 holds nan
      remedy: explain encoded rows (world.encoded()), in which missing values are filled
    """
    X = np.asarray(X)
    if X.ndim != 2 or X.dtype.kind not in "fiub":
        raise DataError(f"{what}: not a table of numbers (n, d), but {X.dtype} of shape {X.shape}")
    X = np.ascontiguousarray(X, dtype=np.float64)
    finite = np.isfinite(X)
    if not finite.all():
        row, column = np.argwhere(~finite)[0]
        raise DataError(
            f"{what}: row {row}, column {column} holds {X[row, column]}",
            remedy="explain encoded rows (world.encoded()), in which missing values are filled",
        )
    return X
