"""Biases of populations: whom they hit, closed forms of what they do, golden numbers, planted faults."""

from __future__ import annotations

import math
from typing import Any, ClassVar

import numpy as np
import pytest
from scipy.stats import norm

from mlopsim import make
from mlopsim.core.digest import digest_arrays
from mlopsim.core.errors import ConfigError
from mlopsim.core.registry import find, names
from mlopsim.streams.biases.base import Bias, People
from mlopsim.streams.sources.population import Population
from mlopsim.streams.stream import Norm, Stream

PER_GROUP = 100_000
BIASES = names("bias")


def drawn(bias: Any, strength: float, *, seed: int = 0, small: bool = False, **more: Any) -> Stream:
    """One window without the bias, one with it."""
    name = bias if isinstance(bias, str) else next(iter(bias))
    fields: dict[str, Any] = {"windows": 2, "warmup": 1, "per_group": 200 if small else PER_GROUP}
    if name == "intersectional":
        fields["attributes"] = 2
    if name == "fooled":
        fields |= {"place": 1.5, "total": True}
    source = Population(**fields | more, bias=bias, strength=strength, timing={"step": {"at": 1}})
    return source.generate(np.random.SeedSequence(seed))


def late(stream: Stream, group: int) -> np.ndarray:
    """Return the rows of a group in the window with the bias."""
    found: np.ndarray = (np.arange(len(stream.y)) >= stream.bounds[1]) & (stream.g == group)
    return found


def close(value: float, wanted: float, n: int = PER_GROUP, sd: float = 0.5) -> None:
    """Four standard errors of a mean of n."""
    assert abs(value - wanted) < 4.0 * sd / math.sqrt(n), (value, wanted)


#: labels are 1 where w m + sigma e > bar, with w m standard normal
BASE = float(norm.sf(0.5 / math.sqrt(1.25)))


@pytest.mark.parametrize("name", BIASES)
def test_strength_decides_and_the_same_people_come(name: str) -> None:
    plain, biased = drawn(name, 0.0, small=True), drawn(name, 1.0, small=True)
    assert plain.bias is not None and biased.bias is not None
    assert plain.bias.onset is None and not plain.bias.strength.any()
    assert biased.bias.onset == 1 and biased.bias.strength.tolist() == [0.0, 1.0]
    assert np.array_equal(plain.y, plain.bias.y) and plain.bias.kept.all()
    first = slice(0, int(plain.bounds[1]))
    for one, other in ((plain.X, biased.X), (plain.y, biased.y), (plain.g, biased.g)):
        assert np.array_equal(one[first], other[first], equal_nan=True)
    assert np.array_equal(plain.g, biased.g)
    # groups that are not named are as they were
    spared = ~np.isin(plain.g, biased.bias.groups)
    assert np.array_equal(plain.X[spared], biased.X[spared]) and np.array_equal(
        plain.y[spared], biased.y[spared]
    )
    assert biased.bias.kept[spared].all()
    # and all is unbiased at strength 0, whatever the bias
    assert digest_arrays({"X": plain.X}) == digest_arrays(
        {"X": drawn("proxy", 0.0, small=True, **_fields(name)).X}
    )


def _fields(name: str) -> dict[str, Any]:
    if name == "intersectional":
        return {"attributes": 2}
    return {"place": 1.5, "total": True} if name == "fooled" else {}


def test_without_bias_both_groups_deserve_alike() -> None:
    stream = drawn("proxy", 0.0)
    for group in (0, 1):
        close(stream.y[late(stream, group)].mean(), BASE)


def test_a_proxy_moves_what_is_seen_and_an_unequal_base_rate_what_is_there() -> None:
    proxy, unequal = drawn("proxy", 0.8), drawn("unequal_base_rate", 0.8)
    assert proxy.bias is not None and unequal.bias is not None
    # the features have the same law given the group: with the same seed they are the same
    assert np.array_equal(proxy.X, unequal.X)
    close(proxy.X[late(proxy, 1), 0].mean(), -0.8, sd=1.0)
    # w_0 = 2 / sqrt(10)
    weighed = 0.8 * 2.0 / math.sqrt(10.0)
    close(proxy.y[late(proxy, 1)].mean(), BASE)
    close(unequal.y[late(unequal, 1)].mean(), float(norm.sf((0.5 + weighed) / math.sqrt(1.25))))
    assert (proxy.bias.norm, unequal.bias.norm) == (Norm.TREATMENT, Norm.NONE)


