"""Training of scikit-learn classifiers: one class, seeds and threads handled alike for all."""

from __future__ import annotations

import importlib
import inspect
import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np

from mlopsim.core.errors import ConfigError, DataError, nearest
from mlopsim.core.seeds import seed_int
from mlopsim.learners.models import ConstantModel, EstimatorModel, check_weight


def estimator_class(path: str, where: str) -> type[Any]:
    """Return the scikit-learn classifier of an import path.

    Parameters
    ----------
    path : str
        Such as ``sklearn.neighbors.KNeighborsClassifier``; nothing outside ``sklearn``.
    where : str
        Name of the parameter for the error.

    Raises
    ------
    ConfigError
        If there is no such classifier; names the nearest.

    Examples
    --------
    >>> estimator_class("sklearn.tree.DecisionTreeClassifier", "path").__name__
    'DecisionTreeClassifier'
    >>> estimator_class("os.system", "path")
    Traceback (most recent call last):
    ...
    mlopsim.core.errors.ConfigError: path must name a scikit-learn classifier, got 'os.system'
      remedy: for example sklearn.neighbors.KNeighborsClassifier; others as a plug-in component
    """
    remedy = "for example sklearn.neighbors.KNeighborsClassifier; others as a plug-in component"
    module_name, _, name = path.rpartition(".")
    if module_name.partition(".")[0] != "sklearn":
        raise ConfigError(f"{where} must name a scikit-learn classifier, got '{path}'", remedy=remedy)
    try:
        module = importlib.import_module(module_name)
    except ImportError as error:
        raise ConfigError(f"{where}: there is no module '{module_name}'", remedy=remedy) from error
    cls = getattr(module, name, None)
    if not (isinstance(cls, type) and callable(getattr(cls, "fit", None)) and hasattr(cls, "predict")):
        known = [item for item in dir(module) if item[:1].isupper()]
        raise ConfigError(
            f"{where}: '{module_name}' has no classifier '{name}'{nearest(name, known)}", remedy=remedy
        )
    from sklearn.base import ClassifierMixin

    if not issubclass(cls, ClassifierMixin):
        raise ConfigError(f"{where}: '{path}' is no classifier", remedy=remedy)
    return cls


def check_params(cls: type[Any], params: Mapping[str, Any], where: str) -> None:
    """Raise unless the estimator takes every parameter and its value.

    Raises
    ------
    ConfigError
        Names the nearest parameter, or what scikit-learn says about the value.
    """
    known = list(cls._get_param_names())
    for key in params:
        if key not in known:
            raise ConfigError(
                f"{where}: {cls.__name__} has no parameter '{key}'{nearest(key, known)}",
                remedy=f"its parameters: {', '.join(known)}",
            )
    try:
        # scikit-learn checks values in fit only, which would be in the middle of a sweep
        cls(**params)._validate_params()
    except (TypeError, ValueError) as error:
        raise ConfigError(f"{where}: {error}") from error


def train(
    cls: type[Any],
    params: Mapping[str, Any],
    X: np.ndarray,
    y: np.ndarray,
    n_classes: int,
    seed: np.random.SeedSequence,
    weight: np.ndarray | None = None,
) -> EstimatorModel | ConstantModel:
    """Fit ``cls(**params)`` with one job and a seeded ``random_state``, where it has those parameters.

    Parameters
    ----------
    cls : type
        A scikit-learn classifier.
    params : mapping
        Constructor parameters.
    X, y : ndarray, shapes (n, d) and (n,)
        Training rows.
    n_classes : int
        Number of classes C of the stream.
    seed : SeedSequence
        Source of ``random_state`` unless ``params`` sets it.
    weight : ndarray of float64, shape (n,), optional
        What each row counts.

    Returns
    -------
    EstimatorModel or ConstantModel
        The latter where all rows are of one class.

    Raises
    ------
    ConfigError
        If the classifier cannot count rows by weights, and some are given.
    DataError
        Without rows.
    """
    if not len(y):
        raise DataError("no training rows", remedy="train the version on more windows")
    if (y == y[0]).all():
        return ConstantModel(label=int(y[0]), n_classes=n_classes)
    if weight is not None and "sample_weight" not in inspect.signature(cls.fit).parameters:
        raise ConfigError(f"{cls.__name__} cannot count rows by weights", remedy="drop the rows instead")
    known = cls._get_param_names()
    given = dict(params)
    if "random_state" in known:
        given.setdefault("random_state", seed_int(seed))
    from sklearn.exceptions import ConvergenceWarning

    estimator = cls(**given)
    if getattr(estimator, "n_jobs", None) is not None:
        estimator.set_params(n_jobs=1)
    with warnings.catch_warnings():
        # a stated number of iterations is part of the learner; hundreds of versions would repeat this
        warnings.simplefilter("ignore", ConvergenceWarning)
        if weight is None:
            estimator.fit(X, y)
        else:
            estimator.fit(X, y, sample_weight=check_weight(weight, len(y)))
    return EstimatorModel(estimator=estimator, n_classes=n_classes)
