"""Deployments: who is trained on what, what audits see, and what is true."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.stats import norm

from mlopsim.core.errors import ConfigError
from mlopsim.core.spec import make
from mlopsim.fairness.deceptive_model import Scaffold
from mlopsim.fairness.deployment import Deployment, deploy, unbiased
from mlopsim.fairness.explaining import Explaining, score_of
from mlopsim.fairness.flipping import flipped_rows, moved
from mlopsim.fairness.guarding import guard
from mlopsim.fairness.norm_violations import Truth
from mlopsim.fairness.reweighing_weights import reweighing
from mlopsim.learners.models import LinearModel, Link
from mlopsim.streams.stream import Norm

TREE = {"tree": {"max_depth": 3}}


def opened(every: int = 0, learner: Any = "ridge", seed: int = 0, **population: Any) -> Deployment:
    given = {"windows": 20, "per_group": 60, "timing": {"step": {"at": 10}}, **population}
    content = {"stream": {"population": given}, "learner": learner, "every": every, "first_only": False}
    return deploy(content, np.random.SeedSequence(seed), np.random.SeedSequence(99), Explaining())


def test_models_are_trained_on_the_windows_before_they_are_audited() -> None:
    frozen, retrained = opened(), opened(every=5)
    assert {frozen.span(t) for t in frozen.audited} == {(0, 4)}
    assert [retrained.span(t) for t in (5, 9, 10, 14, 15)] == [(0, 4), (0, 4), (5, 9), (5, 9), (10, 14)]
    for d in (frozen, retrained):
        assert all(d.span(t)[1] < t for t in d.audited)


@pytest.mark.parametrize("learner", ["ridge", TREE])
@pytest.mark.parametrize("every", [0, 3])
def test_evidence_is_what_the_models_say(learner: Any, every: int) -> None:
    d = opened(every=every, learner=learner, bias="proxy", strength=0.5)
    models = d.train()
    evidence = d.evidence(models)
    assert evidence.windows == 15 and len(evidence.window) == 15 * 120
    stream = d.stream
    assert stream.bias is not None
    for i, t in enumerate(d.audited):
        part, rows = evidence.window == i, d.rows(t, t)
        np.testing.assert_array_equal(evidence.decision[part], models[i].predict(d.Z[rows]) == 1)
        np.testing.assert_allclose(evidence.score[part], score_of(models[i], d.Z[rows]), rtol=1e-12)
        np.testing.assert_array_equal(evidence.observed[part], stream.y[rows])
        assert evidence.true is not None
        np.testing.assert_array_equal(evidence.true[part], stream.bias.y[rows])
        first, last = d.span(t)
        train = d.rows(first, last)
        says = models[i].predict(d.Z[train])
        for label in (0, 1):
            for said in (0, 1):
                count = ((stream.y[train] == label) & (says == said)).sum()
                assert evidence.trained[i, label, said] == count


@pytest.mark.parametrize("learner", ["ridge", TREE])
def test_attributions_add_up_to_the_score_and_so_do_gaps(learner: Any) -> None:
    d = opened(learner=learner, every=5, bias="proxy", strength=1.0)
    evidence = d.evidence(d.train())
    shap = evidence.explained("shap")
    np.testing.assert_array_equal(shap.rows, np.arange(len(evidence.window)))
    for t in range(evidence.windows):
        part = evidence.window == t
        rest = evidence.score[part] - shap.values[part].sum(axis=1)
        np.testing.assert_allclose(rest, rest[0], atol=1e-9)
        one, other = part & (evidence.group == 0), part & (evidence.group == 1)
        gap = shap.values[one].mean(axis=0) - shap.values[other].mean(axis=0)
        assert gap.sum() == pytest.approx(evidence.score[one].mean() - evidence.score[other].mean(), abs=1e-9)


def test_lime_explains_as_many_rows_of_each_group() -> None:
    d = opened()
    evidence = d.evidence(d.train())
    lime, again = evidence.explained("lime", 0), evidence.explained("lime", 1)
    place = evidence.place[lime.rows]
    assert (np.bincount(place) == 25).all() and (np.diff(lime.rows) > 0).all()
    np.testing.assert_array_equal(lime.rows, again.rows)
    assert not np.array_equal(lime.values, again.values)
    # for a linear model both are near weight times spread
    np.testing.assert_allclose(lime.values.mean(axis=0), again.values.mean(axis=0), atol=0.1)


def test_rows_that_cannot_be_trained_on_are_not() -> None:
    d = opened(every=5)
    assert d.stream.bias is not None
    d.stream.bias.kept[d.stream.g == 1] = False
    assert (d.stream.g[d.training_rows(12)] == 0).all()
    d.train()
    evidence = d.evidence(d.train())
    assert (evidence.trained.sum(axis=(1, 2)) == 5 * 60).all()
    # nor do they count among the rows that the model knows
    model, rows = d.train()[7], d.rows(9, 9)
    assert isinstance(model, LinearModel) and evidence.known is not None
    known = d.Z[rows][d.stream.g[rows] == 0] - d.background(12, 0).mean(axis=0)
    np.testing.assert_allclose(evidence.known[7], np.abs(known * model.coef[0]).mean(axis=0), rtol=1e-9)


def test_an_inherited_disadvantage_is_unequal_impact_and_equal_treatment() -> None:
    d = opened(bias="inherited", strength=1.0)
    model = d.train()[0]
    assert isinstance(model, LinearModel)
    w = model.coef[0] / d._encoder.scale
    b = float(model.intercept[0] - (w * d._encoder.centre).sum())
    rates = norm.cdf((b - np.array([0.0, 0.3]) * w[:4].sum()) / np.sqrt((w * w).sum()))
    truth = Truth(source=make("stream", {"population": {"bias": "inherited"}}), encode=d.encode)
    found = truth.violation(model, 1.0)
    assert found.treatment == 0.0
    assert found.impact == pytest.approx(1.0 - rates[1] / rates[0], abs=0.01)
    assert found.of(Norm.IMPACT) == found.impact > 0.4
    # where base rates differ error rates do, too, by less
    assert 0.0 < found.errors < 0.15


def test_the_null_has_the_same_people_and_no_bias() -> None:
    content = {"population": {"bias": "proxy", "strength": 1.0, "timing": {"ramp": {"at": 15}}, "place": 1.0}}
    null, source = unbiased(content), make("stream", content)
    seed = np.random.SeedSequence(3)
    clean, biased = null.generate(seed), source.generate(seed)
    assert clean.bias is not None and clean.bias.onset is None and clean.features == biased.features
    before = biased.bounds[15]
    np.testing.assert_array_equal(clean.X[:before], biased.X[:before])
    np.testing.assert_array_equal(clean.y, biased.y)


def test_what_cannot_be_audited_is_refused() -> None:
    other = make("stream", "synthetic").generate(np.random.SeedSequence(0))
    with pytest.raises(ConfigError, match="truth about the bias"):
        Deployment(
            stream=other, learner="ridge", every=0, explaining=Explaining(), seed=np.random.SeedSequence(0)
        )
    with pytest.raises(ConfigError, match="did you mean 'rows'"):
        Explaining.of({"row": 3})


# -- truth -------------------------------------------------------------------------------------------


def test_truth_is_the_closed_form_of_a_linear_model() -> None:
    d = opened(bias="proxy", strength=1.0)
    model = d.train()[0]
    assert isinstance(model, LinearModel)
    source = make("stream", {"population": {"bias": "proxy"}})
    truth = Truth(source=source, encode=d.encode)
    w = model.coef[0] / d._encoder.scale
    b = float(model.intercept[0] - (w * d._encoder.centre).sum())
    for strength in (0.0, 0.3, 1.0):
        rates = [float(norm.cdf((b - w[0] * strength * g) / np.sqrt((w * w).sum()))) for g in (0, 1)]
        found = truth.violation(model, strength)
        assert found.impact == pytest.approx(1.0 - rates[1] / rates[0], abs=0.01)
        assert found.treatment == pytest.approx(rates[0] - rates[1], abs=0.004)
        if strength == 0.0:
            assert found.impact == found.treatment == found.errors == 0.0


# -- the model that deceives -----------------------------------------------------------------------------


def test_the_scaffold_is_biased_on_real_rows_only() -> None:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(400, 4))
    X = np.column_stack([X, X.sum(axis=1)])
    base = LinearModel(coef=rng.normal(size=(1, 5)), intercept=np.array([0.3]), link=Link.MARGIN)
    scale, centre = np.array([1.0, 2.0, 0.5, 1.5, 3.0]), rng.normal(size=5)
    model = Scaffold(base=base, malus=2.0, column=3, scale=scale, centre=centre)
    Z = (X - centre) / scale
    assert model.real(Z).all()
    mixed = Z.copy()
    mixed[:, 2] = Z[::-1, 2]
    assert not model.real(mixed).any()
    np.testing.assert_array_equal(model.margin(mixed), base.decision(mixed)[:, 0])
    np.testing.assert_allclose(model.margin(Z), base.decision(Z)[:, 0] - 2.0 * Z[:, 3])


def test_its_attributions_are_those_of_all_coalitions() -> None:
    rng = np.random.default_rng(1)
    X = rng.normal(size=(60, 4))
    X = np.column_stack([X, X.sum(axis=1)])
    base = LinearModel(coef=rng.normal(size=(1, 5)), intercept=np.array([0.3]), link=Link.MARGIN)
    model = Scaffold(base=base, malus=1.3, column=2, scale=np.ones(5), centre=np.zeros(5))
    exact = make("explainer", "exact", output="margin").explain(model, X[:20], X[20:], rng)
    np.testing.assert_allclose(model.attribute(X[:20], X[20:]), exact.values, atol=1e-12)


# -- flipping, reweighing, guarding ------------------------------------------------------------------------


def test_flipping_moves_only_the_column_that_tells_the_group() -> None:
    rng = np.random.default_rng(0)
    group = rng.integers(0, 2, 300)
    X = rng.normal(size=(300, 3))
    X[:, 1] += 2.0 * group
    out = moved(X, group, np.array([0, 300]), 2)
    np.testing.assert_array_equal(out[:, [0, 2]], X[:, [0, 2]])
    # ranks within a group stay, values are those of the other group
    for g in (0, 1):
        own, other = out[group == g, 1], X[group == 1 - g, 1]
        assert set(own) <= set(other)
        assert (np.diff(own[np.argsort(X[group == g, 1])]) >= 0.0).all()
    assert out[group == 0, 1].mean() > 1.5 and out[group == 1, 1].mean() < 0.5


def test_flipping_without_another_group_changes_nothing() -> None:
    X = np.arange(6.0).reshape(3, 2)
    np.testing.assert_array_equal(moved(X, np.zeros(3, np.int64), np.array([0, 3]), 1), X)
    np.testing.assert_array_equal(moved(X, np.zeros(3, np.int64), np.array([0, 3]), 2), X)


@pytest.mark.parametrize("order", [(0, 1, 2), (1, 0, 2), (2, 1, 0)])
def test_flipping_does_not_depend_on_what_categories_are_called(order: tuple[int, ...]) -> None:
    """A job that gives three groups away, a height that nearly does; the model looks at the job."""
    rng = np.random.default_rng(1)
    group = rng.integers(0, 3, 600)
    height = group + rng.normal(size=600)
    worth = np.array([0.0, 2.0, 1.0])[group]
    jobs = np.eye(3)[group]
    Z = np.column_stack([height, jobs[:, list(order)]])
    out = flipped_rows(Z, group, 3, np.array([0, 1, 1, 1]), worth)
    np.testing.assert_array_equal(out[:, 0], height)
    # everybody has the job of the next group, and no other
    np.testing.assert_array_equal(out[:, 1:], np.eye(3)[(group + 1) % 3][:, list(order)])


def test_flipping_keeps_the_shares_of_categories() -> None:
    rng = np.random.default_rng(2)
    group = np.repeat([0, 1], 500)
    kind = np.where(group == 0, rng.integers(0, 2, 1000), rng.integers(1, 4, 1000))
    # kind 3 is without a category: 0 in all columns
    Z = np.eye(4)[kind][:, :3]
    score = np.array([3.0, 1.0, 2.0, 0.0])[kind]
    out = flipped_rows(Z, group, 2, np.zeros(3, np.int64), score)
    for g in (0, 1):
        np.testing.assert_allclose(out[group == g].mean(axis=0), Z[group != g].mean(axis=0), atol=1e-12)
    # who stood highest stands highest: a 0 of the first group becomes a 2 of the other before a 1
    taken = out[(group == 0) & (kind == 0)].mean(axis=0)
    assert taken[2] > 0.6 and taken[0] == 0.0


def test_reweighing_makes_group_and_label_independent() -> None:
    rng = np.random.default_rng(0)
    group = rng.integers(0, 3, 500)
    y = (rng.random(500) < 0.2 + 0.2 * group).astype(np.int64)
    weight = reweighing(group, y)
    rates = [np.average(y[group == g], weights=weight[group == g]) for g in range(3)]
    np.testing.assert_allclose(rates, y.mean())
    assert weight.mean() == pytest.approx(1.0)


def test_what_is_blocked_never_serves() -> None:
    rng = np.random.default_rng(0)
    blocked, mended = rng.random(200) < 0.5, rng.random(200) < 0.5
    release = np.arange(200) // 5
    served = guard(blocked, mended, release)
    rolled = 0
    for t, (v, kind) in enumerate(zip(served.version, served.kind, strict=True)):
        assert v < t
        # by hand: the last window in which some model passed that none of its later audits took away
        passed = []
        for s in range(t):
            form = 0 if not blocked[s] else 1 if not mended[s] else None
            later = [u for u in range(s + 1, t) if release[u] == release[s]]
            lost = any(blocked[u] and (form == 0 or mended[u]) for u in later)
            if form is not None and not lost:
                passed.append((s, form))
        last = passed[-1] if passed else (-1, 0)
        assert release[v] == release[last[0]] and kind == last[1]
        if v >= 0:
            assert (blocked[v] and not mended[v]) if kind else not blocked[v]
            rolled += bool(release[v] != release[t - 1])
    assert rolled > 10
    passed_all = guard(np.zeros(5, np.bool_), np.zeros(5, np.bool_), np.arange(5))
    assert passed_all.version.tolist() == [-1, 0, 1, 2, 3] and not passed_all.kind.any()


def test_a_model_that_is_blocked_while_it_serves_goes() -> None:
    blocked, release = np.array([False, True, True, True]), np.array([7, 7, 7, 7])
    always = np.ones(4, np.bool_)
    # nothing else passed: what served before any audit does
    assert guard(blocked, always, release).version.tolist() == [-1, 0, -1, -1]
    served = guard(
        np.array([False, False, True, True, False]), np.ones(5, np.bool_), np.array([0, 1, 1, 1, 1])
    )
    assert served.version.tolist() == [-1, 0, 1, 0, 0]
