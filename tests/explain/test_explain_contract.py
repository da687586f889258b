"""Planted faults of explainers, each found by the check meant for it; ours: tests/test_contracts.py."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
import pytest

from mlopsim.checks.explainer import CHECKS
from mlopsim.checks.run import check_component, checks_for
from mlopsim.core import registry
from mlopsim.core.registry import register
from mlopsim.explain.attributions import Attributions
from mlopsim.explain.explainer import Explainer
from mlopsim.explain.explainers.exact import Exact
from mlopsim.explain.explainers.lime import Lime
from mlopsim.explain.explainers.permutation import Permutation
from mlopsim.learners.base import Model


def test_the_checks_of_explainers_have_names_of_their_own() -> None:
    found = [check.name for check in checks_for("explainer")]
    assert len(set(found)) == len(found)
    assert {check.name for check in CHECKS} < set(found)


# -- planted faults ----------------------------------------------------------------------------------


@dataclass(kw_only=True)
class Good(Exact):
    """A third party's explainer of a label, output and most features."""


@dataclass(kw_only=True)
class Scaled(Exact):
    """Attributions of a label, output and most features that are a little too large."""

    def attribute(self, *given: Any) -> Attributions:
        found = super().attribute(*given)
        return replace(found, values=found.values * 1.01)


@dataclass(kw_only=True)
class Subsampled(Exact):
    """Takes the first 100 background rows: label, output, most."""

    def attribute(self, model: Model, X: np.ndarray, background: np.ndarray, rng: Any) -> Attributions:
        return super().attribute(model, X, background[:100], rng)


@dataclass(kw_only=True)
class Nothing(Exact):
    """Attributes nothing, and says that it does not add up: label, output, most."""

    efficient: ClassVar[bool] = False

    def attribute(self, *given: Any) -> Attributions:
        found = super().attribute(*given)
        return replace(found, values=found.values * 0.0)


@dataclass(kw_only=True)
class OneColumn(Exact):
    """Forgets a feature: label, output, most."""

    def attribute(self, *given: Any) -> Attributions:
        found = super().attribute(*given)
        return replace(found, values=found.values[:, :1])


@dataclass(kw_only=True)
class Single(Exact):
    """Gives single precision: label, output, most."""

    def attribute(self, *given: Any) -> Attributions:
        found = super().attribute(*given)
        return replace(found, values=found.values.astype(np.float32))


@dataclass(kw_only=True)
class NegativeErrors(Permutation):
    """Negative standard errors: label, output, draws."""

    def attribute(self, *given: Any) -> Attributions:
        found = super().attribute(*given)
        assert found.stderr is not None
        return replace(found, stderr=-found.stderr - 1.0)


@dataclass(kw_only=True)
class Dice(Permutation):
    """Draws from the global random numbers: label, output, draws."""

    def attribute(self, model: Model, X: np.ndarray, background: np.ndarray, rng: Any) -> Attributions:
        own = np.random.default_rng(np.random.randint(1000))  # noqa: NPY002
        return super().attribute(model, X, background, own)


@dataclass(kw_only=True)
class Fresh(Permutation):
    """Draws from a generator of its own: label, output, draws."""

    def attribute(self, model: Model, X: np.ndarray, background: np.ndarray, rng: Any) -> Attributions:
        return super().attribute(model, X, background, np.random.default_rng())


@dataclass(kw_only=True)
class Secret(Permutation):
    """Says that it draws nothing: label, output, draws."""

    drawn: ClassVar[bool] = False

    def attribute(self, *given: Any) -> Attributions:
        return replace(super().attribute(*given), stderr=None)


@dataclass(kw_only=True)
class Writes(Exact):
    """Centres the background in place: label, output, most."""

    def attribute(self, model: Model, X: np.ndarray, background: np.ndarray, rng: Any) -> Attributions:
        found = super().attribute(model, X, background, rng)
        background -= background.mean(axis=0)
        return found