def test_an_inherited_disadvantage_lowers_merits_and_its_norm_is_equal_impact() -> None:
    stream = drawn("inherited", 0.5)
    assert (
        stream.bias is not None and stream.bias.norm is Norm.IMPACT and stream.bias.features == (0, 1, 2, 3)
    )
    for j, wanted in enumerate((-0.15, -0.15, -0.15, -0.15, 0.0)):
        close(stream.X[late(stream, 1), j].mean(), wanted, sd=1.0)
    # weights (2, 2, 1, 1) / sqrt(10): a sum of 6 / sqrt(10)
    close(
        stream.y[late(stream, 1)].mean(),
        float(norm.sf((0.5 + 0.15 * 6.0 / math.sqrt(10.0)) / math.sqrt(1.25))),
    )
    assert np.array_equal(stream.y, stream.bias.y) and stream.bias.kept.all()


def test_cancelling_proxies_leave_the_score_as_it_was() -> None:
    plain, stream = drawn("cancelling_proxies", 0.0), drawn("cancelling_proxies", 1.0)
    weights = Population().weights
    np.testing.assert_allclose(stream.X @ weights, plain.X @ weights, atol=1e-12)
    rows = late(stream, 1)
    assert np.allclose(stream.X[rows, 0], plain.X[rows, 0] - 1.0)
    assert np.allclose(stream.X[rows, 1], plain.X[rows, 1] + 1.0)


def test_label_bias_flips_the_stated_share_and_only_downwards() -> None:
    stream = drawn({"label_bias": {"rate": 0.6}}, 0.5)
    assert stream.bias is not None
    deserved = late(stream, 1) & (stream.bias.y == 1)
    close((stream.y[deserved] == 0).mean(), 0.3, n=int(deserved.sum()))
    assert not (stream.y > stream.bias.y).any()


def test_historical_bias_raises_the_bar_of_the_group() -> None:
    stream = drawn("historical", 0.7)
    assert stream.bias is not None
    close(stream.y[late(stream, 1)].mean(), float(norm.sf(1.2 / math.sqrt(1.25))))
    close(stream.bias.y[late(stream, 1)].mean(), BASE)
    # the same people are wronged as by a lower bias, and more
    weaker = drawn("historical", 0.3)
    assert not ((stream.y == 1) & (weaker.y == 0)).any()


def test_missingness_hits_the_first_feature_of_the_group() -> None:
    stream = drawn({"missingness": {"rate": 0.8}}, 0.5)
    close(np.isnan(stream.X[late(stream, 1), 0]).mean(), 0.4)
    assert not np.isnan(stream.X[:, 1:]).any() and not np.isnan(stream.X[late(stream, 0)]).any()


@pytest.mark.parametrize(("name", "turn"), [("subgroup_drift", 90.0), ("under_representation", 60.0)])
def test_labels_of_the_group_turn_by_the_stated_angle(name: str, turn: float) -> None:
    stream = drawn(name, 0.5)
    angle = math.radians(0.5 * turn)
    weights = Population().weights
    side = np.zeros(5)
    side[:2] = math.sqrt(0.5), -math.sqrt(0.5)
    wanted = math.cos(angle) * weights + math.sin(angle) * side
    rows = late(stream, 1)
    # means of the features given the label point where the labels' weights do
    gap = stream.X[rows & (stream.y == 1)].mean(axis=0) - stream.X[rows & (stream.y == 0)].mean(axis=0)
    np.testing.assert_allclose(gap / np.sqrt((gap * gap).sum()), wanted, atol=0.02)
    close(stream.y[rows].mean(), BASE)


def test_under_representation_drops_the_stated_share() -> None:
    stream = drawn({"under_representation": {"share": 0.9}}, 0.5)
    assert stream.bias is not None
    close(stream.bias.kept[late(stream, 1)].mean(), 0.55)
    assert stream.bias.kept[late(stream, 0)].all()


