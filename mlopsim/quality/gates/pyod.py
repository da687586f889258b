"""Any outlier detector of PyOD, as it is."""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import pkgutil
import random
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from mlopsim.core.errors import ConfigError, DataError, MissingExtraError, nearest
from mlopsim.core.registry import register
from mlopsim.quality.row_gate import RowGate

#: what PyOD raises on parameters and rows that it cannot work with
REFUSALS = (TypeError, ValueError, ArithmeticError, LookupError, AttributeError, RuntimeError, AssertionError)


@register("gate", "pyod")
@dataclass(kw_only=True)
class PyOd(RowGate):
    """An outlier detector of PyOD: the ``decision_function`` of a model fitted on the encoded reference rows.

    PyOD does not tell whether the score of a row depends on the rows that are scored with it, and in many of
    its detectors it does (``ECOD``, ``COPOD``, ``LOCI``, ``ROD``, ``SOS``, ...). So rows are scored window by
    window, as they arrive, together with clean rows that are held back and give the limit. What a detector
    draws is seeded, be it by its own ``random_state`` or from the global random numbers, which are put back
    afterwards.

    Parameters
    ----------
    detector : str, default ECOD
        Name of a class in ``pyod.models`` in any case, or its full path, such as ``pyod.models.ecod.ECOD``.
    params : dict
        Its parameters. A ``random_state`` that is not given is drawn; ``contamination`` changes no score.
    alpha : float, default 0.05
        Share of clean rows that are flagged.
    action : Action or None
        What is done with flagged rows; None: ``drop``.

    Raises
    ------
    MissingExtraError
        If PyOD is not installed.

    Notes
    -----
    Use it for a detector that is not among ours. The formula is that of the detector named.

    References
    ----------
    .. [1] Y. Zhao, Z. Nasrullah and Z. Li, "PyOD: a Python toolbox for scalable outlier detection", Journal
       of Machine Learning Research 20(96), 2019, 1-7.

    Examples
    --------
    >>> from mlopsim.quality.gate import Rows
    >>> X = np.array([[0.0, 0.0], [0.0, 1.0], [3.0, 4.0]])
    >>> rows = Rows(X=X, Z=X, y=np.zeros(3, np.int64), n_classes=2, features=("a", "b"))
    >>> gate = PyOd(detector="KNN", params={"n_neighbors": 1})
    >>> gate.score(gate.learn(rows, np.random.default_rng(0)), rows.take(slice(2, 3)))
    array([0.])
    """

    by_window: ClassVar[bool] = True

    detector: str = "ECOD"
    params: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        super().__post_init__()
        taken = self._taken()
        for name in self.params:
            if name not in taken:
                raise ConfigError(
                    f"PyOD's {self.detector} has no parameter '{name}'{nearest(name, taken)}",
                    remedy=f"its parameters: {', '.join(taken) or '(none)'}",
                )
        if self.params.get("n_jobs") not in (None, 1):
            raise ConfigError(
                f"gate/pyod.params: n_jobs must be 1, got {self.params['n_jobs']}",
                remedy="leave it out; cells run in parallel instead",
            )
        try:
            self._build({})
        except REFUSALS as error:
            raise ConfigError(f"PyOD's {self.detector} refuses {self._given()}: {error}") from error

    def content(self) -> dict[str, Any]:
        """Return PyOD's version, which the scores depend on."""
        import pyod

        return {"pyod": pyod.__version__}

    def fit(self, Z: np.ndarray, rng: np.random.Generator) -> Any:
        """Return the fitted detector of PyOD and the seed of what it draws when it scores."""
        word = int(rng.integers(2**31 - 1))
        own = "random_state" in self._taken() and self.params.get("random_state") is None
        model = self._build({"random_state": word} if own else {})
        self._asked(lambda: model.fit(Z), word, f"cannot learn from {len(Z)} reference rows")
        return model, word

    def measure(self, model: Any, Z: np.ndarray) -> np.ndarray:
        """Return PyOD's scores."""
        fitted, word = model
        found = self._asked(lambda: fitted.decision_function(Z), word, f"cannot score {len(Z)} rows")
        score = np.array(found, dtype=np.float64)
        if score.shape != (len(Z),) or not np.isfinite(score).all():
            raise DataError(
                f"PyOD's {self.detector} gives scores of shape {score.shape} for {len(Z)} rows, "
                f"{np.count_nonzero(~np.isfinite(score))} of them not finite",
                remedy="other parameters or another detector",
            )
        return score

    def _taken(self) -> list[str]:
        return list(inspect.signature(detector_class(self.detector)).parameters)

    def _build(self, more: dict[str, Any]) -> Any:
        return detector_class(self.detector)(**{**self.params, **more})

    def _given(self) -> str:
        return ", ".join(f"{name}={value!r}" for name, value in self.params.items()) or "no parameters"

    def _asked(self, call: Callable[[], Any], word: int, what: str) -> Any:
        try:
            # what comes of rows without variety is looked at in the scores
            with seeded(word), warnings.catch_warnings(), np.errstate(all="ignore"):
                warnings.simplefilter("ignore")
                return call()
        except REFUSALS as error:
            raise DataError(
                f"PyOD's {self.detector} with {self._given()} {what}: {error}",
                remedy="more rows, other parameters or another detector",
            ) from error


