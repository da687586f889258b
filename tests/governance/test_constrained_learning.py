"""Learning under a limit: prices that follow costs, mixtures of policies, sampled actions, honest budgets."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest

from mlopsim.core.errors import CacheError, ConfigError
from mlopsim.core.spec import make
from mlopsim.core.track import FitResult
from mlopsim.delivery.agents.network import Network
from mlopsim.delivery.deployments.standard import Standard
from mlopsim.delivery.mechanisms import Costs, Mechanisms, Switch
from mlopsim.delivery.pool import WorldPool
from mlopsim.delivery.walk import walk
from mlopsim.governance.agents.choice import choose, upper_limit
from mlopsim.governance.agents.closed_loop import ClosedLoop, mean_of_versions
from mlopsim.governance.agents.draws import draw_actions, keys_of, uniforms
from mlopsim.governance.agents.held_back import held_back
from mlopsim.governance.agents.mixture import Mixture
from mlopsim.governance.agents.prices import ByAdam, Fixed, Halted, ProportionalIntegral
from mlopsim.governance.agents.toy import OneState
from mlopsim.governance.agents.train import snapshot_places
from mlopsim.world.build import build_world
from mlopsim.world.spec import WorldSpec

#: of agents that are trained for a moment only
TINY = {"hidden": [8], "n_envs": 4, "n_steps": 8, "batch_size": 32, "n_epochs": 1, "snapshots": 3}
#: of agents that solve the toy
TOY = {
    "hidden": [16],
    "n_envs": 32,
    "n_steps": 8,
    "batch_size": 256,
    "n_epochs": 2,
    "learning_rate": 5e-3,
    "reward_scale": 1.0,
    "mask": False,
}


@dataclasses.dataclass(kw_only=True)
class Limited(Standard):
    """A deployment with a fallback, and one constraint that the versions with even numbers break."""

    def mechanisms(self, pool: WorldPool) -> Mechanisms:
        v, _ = np.triu_indices(pool.windows - pool.warmup + 1)
        broken = np.tile(((v + pool.warmup - 1) % 2 == 0).astype(np.float64), (len(pool), 1))
        cost = Costs(name="odd", true=broken, seen=broken.astype(np.float32), lag=self.label_delay, limit=0.2)
        return Mechanisms(fallback=np.full((len(pool), pool.windows), 0.4), costs=(cost,))


@pytest.fixture(scope="module")
def pool() -> WorldPool:
    stream = {"synthetic": {"windows": 30, "rows": 20, "warmup": 5, "concept": "sea"}}
    return WorldPool([build_world(WorldSpec.of(stream, split="train", index=i)) for i in range(5)])


# -- prices ----------------------------------------------------------------------------------------


def toy_by_exact_gradients(rule, seed: int, updates: int = 4000) -> tuple[np.ndarray, np.ndarray]:
    """Probability of arm A and price after each update; 64 samples measure the cost."""
    rng = np.random.default_rng(seed)
    logit, chance, price = 0.0, np.zeros(updates), np.zeros(updates)
    for k in range(updates):
        p = 1.0 / (1.0 + np.exp(-logit))
        chance[k], price[k] = p, rule.value.item()
        # reward and cost are 1 for A and 0 for B: gradient of (1 - price) p / (1 + price)
        logit += (1.0 - price[k]) / (1.0 + price[k]) * p * (1.0 - p) + 0.01 * rng.normal()
        rule.update(np.array([[rng.binomial(64, p) / 64 - 0.3]]))
    return chance, price


def test_proportional_and_integral_control_settles_where_others_swing() -> None:
    half = slice(2000, None)
    swings = {}
    for name in ("pi", "integral", "adam"):
        rule = {
            "pi": ProportionalIntegral(shape=(1, 1), proportional=2.0, rate=0.005, smoothing=0.9),
            "integral": ProportionalIntegral(shape=(1, 1), proportional=0.0, rate=0.05),
            "adam": ByAdam(shape=(1, 1), rate=0.035),
        }[name]
        chance, price = toy_by_exact_gradients(rule, 0)
        swings[name] = chance[half].std()
        if name == "pi":
            assert chance[half].mean() == pytest.approx(0.3, abs=0.01)
            assert price[half].mean() == pytest.approx(1.0, abs=0.03)
            assert chance[half].min() > 0.2 and chance[half].max() < 0.4
    assert swings["pi"] < 0.04 < 0.15 < min(swings["integral"], swings["adam"])


def excess_left(rule, updates: int, *, seed: int) -> float:
    """Mean excess in the last fifth of the updates, of a policy that follows the price with a lag.

    Its cost is .28 at no price and falls by .8 for each unit of it; .15 is allowed. What is measured
    is two updates old and noisy, as the mean of about 20 episodes is.
    """
    rng = np.random.default_rng(seed)
    cost = [0.28] * 3
    for _ in range(updates):
        cost.append(cost[-1] + 0.1 * (0.28 - 0.8 * rule.value.item() - cost[-1]))
        rule.update(np.array([[cost[-3] + 0.04 * rng.normal() - 0.15]]))
    return float(np.mean(cost[-updates // 5 :])) - 0.15


def test_default_gains_get_to_the_limit_within_a_training() -> None:
    """In the updates of 1,000,000 steps; gains of a quarter do not."""
    left = [
        np.mean([excess_left(agent.rule((1, 1)), 440, seed=seed) for seed in range(3)])
        for agent in (
            make("selector", "ppo_lagrangian"),
            make("selector", "ppo_lagrangian", proportional=0.5, integral=0.005),
        )
    ]
    assert abs(left[0]) < 0.008 < 0.02 < left[1]


def test_default_gains_hold_the_toy() -> None:
    """Where the Lagrangian is flat the integral must not swing: damping by the proportional part."""
    agent = make("selector", "ppo_lagrangian")
    chance, price = toy_by_exact_gradients(agent.rule((1, 1)), 0, updates=2000)
    assert chance[1000:].mean() == pytest.approx(0.3, abs=0.01) and chance[1000:].std() < 0.03
    assert price[1000:].mean() == pytest.approx(1.0, abs=0.03)


def test_a_price_that_is_frozen_loses_the_optimum() -> None:
    """The last policies are not where they were when the price was frozen, though that price was right."""
    last = []
    for seed in range(5):
        inner = ProportionalIntegral(shape=(1, 1), proportional=2.0, rate=0.005, smoothing=0.9)
        chance, _ = toy_by_exact_gradients(Halted(inner=inner, updates=2000), seed)
        assert abs(chance[1500:2000].mean() - 0.3) < 0.03
        last.append(abs(chance[-500:].mean() - 0.3))
    assert max(last) > 0.1


@pytest.mark.parametrize("rule", ["pi", "adam"])
def test_prices_are_projected_and_contexts_apart(rule: str) -> None:
    made = (
        ProportionalIntegral(shape=(3, 2), proportional=1.0, rate=0.5, smoothing=0.5, highest=2.0)
        if rule == "pi"
        else ByAdam(shape=(3, 2), rate=0.5, highest=2.0)
    )
    excess = np.array([[1.0, -1.0], [np.nan, np.nan], [0.2, 0.2]])
    for _ in range(20):
        made.update(excess)
    assert made.value[0].tolist() == [2.0, 0.0]
    # no episode of that context has ended: its prices stay
    assert made.value[1].tolist() == [0.0, 0.0]
    assert (made.value[2] > 0.5).all()
    alone = dataclasses.replace(made, shape=(1, 2))
    for _ in range(20):
        alone.update(excess[2:])
    assert np.array_equal(alone.value[0], made.value[2])


def test_the_pause_of_a_context_leaves_its_average() -> None:
    one, other = (ProportionalIntegral(shape=(1, 1), proportional=1.0, rate=0.1, smoothing=0.7) for _ in "ab")
    for excess in (0.3, np.nan, np.nan, 0.1):
        one.update(np.array([[excess]]))
    for excess in (0.3, 0.1):
        other.update(np.array([[excess]]))
    assert np.array_equal(one.value, other.value)


# -- draws and mixtures ----------------------------------------------------------------------------


def test_actions_have_their_probabilities_whatever_stands_beside_them() -> None:
    rng = np.random.default_rng(0)
    logits, mask = rng.normal(size=(1, 5)), np.array([[True, True, False, True, True]])
    keys = keys_of(np.random.SeedSequence(1).spawn(4))
    windows = np.arange(20_000)
    chances = np.where(mask[0], np.exp(logits[0]), 0.0)
    chances /= chances.sum()
    drawn = uniforms(np.repeat(keys[:1], len(windows)), windows)
    found = draw_actions(np.repeat(logits, len(windows), 0), np.repeat(mask, len(windows), 0), drawn)
    shares = np.bincount(found, minlength=5) / len(windows)
    # 5 standard errors
    assert np.abs(shares - chances).max() < 5 * np.sqrt(0.25 / len(windows))
    assert shares[2] == 0.0
    # neighbouring windows and deployments are not correlated
    assert abs(np.corrcoef(drawn[:-1], drawn[1:])[0, 1]) < 0.03
    other = uniforms(np.repeat(keys[1:2], len(windows)), windows)
    assert abs(np.corrcoef(drawn, other)[0, 1]) < 0.03
    # and a window's draw does not depend on the order
    assert np.array_equal(uniforms(np.repeat(keys[:1], len(windows)), windows[::-1])[::-1], drawn)


def test_a_mixture_comes_back_and_rows_do_not_matter() -> None:
    rng = np.random.default_rng(0)
    networks = [
        Network(
            names=("a", "b"),
            shift=np.zeros(2),
            scale=np.ones(2),
            weights=[rng.normal(size=(2, 4)), rng.normal(size=(4, 3))],
            biases=[rng.normal(size=4), rng.normal(size=3)],
            activation="tanh",
        )
        for _ in range(3)
    ]
    mixture = Mixture(networks=networks)
    again = Mixture.read(mixture.arrays(), json.loads(json.dumps(mixture.info())))
    obs, which = rng.normal(size=(50, 2)).astype(np.float32), rng.integers(3, size=50)
    many = again.forward(obs, which)
    for i in range(50):
        assert np.array_equal(many[i], networks[which[i]].forward(obs[i : i + 1])[0])
    with pytest.raises(CacheError, match="is no mixture"):
        Mixture.read(networks[0].arrays(), networks[0].info())
    with pytest.raises(CacheError, match="has not 2 networks"):
        Mixture.read(mixture.arrays(), {**mixture.info(), "snapshots": 2})


def test_what_is_stored_is_chosen_by_the_upper_limit() -> None:
    rng = np.random.default_rng(0)
    levels = np.linspace(0.2, 0.5, 16)
    cost = np.clip(levels[:, None] + 0.05 * rng.normal(size=(1, 40)), 0, 1)
    limits = np.array([[0.3]])
    found = choose(cost[:, None, :], cost[:, None, :, None], limits, 0.95)
    assert found.met and found.members == tuple(range(len(found.members)))
    mean = cost[: len(found.members)].mean(axis=0)
    assert upper_limit(mean[:, None], 0.95).item() <= 0.3
    # one more would have been too many: the return grows with the cost here
    more = cost[: len(found.members) + 1].mean(axis=0)
    assert upper_limit(more[:, None], 0.95).item() > 0.3
    # where nothing complies the cheapest stands
    none = choose(cost[:, None, :], cost[:, None, :, None], np.array([[0.05]]), 0.95)
    assert not none.met and none.members == (0,)
    # what is far below one limit does not pay for what is above another: the second is further above in all
    two = np.array([[0.05, 0.40], [0.20, 0.35]])[:, None, None, :] + np.array([-0.001, 0.001])[:, None]
    found_of_two = choose(two[..., 0], two, np.array([[0.3, 0.1]]), 0.95)
    assert not found_of_two.met and found_of_two.members == (1,)
    # and every context counts
    both = np.stack([cost, cost + 0.2], axis=1)
    assert len(choose(both, both[..., None], np.array([[0.3], [0.45]]), 0.95).members) < len(found.members)


def test_snapshots_are_of_the_last_fifth() -> None:
    places = snapshot_places(500, 16)
    assert len(places) == 16 and places[0] == 401 and places[-1] == 500
    assert set(np.diff(places)) <= {6, 7}


# -- training --------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["ppo_lagrangian", "ppo_fixed_price"])
def test_training_in_the_closed_loop(pool: WorldPool, name: str) -> None:
    pytest.importorskip("sb3_contrib")
    deployment = Limited()
    agent = make("selector", name, **TINY)
    fit = agent.train(pool, deployment, 3000, np.random.SeedSequence(3))
    steps = fit.info["steps"]
    assert 2000 < sum(steps.values()) == fit.info["steps_used"] <= 3000
    # pilot, training and choice: a fifth of five Worlds is one, so that there is nothing to choose by
    assert steps["pilot"] > 0 and steps["choice"] == 0 and steps["training"] == fit.info["updates"] * 32
    assert json.loads(json.dumps(fit.info)) == fit.info
    again = make("selector", name, **TINY).train(pool, deployment, 3000, np.random.SeedSequence(3))
    assert all(np.array_equal(fit.arrays[key], again.arrays[key]) for key in fit.arrays)
    agent.load(fit)
    seeds = np.random.SeedSequence(0).spawn(5)
    together = walk(agent, pool, deployment, seeds=seeds)
    assert not together.invalid.any() and "odd" in together.costs
    for i in (0, 3):
        alone = walk(agent, pool, deployment, np.array([i]), seeds[i : i + 1])
        assert np.array_equal(together.executed[i], alone.executed[0])
    other = walk(agent, pool, deployment, seeds=np.random.SeedSequence(1).spawn(5))
    assert not np.array_equal(together.executed, other.executed)


def test_one_agent_for_several_limits_and_switches(pool: WorldPool) -> None:
    """A price for each pair, of which the policy sees nothing but the limit and the switches."""
    pytest.importorskip("sb3_contrib")
    arms = [int(Switch.SUSPEND), int(Switch.SUSPEND | Switch.ROLLBACK)]
    agent = make("selector", "ppo_lagrangian", **TINY, limits=[0.0, 1.0], arms=arms)
    fit = agent.train(pool, Limited(), 4000, np.random.SeedSequence(3))
    assert fit.info["limits"] == [[0.0], [0.0], [1.0], [1.0]]
    price = np.array(fit.info["price"]["mean"])[:, 0]
    # nothing is allowed under the first limit, nothing is too much under the second
    assert (price[:2] > 0.1).all() and (price[2:] == 0.0).all()
    agent.load(fit)
    walk(agent, pool, Limited())


class Specs:
    """A pool of which nothing but the specs of its Worlds is known."""

    def __init__(self, specs: list[WorldSpec]) -> None:
        self.specs = specs

    def __len__(self) -> int:
        return len(self.specs)

    def spec(self, i: int) -> WorldSpec:
        return self.specs[i]


def test_whole_scenarios_of_all_families_are_kept_back() -> None:
    family = {"one_of": {"streams": ["population", {"population": {"d": 6}}, {"population": {"d": 7}}]}}
    trainings = [{"last": {"windows": k}} for k in (2, 5)]
    specs = [
        WorldSpec.of(family, "ridge", training, split="train", index=i)
        for i in range(60)
        for training in trainings
    ]
    found = held_back(Specs(specs), 0.2)  # type: ignore[arg-type]
    judges = np.stack(found.judges)
    # both Worlds of a scenario go together, and none is both trained on and judged on
    assert judges.shape == (12, 2) and {specs[a].index for a, _ in judges} == {
        specs[b].index for _, b in judges
    }
    assert sorted([*found.training, *judges.ravel()]) == list(range(120))
    source = make("stream", family)
    drawn = [source.which(specs[a].scenario_seed) for a in judges[:, 0]]
    assert drawn == [0, 1, 2] * 4
    # without a choice of streams they are the last ones
    plain = [WorldSpec.of("population", "ridge", split="train", index=i) for i in range(10)]
    assert [int(one[0]) for one in held_back(Specs(plain), 0.2).judges] == [8, 9]  # type: ignore[arg-type]


def test_a_scenario_with_two_worlds_is_one_observation_and_costs_both() -> None:
    pytest.importorskip("sb3_contrib")
    stream = {"synthetic": {"windows": 30, "rows": 20, "warmup": 5, "concept": "sea"}}
    specs = [
        WorldSpec.of(stream, "naive_bayes", {"last": {"windows": k}}, split="train", index=i)
        for i in range(10)
        for k in (1, 9)
    ]
    paired = WorldPool([build_world(spec) for spec in specs])
    loop = ClosedLoop(paired, Limited(), arms=[int(Switch.SUSPEND), 0])
    assert loop.validation == 2 and loop.judging(1) == 2 * 2 * paired.steps
    seeds = np.random.SeedSequence(0).spawn(2)
    returns, costs = loop.evaluate(make("selector", "periodic", every=4), 1, np.arange(2), seeds)
    each = walk(make("selector", "periodic", every=4), paired, Limited(), np.arange(16, 20))
    assert returns == pytest.approx(each.reward.mean(axis=1).reshape(2, 2).mean(axis=1), abs=1e-12)
    assert costs[:, 0] == pytest.approx(each.costs["odd"].mean(axis=1).reshape(2, 2).mean(axis=1), abs=1e-12)
    agent = make("selector", "ppo_lagrangian", **TINY, validation=0.5)
    fit = agent.train(paired, Limited(), 1500, np.random.SeedSequence(3))
    # three snapshots, two scenarios, two Worlds, all paid for
    assert (
        fit.info["validation"]["scenarios"] == 2 and fit.info["steps"]["choice"] == 3 * 2 * 2 * paired.steps
    )
    assert np.shape(fit.info["validation"]["each"]["costs"]) == (1, 2, 1)
    assert sum(fit.info["steps"].values()) <= 1500


def test_each_arm_has_a_price_of_its_own_with_and_without_the_data_gate() -> None:
    stream = {"population": {"windows": 14, "warmup": 4, "per_group": 20}}
    specs = [
        WorldSpec.of(stream, "ridge", {"guarded": {"gate": gate}}, split="train", index=i)
        for i in range(10)
        for gate in ("iqr", "none")
    ]
    whole = WorldPool([build_world(spec) for spec in specs])
    limits = [{"accuracy_floor": {"floor": 0.8, "limit": 0.1}}]
    deployment = make("deployment", "governed", fallback=0.6, label_delay=1, constraints=limits)
    arms = [int(Switch.SUSPEND), int(Switch.SUSPEND | Switch.ROLLBACK)]
    loop = ClosedLoop(whole, deployment, arms=arms)
    assert len(loop.limits) == 4 and loop.judging(1) == 2 * 2 * whole.steps
    lanes = loop.lanes(40, stagger=True)
    obs = lanes.reset(0)
    seen = set()
    for _ in range(2 * whole.steps):
        rollback, gate = (obs[:, loop.names.index(name)] for name in ("has_rollback", "has_data_gate"))
        assert np.array_equal(lanes.context, 2 * rollback + gate)
        seen |= set(lanes.context.tolist())
        obs = lanes.step(np.zeros(40, dtype=np.int64)).obs
    assert seen == {0, 1, 2, 3}
    # the last two scenarios, each in its World of that kind
    rule = make("selector", "periodic", every=3)
    for context, worlds in ((2, [17, 19]), (3, [16, 18])):
        returns, _ = loop.evaluate(rule, context, np.arange(2), np.random.SeedSequence(0).spawn(2))
        switches = np.full(2, arms[1])
        each = walk(rule, whole, deployment, np.array(worlds), switches=switches).reward.mean(axis=1)
        assert np.array_equal(returns, each)
    one = ClosedLoop(whole.select(np.arange(0, 20, 2)), deployment, arms=arms)
    assert len(one.limits) == 2
    apart = whole.select(np.array([*range(0, 10, 2), *range(11, 20, 2)]))
    with pytest.raises(ConfigError, match="not of the same scenarios"):
        ClosedLoop(apart, deployment).evaluate(rule, 1, np.arange(2), np.random.SeedSequence(0).spawn(2))


def test_a_policy_may_see_its_price() -> None:
    pytest.importorskip("sb3_contrib")
    agent = make("selector", "ppo_lagrangian", **TOY, running=0.1, highest=2.0)
    fit = agent.train_in(OneState(), 30_000, np.random.SeedSequence(0))
    assert fit.info["names"] == ["one", "price_toy"] and fit.info["price"] is None
    networks = Mixture.read(fit.arrays, fit.info).networks
    logits = networks[-1].forward(np.array([[1.0, 0.1], [1.0, 1.9]], dtype=np.float32))
    wants = logits[:, 0] - logits[:, 1]
    # A is worth more than it costs below the price 1, and less above
    assert wants[0] > wants[1]


def test_limits_and_switches_are_drawn_and_shown(pool: WorldPool) -> None:
    arms = [int(Switch.SUSPEND), int(Switch.SUSPEND | Switch.ROLLBACK)]
    loop = ClosedLoop(pool, Limited(), limits=[0.1, 0.4], arms=arms)
    assert loop.limits.ravel().tolist() == [0.1, 0.1, 0.4, 0.4] and loop.validation == 1
    lanes = loop.lanes(64, stagger=False)
    column = {name: loop.names.index(name) for name in loop.names}
    seen: set[int] = set()
    obs = lanes.reset(0)
    rng = np.random.default_rng(0)
    for _ in range(2 * loop.horizon):
        limit, arm = np.divmod(lanes.context, 2)
        seen |= set(lanes.context.tolist())
        assert np.allclose(obs[:, column["cost_odd_limit"]], np.array([0.1, 0.4])[limit])
        assert np.array_equal(obs[:, column["has_rollback"]], arm)
        left = obs[:, column["cost_odd_limit"]] - obs[:, column["cost_odd_seen"]]
        assert np.allclose(obs[:, column["cost_odd_left"]], left)
        masks = lanes.action_masks()
        assert masks.shape == (64, loop.actions)
        context = lanes.context.copy()
        step = lanes.step((rng.random(masks.shape) * masks).argmax(axis=1))
        assert ((lanes.context == context) | step.ended).all()
        obs = step.obs
        limit = context // 2
        assert np.allclose(step.last_obs[:, column["cost_odd_limit"]], np.array([0.1, 0.4])[limit][:])
        assert set(np.unique(step.cost)) <= {0.0, 1.0}
    assert seen == {0, 1, 2, 3}
    with pytest.raises(ConfigError, match="the only constraint"):
        ClosedLoop(pool, Standard(), limits=[0.1])


def test_the_baseline_of_a_cost_is_made_as_that_of_the_reward(pool: WorldPool) -> None:
    assert np.array_equal(mean_of_versions(pool, pool.reward, 5), pool.baseline(5))
    part = pool.part(1, 3)
    assert len(part) == 2 and np.array_equal(part.baseline(5), pool.baseline(5)[1:3])
    with pytest.raises(ConfigError, match="cannot be"):
        pool.part(2, 2)


def test_a_shield_keeps_what_is_measured_below_the_limit(pool: WorldPool) -> None:
    """An agent that would keep and never suspend does it in time."""
    deployment = Limited()
    fit = make("selector", "ppo_fixed_price").untrained(interface(pool, deployment), np.random.default_rng(0))
    arrays = {name: np.zeros_like(values) for name, values in fit.arrays.items()}
    arrays["bias1"][:, 0] = 50.0
    info = {**fit.info, "constraints": ["odd"]}
    costs = {}
    for shield in (False, True):
        agent = make("selector", "ppo_fixed_price", shield=shield)
        agent.load(FitResult(arrays=arrays, info=info))
        costs[shield] = walk(agent, pool, deployment).costs["odd"].mean(axis=1)
    # the first version, number 4, breaks the constraint
    assert (costs[False] == 1.0).all() and (costs[True] <= 0.2).all() and (costs[True] > 0.0).all()


def interface(pool: WorldPool, deployment: Standard):
    from mlopsim.delivery.engine import Engine

    return Engine(pool, deployment, 1).interface


def test_the_toy_in_short() -> None:
    """Towards the optimum, by the stored policy, in a budget that counts the choice."""
    # from the right price on, so that the start takes no time
    agent = make("selector", "ppo_lagrangian", **{**TOY, "learning_rate": 1e-2}, start=1.0)
    toy = OneState()
    fit = agent.train_in(toy, 30_000, np.random.SeedSequence(0))
    assert fit.info["steps"]["choice"] > 0 and 29_000 < fit.info["steps_used"] <= 30_000
    agent.load(fit)
    count = 64
    _, cost = toy.evaluate(agent, 0, np.arange(count), np.random.SeedSequence(1).spawn(count))
    # it begins at .5, and the argmax would be 0 or 1
    assert 0.2 < cost.mean() < 0.4
    assert 0.8 < fit.info["price"]["mean"][0][0] < 1.2
    # its draws are those of the seed and the window
    again = toy.evaluate(agent, 0, np.arange(3), np.random.SeedSequence(1).spawn(count)[:3])[1]
    assert np.array_equal(again, cost[:3])


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(10))
def test_the_toy_by_the_stored_policy(seed: int) -> None:
    agent = make("selector", "ppo_lagrangian", **TOY)
    fit = agent.train_in(OneState(), 160_000, np.random.SeedSequence(seed))
    agent.load(fit)
    long = OneState(horizon=50)
    _, cost = long.evaluate(agent, 0, np.arange(400), np.random.SeedSequence(99).spawn(400))
    assert cost.mean() == pytest.approx(0.3, abs=0.03)
    assert fit.info["price"]["mean"][0][0] == pytest.approx(1.0, abs=0.1)


def test_prices_that_run_where_it_is_deployed_meet_the_limit() -> None:
    """By an exact policy of the price, A below 1 and B above; but for start and end it costs the limit."""
    agent = make("selector", "ppo_lagrangian", running=0.2, highest=2.0)
    network = Network(
        names=("one", "price_toy"),
        shift=np.zeros(2),
        scale=np.ones(2),
        weights=[np.array([[40.0, 0.0], [-40.0, 0.0]])],
        biases=[np.zeros(2)],
        activation="tanh",
        clip=5.0,
    )
    mixture = Mixture(networks=[network])
    info = {**mixture.info(), "members": [0], "constraints": ["toy"]}
    agent.load(FitResult(arrays=mixture.arrays(), info=info))
    toy = OneState(horizon=400)
    _, cost = toy.evaluate(agent, 0, np.arange(8), np.random.SeedSequence(1).spawn(8))
    # the price stays within 0..2, so the excess is at most 2 / (.2 x 400)
    assert np.abs(cost - 0.3).max() < 2 / (0.2 * 400)
    # an agent without running prices cannot take its policies
    still = make("selector", "ppo_lagrangian")
    still.load(FitResult(arrays=mixture.arrays(), info=info))
    with pytest.raises(CacheError, match="other observations"):
        toy.evaluate(still, 0, np.arange(2), np.random.SeedSequence(1).spawn(2))


# -- misuse ----------------------------------------------------------------------------------------


def test_misuse_is_named(pool: WorldPool) -> None:
    with pytest.raises(ConfigError, match="has not been trained"):
        walk(make("selector", "ppo_lagrangian"), pool, Standard())
    with pytest.raises(ConfigError, match="raise the steps"):
        make("selector", "ppo_lagrangian").train(pool, Standard(), 1000, np.random.SeedSequence(0))
    with pytest.raises(ConfigError, match="needs a constraint, and a fallback"):
        make("selector", "ppo_fixed_price", shield=True).train(
            pool, Standard(), 9000, np.random.SeedSequence(0)
        )
    with pytest.raises(ConfigError, match="is a mask"):
        make("selector", "ppo_lagrangian", shield=True, mask=False)
    with pytest.raises(ConfigError, match="twice"):
        make("selector", "ppo_lagrangian", limits=[0.1, 0.1])
    agent = make("selector", "ppo_lagrangian")
    agent.load(agent.untrained(interface(pool, Standard()), np.random.default_rng(0)))
    with pytest.raises(CacheError, match="other actions"):
        walk(agent, pool, Limited())


def test_a_fixed_price_stays() -> None:
    rule = Fixed(value=np.array([[0.4]]))
    rule.update(np.array([[1.0]]))
    assert rule.value.item() == 0.4