def test_each_attribute_alone_looks_fair_under_an_intersectional_bias() -> None:
    stream = drawn({"intersectional": {"shift": 0.5}}, 1.0)
    means = [stream.X[late(stream, g), 0].mean() for g in range(4)]
    for value, wanted in zip(means, (-0.5, 0.5, 0.5, -0.5), strict=True):
        close(value, wanted, n=PER_GROUP // 2, sd=1.0)
    for pair in ((0, 1), (2, 3), (0, 2), (1, 3)):
        close((means[pair[0]] + means[pair[1]]) / 2.0, 0.0, sd=1.2)


def test_what_a_bias_needs_is_asked_for() -> None:
    for params, match in (
        ({"bias": "intersectional"}, "needs two attributes"),
        ({"bias": "fooled"}, "needs the feature 'place'"),
        ({"strength": -0.1}, "strength"),
        ({"strength": math.nan}, "strength"),
        ({"attributes": 2, "per_group": 3}, "cannot be halved"),
        ({"bias": {"missingness": {"rate": 1.5}}}, "rate"),
        ({"bias": {"inherited": {"merits": 6}}}, "lowers 6 merits, there are 5"),
    ):
        with pytest.raises(ConfigError, match=match):
            Population(**params)


#: version; digest of labels, true labels and kept rows; X[-3:, 0] and sum |X|
GOLDEN: dict[str, tuple[int, str, list[float]]] = {
    "cancelling_proxies": (
        1,
        "adf16a0e3060ad8f85cf7175",
        [0.6013945969024869, -0.6029860064999017, -0.9367781187006919, 3280.214279661185],
    ),
    "fooled": (
        1,
        "adf16a0e3060ad8f85cf7175",
        [0.6013945969024869, 0.09701399350009825, -0.23677811870069201, 5559.916675502772],
    ),
    "historical": (
        1,
        "e9de15e1807c7a23c2282b16",
        [0.6013945969024869, 0.09701399350009825, -0.23677811870069201, 3191.6279578945223],
    ),
    "inherited": (
        1,
        "34488fa1ae7a1a290b482cec",
        [0.6013945969024869, -0.11298600649990174, -0.446778118700692, 3203.8239345776133],
    ),
    "intersectional": (
        1,
        "eba480fea79e48c5e5f7d6e3",
        [0.9513945969024868, 0.44701399350009824, 0.11322188129930796, 3213.159313470069],
    ),
    "label_bias": (
        1,
        "81255df0fc983ecac6d35235",
        [0.6013945969024869, 0.09701399350009825, -0.23677811870069201, 3191.6279578945223],
    ),
    "missingness": (
        1,
        "adf16a0e3060ad8f85cf7175",
        [0.6013945969024869, 0.09701399350009825, math.nan, 3103.9958976123444],
    ),
    "proxy": (
        1,
        "adf16a0e3060ad8f85cf7175",
        [0.6013945969024869, -0.6029860064999017, -0.9367781187006919, 3243.0851485441117],
    ),
    "subgroup_drift": (
        1,
        "d6cca25278e3e8c44434cf99",
        [0.6013945969024869, 0.09701399350009825, -0.23677811870069201, 3191.6279578945223],
    ),
    "under_representation": (
        1,
        "56f7623211ccf476d5df81cb",
        [0.6013945969024869, 0.09701399350009825, -0.23677811870069201, 3191.6279578945223],
    ),
    "unequal_base_rate": (
        1,
        "eaa1d354347eedb9452a1236",
        [0.6013945969024869, -0.6029860064999017, -0.9367781187006919, 3243.0851485441117],
    ),
}


@pytest.mark.parametrize("name", BIASES)
def test_golden(name: str) -> None:
    stream = drawn(name, 0.7, seed=2026, small=True)
    assert stream.bias is not None
    told = digest_arrays({"y": stream.y, "true": stream.bias.y, "kept": stream.bias.kept, "g": stream.g})
    values = [*stream.X[-3:, 0].tolist(), float(np.nansum(np.abs(stream.X)))]
    version, digest, golden = GOLDEN.get(name, (0, "", []))
    assert (find("bias", name).version, told) == (str(version), digest), (name, told, values)
    np.testing.assert_allclose(values, golden, rtol=1e-9)


# -- planted faults ------------------------------------------------------------------------------------


class Planted(Bias):
    """A bias as it should be, to break."""

    norm: ClassVar[Norm] = Norm.TREATMENT

    def measure(self, people: People, merit: np.ndarray) -> np.ndarray:
        found = merit.copy()
        found[:, 0] -= np.where(self.hit(people), people.strength, 0.0)
        return found

    def responsible(self, features: tuple[str, ...]) -> tuple[int, ...]:
        return (0,)


class Always(Planted):
    """It measures lower whatever the strength."""

    def measure(self, people: People, merit: np.ndarray) -> np.ndarray:
        found = merit.copy()
        found[:, 0] -= self.hit(people)
        return found


class Everyone(Planted):
    """It does not keep to those that it says it hits."""

    def measure(self, people: People, merit: np.ndarray) -> np.ndarray:
        found = merit.copy()
        found[:, 0] -= people.strength
        return found


class Unnamed(Planted):
    """Another feature is measured lower than the one that it names."""

    def responsible(self, features: tuple[str, ...]) -> tuple[int, ...]:
        return (1,)


class Nowhere(Planted):
    """It names a feature that there is not."""

    def responsible(self, features: tuple[str, ...]) -> tuple[int, ...]:
        return (0, 99)


class InPlace(Planted):
    """It writes into the people."""

    def measure(self, people: People, merit: np.ndarray) -> np.ndarray:
        merit[:, 0] -= np.where(self.hit(people), people.strength, 0.0)
        return merit


class OwnDraws(Planted):
    """It draws for itself."""

    def measure(self, people: People, merit: np.ndarray) -> np.ndarray:
        found = merit.copy()
        drawn = np.random.default_rng().random(len(people))
        found[:, 0] -= np.where(self.hit(people), people.strength * drawn, 0.0)
        return found


class Shrinking(Planted):
    """It does less at a greater strength."""

    def measure(self, people: People, merit: np.ndarray) -> np.ndarray:
        found = merit.copy()
        less = people.strength * (1.2 - people.strength)
        found[:, 0] -= np.where(self.hit(people), less, 0.0)
        return found


class Idle(Bias):
    """It does nothing."""

    norm: ClassVar[Norm] = Norm.NONE


class OtherFeatures(Planted):
    """It names a twin whose features are others."""

    twin: ClassVar[str] = "label_bias"


class SameLabels(Planted):
    """It names a twin that is itself."""

    twin: ClassVar[str] = "proxy"


class Halves(Planted):
    """Its labels are no labels."""

    def record(self, people: People, margin: np.ndarray) -> np.ndarray:
        found: np.ndarray = (margin > 0.0) * np.where(people.strength > 0.0, 2, 1)
        return found


@pytest.mark.parametrize(
    ("cls", "text"),
    [
        (Always, "changes something at strength 0"),
        (Everyone, "changes those whom it does not hit"),
        (Unnamed, "changes the features [0], responsible() names (1,)"),
        (Nowhere, "names the places (0, 99)"),
        (InPlace, "it changes the people that it is given"),
        (OwnDraws, "something else the second time"),
        (Shrinking, "does not grow with the strength"),
        (Idle, "it changes nothing at strength 1"),
        (Halves, "labels other than 0 and 1"),
        (OtherFeatures, "its features are not those of bias/label_bias"),
        (SameLabels, "its labels are those of bias/proxy"),
    ],
    ids=lambda value: value.__name__ if isinstance(value, type) else "",
)
def test_faults_are_found(plant: Any, cls: type[Any], text: str) -> None:
    problems = plant("bias", cls)
    assert text in problems.get("bias", "-"), problems


def test_a_bias_as_it_should_be_passes(plant: Any) -> None:
    assert plant("bias", Planted) == {}


def test_every_bias_is_built_by_name() -> None:
    assert len(BIASES) >= 10 and all(make("bias", name).full_name == f"bias/{name}" for name in BIASES)