def detector_class(name: str) -> type[Any]:
    """Return a class of PyOD by its name in ``pyod.models`` or by its full path.

    Raises
    ------
    MissingExtraError
        If PyOD is not installed.
    ConfigError
        If it has no such detector, or what this detector needs is not installed.

    Examples
    --------
    >>> detector_class("HBOS").__name__, detector_class("pyod.models.so_gaal.SO_GAAL").__name__
    ('HBOS', 'SO_GAAL')
    """
    if importlib.util.find_spec("pyod") is None:
        raise MissingExtraError("gate/pyod", "quality")
    from pyod import models
    from pyod.models.base import BaseDetector

    # a module is named after its class: deep_svdd holds DeepSVDD
    known = {_plain(module.name): module.name for module in pkgutil.iter_modules(models.__path__)}
    path, _, short = name.rpartition(".")
    folder, _, place = path.rpartition(".") if path else (models.__name__, "", known.get(_plain(short), ""))
    if folder != models.__name__ or place not in known.values():
        raise ConfigError(
            f"PyOD has no detector '{name}'{nearest(_plain(short), known)}",
            remedy="the name of a class in pyod.models, or its path, such as pyod.models.ecod.ECOD",
        )
    try:
        module = importlib.import_module(f"{folder}.{place}")
    except ImportError as error:
        raise ConfigError(
            f"PyOD's {name} needs a package that is not installed: {error}",
            remedy="install it, or name another detector",
        ) from error
    found = {
        key: cls
        for key, cls in inspect.getmembers(module, inspect.isclass)
        if issubclass(cls, BaseDetector) and not inspect.isabstract(cls)
    }
    for key, cls in found.items():
        if _plain(key) == _plain(short):
            return cls
    raise ConfigError(
        f"{module.__name__} has no detector '{short}'{nearest(short, found)}",
        remedy=f"its detectors: {', '.join(found) or '(none)'}",
    )


def _plain(name: str) -> str:
    return name.replace("_", "").lower()


@contextmanager
def seeded(word: int) -> Iterator[None]:
    """Seed the global random numbers of Python, numpy and torch (where it is loaded), and put them back.

    Examples
    --------
    >>> before = random.getstate()
    >>> with seeded(1):
    ...     drawn = random.random()
    >>> drawn, random.getstate() == before
    (0.13436424411240122, True)
    """
    torch = sys.modules.get("torch")
    states = random.getstate(), np.random.get_state(legacy=False)  # noqa: NPY002 - others draw from it
    ours = torch.get_rng_state() if torch is not None else None
    random.seed(word)
    np.random.seed(word)  # noqa: NPY002
    if torch is not None:
        torch.manual_seed(word)
    try:
        yield
    finally:
        random.setstate(states[0])
        np.random.set_state(states[1])  # noqa: NPY002
        if torch is not None:
            torch.set_rng_state(ours)