@dataclass(kw_only=True)
class Views(Exact):
    """Gives the rows themselves for attributions: label, output, most."""

    efficient: ClassVar[bool] = False

    def attribute(self, model: Model, X: np.ndarray, background: np.ndarray, rng: Any) -> Attributions:
        return Attributions(values=X, base=np.zeros(len(X)))


@dataclass(kw_only=True)
class Relative(Exact):
    """Subtracts the mean attribution of the rows: label, output, most."""

    efficient: ClassVar[bool] = False

    def attribute(self, *given: Any) -> Attributions:
        found = super().attribute(*given)
        return replace(found, values=found.values - found.values.mean(axis=0))


@dataclass(kw_only=True)
class Spread(Exact):
    """Shares everything equally: label, output, most."""

    def attribute(self, *given: Any) -> Attributions:
        found = super().attribute(*given)
        return replace(
            found, values=np.repeat(found.values.mean(axis=1)[:, None], found.values.shape[1], axis=1)
        )


@dataclass(kw_only=True)
class Careless(Lime):
    """Does not look at the rows: samples, form, around, alpha, width, shared, output, label."""

    def explain(self, model: Model, X: np.ndarray, background: np.ndarray, rng: Any) -> Attributions:
        with np.errstate(invalid="ignore"):
            clean = np.nan_to_num(X, posinf=0.0), np.nan_to_num(background, posinf=0.0)
        return super().explain(model, *clean, rng)


@dataclass(kw_only=True)
class Promises(Lime):
    """Promises that unused features get 0: samples, form, around, alpha, width, shared, output, label."""

    ignores_unused: ClassVar[bool] = True


@dataclass(kw_only=True)
class Nobody(Exact):
    """Refuses everything: label, output, most."""

    def check_model(self, model: Model) -> None:
        raise self._refuse(model, "nothing", "another explainer")


@pytest.mark.parametrize(
    ("cls", "checks"),
    [
        (Good, set()),
        (Scaled, {"adds up"}),
        (Subsampled, {"adds up"}),
        (Nothing, {"adds up"}),
        (OneColumn, {"form"}),
        (Single, {"form"}),
        (NegativeErrors, {"form"}),
        (Dice, {"deterministic"}),
        (Fresh, {"deterministic"}),
        (Secret, {"deterministic"}),
        (Writes, {"inputs"}),
        (Views, {"inputs"}),
        (Relative, {"rows alone"}),
        (Spread, {"constant", "unused"}),
        (Careless, {"bad rows"}),
        (Promises, {"unused"}),
        (Nobody, {"form", "unused"}),
    ],
)
def test_planted_faults_are_found(cls: type[Any], checks: set[str]) -> None:
    register("explainer", "planted")(cls)
    try:
        found = {v.check for v in check_component(cls) if v.problem}
    finally:
        registry.unregister("explainer", "planted")
    assert checks <= found
    assert bool(found) == bool(checks), found


def test_what_is_no_explainer_is_found() -> None:
    @register("explainer", "planted")
    @dataclass(kw_only=True)
    class Loose:
        """A class without parameters that is no explainer."""

        drawn: ClassVar[bool] = False
        ignores_unused: ClassVar[bool] = False

    try:
        problems = {v.check: v.problem for v in check_component(Loose) if v.problem}
    finally:
        registry.unregister("explainer", "planted")
    assert "is no Explainer" in problems["form"] and "derive it from Explainer" in problems["form"]


def test_base_class_asks_for_its_methods() -> None:
    @register("explainer", "planted")
    @dataclass(kw_only=True)
    class Bare(Explainer):
        """Only a label."""

    try:
        bare = Bare()
        with pytest.raises(NotImplementedError):
            bare.explain(find_model(), np.ones((1, 2)), np.ones((1, 2)), np.random.default_rng(0))
    finally:
        registry.unregister("explainer", "planted")


def find_model() -> Any:
    from mlopsim.learners.models import LinearModel, Link

    return LinearModel(coef=np.ones((1, 2)), intercept=np.zeros(1), link=Link.SOFTMAX)
