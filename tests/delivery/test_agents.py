"""Stored agents: no torch in the forward pass, the same bits alone and in a batch, honest budgets."""

import dataclasses
import random

import numpy as np
import pytest

from mlopsim.core.errors import CacheError, ConfigError
from mlopsim.core.registry import find, register, unregister
from mlopsim.core.spec import make
from mlopsim.core.track import FitResult
from mlopsim.delivery.agents.network import Network
from mlopsim.delivery.pool import WorldPool
from mlopsim.delivery.walk import walk
from mlopsim.world.build import build_world
from mlopsim.world.spec import WorldSpec

TINY = {"hidden": [16], "n_envs": 4, "reward_scale": 5.0}
SETTINGS = {
    "ppo": {**TINY, "n_steps": 16, "batch_size": 32, "n_epochs": 2},
    "maskable_ppo": {**TINY, "n_steps": 16, "batch_size": 32, "n_epochs": 2},
    "a2c": {**TINY, "n_steps": 8},
    "dqn": {**TINY, "buffer_size": 1000, "learning_starts": 200, "batch_size": 16},
}


@pytest.fixture(scope="module")
def pool():
    stream = {"synthetic": {"windows": 30, "rows": 20, "warmup": 5, "concept": "sea"}}
    return WorldPool([build_world(WorldSpec.of(stream, split="train", index=i)) for i in range(3)])


def network(seed=0, inputs=7, hidden=5, outputs=3, activation="tanh"):
    rng = np.random.default_rng(seed)
    return Network(
        names=tuple(f"x{i}" for i in range(inputs)),
        shift=rng.normal(size=inputs),
        scale=rng.uniform(0.5, 2, inputs),
        weights=[rng.normal(size=(inputs, hidden)), rng.normal(size=(hidden, outputs))],
        biases=[rng.normal(size=hidden), rng.normal(size=outputs)],
        activation=activation,
    )


@pytest.mark.parametrize("activation", ["tanh", "relu"])
def test_forward_is_the_textbook_formula_and_rows_do_not_matter(activation):
    net = network(activation=activation)
    obs = np.random.default_rng(1).normal(size=(257, 7)).astype(np.float32)
    many = net.forward(obs)
    x = np.clip((obs.astype(np.float64) - net.shift) * net.scale, -5, 5)
    h = x @ net.weights[0] + net.biases[0]
    h = np.tanh(h) if activation == "tanh" else np.maximum(h, 0)
    np.testing.assert_allclose(many, h @ net.weights[1] + net.biases[1], rtol=1e-12, atol=1e-13)
    for i in range(0, 257, 17):
        assert np.array_equal(net.forward(obs[i : i + 1])[0], many[i])
        assert np.array_equal(net.forward(np.asfortranarray(obs[i : i + 5])), many[i : i + 5])


def test_network_round_trip_and_damage():
    net = network()
    again = Network.read(net.arrays(), net.info())
    obs = np.ones((2, 7), np.float32)
    assert np.array_equal(net.forward(obs), again.forward(obs))
    arrays = net.arrays()
    del arrays["weight1"]
    with pytest.raises(CacheError, match="lacks"):
        Network.read(arrays, net.info())
    with pytest.raises(CacheError, match="do not fit"):
        Network.read({**net.arrays(), "weight1": np.zeros((9, 3))}, net.info())


@pytest.mark.parametrize("name", sorted(SETTINGS))
def test_training_is_repeatable_within_budget_and_leaves_global_randomness_alone(pool, name):
    import torch

    dep = make("deployment", "standard")
    agent = make("selector", name, **SETTINGS[name])
    before = random.getstate(), np.random.get_state()[1].copy(), torch.get_rng_state().clone()  # noqa: NPY002
    fit = agent.train(pool, dep, 1500, np.random.SeedSequence(3))
    assert random.getstate() == before[0]
    assert np.array_equal(np.random.get_state()[1], before[1])  # noqa: NPY002
    assert torch.equal(torch.get_rng_state(), before[2])
    assert 1000 < fit.info["steps_used"] <= 1500
    again = make("selector", name, **SETTINGS[name]).train(pool, dep, 1500, np.random.SeedSequence(3))
    assert all(np.array_equal(fit.arrays[key], again.arrays[key]) for key in fit.arrays)
    other = make("selector", name, **SETTINGS[name]).train(pool, dep, 1500, np.random.SeedSequence(4))
    assert any(not np.array_equal(fit.arrays[key], other.arrays[key]) for key in fit.arrays)
    agent.load(fit)
    together = walk(agent, pool, dep)
    alone = walk(agent, pool, dep, np.array([1]))
    assert np.array_equal(together.executed[1], alone.executed[0])
    assert not (agent.masked and together.invalid.any())


def test_the_stored_network_is_the_trained_policy(pool):
    """Greedy actions of the numpy forward pass equal those of stable-baselines3 on scaled observations."""
    import stable_baselines3 as sb3
    import torch

    from mlopsim.delivery.agents.train import extract, measure_scaling
    from mlopsim.delivery.vector import DeliveryVectorEnv

    dep = make("deployment", "standard")
    shift, scale, used = measure_scaling(pool, dep, 400, np.random.SeedSequence(0))
    assert used <= 400
    env = DeliveryVectorEnv(64, pool=pool, deployment=dep)
    obs, _ = env.reset(seed=0)
    for step in range(12):
        obs = env.step(np.full(64, step % 5))[0]
    scaled = np.clip((obs.astype(np.float64) - shift) * scale, -5, 5).astype(np.float32)
    from mlopsim.delivery.sb3 import make_sb3_vec_env

    vec = make_sb3_vec_env(pool, dep, 2, 0)
    for name, cls, between in (("ppo", sb3.PPO, torch.nn.Tanh), ("dqn", sb3.DQN, torch.nn.ReLU)):
        policy = {"net_arch": [32, 32], "activation_fn": between}
        model = cls("MlpPolicy", vec, seed=0, device="cpu", policy_kwargs=policy)
        net = extract(make("selector", name), model, env.feature_names, shift, scale)
        assert np.array_equal(net.forward(obs).argmax(axis=1), model.predict(scaled, deterministic=True)[0])


@pytest.mark.parametrize(("name", "masked"), [("ppo", False), ("maskable_ppo", True)])
def test_what_a_network_says_is_counted(pool, monkeypatch, name, masked):
    """A network that always wants to retrain; in training, only what is masked is never asked in vain."""
    from mlopsim.delivery.features import feature_names
    from mlopsim.delivery.vector import DeliveryVectorEnv

    dep = make("deployment", "standard")
    names = feature_names(dep.slots)
    wants = np.zeros(dep.slots + 2)
    wants[-1], wants[0] = 2.0, 1.0
    net = Network(
        names=names,
        shift=np.zeros(len(names)),
        scale=np.ones(len(names)),
        weights=[np.zeros((len(names), dep.slots + 2))],
        biases=[wants],
        activation="tanh",
    )
    agent = make("selector", name)
    agent.load(FitResult(arrays=net.arrays(), info=net.info()))
    found = walk(agent, pool, dep)
    steps = found.asked.size
    retrains = int(found.retrained.sum())
    assert retrains > 0
    assert int(found.invalid.sum()) == (0 if masked else steps - retrains)

    asked = []
    step = DeliveryVectorEnv.step

    def watch(self, actions):
        result = step(self, actions)
        asked.append(bool((result[4]["executed"] != actions).any()))
        return result

    monkeypatch.setattr(DeliveryVectorEnv, "step", watch)
    make("selector", name, **SETTINGS[name]).train(pool, dep, 600, np.random.SeedSequence(3))
    assert len(asked) > 50 and any(asked) == (not masked)


@pytest.mark.parametrize("name", ["dqn", "maskable_ppo"])
def test_an_agent_of_ones_own_is_trained_as_what_it_derives_from(pool, name):
    base = find("selector", name)
    dep = make("deployment", "standard")
    expected = make("selector", name, **SETTINGS[name]).train(pool, dep, 600, np.random.SeedSequence(3))
    register("selector", "own_agent")(dataclasses.dataclass(kw_only=True)(type("Own", (base,), {})))
    try:
        fit = make("selector", "own_agent", **SETTINGS[name]).train(pool, dep, 600, np.random.SeedSequence(3))
    finally:
        unregister("selector", "own_agent")
    assert fit.info["algorithm"] == "own_agent"
    assert fit.arrays.keys() == expected.arrays.keys()
    assert all(np.array_equal(fit.arrays[key], expected.arrays[key]) for key in fit.arrays)


def test_credit_is_the_sum_of_the_next_windows_and_comes_with_their_labels():
    from mlopsim.delivery.agents.delayed_credit import DelayedCredit

    rng = np.random.default_rng(0)
    n, steps, horizon, delay = 5, 60, 4, 2
    rewards, ended = rng.normal(size=(steps, n)), rng.random((steps, n)) < 0.1
    credit = DelayedCredit(horizon=horizon, delay=delay)
    found = {}
    for t in range(steps):
        x = np.stack([np.full(n, t), np.arange(n)], axis=1)
        for (at, who), action, total in zip(*credit.add(x, x[:, 0], rewards[t], ended[t]), strict=True):
            assert at == action == t - horizon - delay + 1
            found[int(at), int(who)] = total
    expected = {
        (t, i): rewards[t : t + horizon, i].sum()
        for t in range(steps - horizon - delay + 1)
        for i in range(n)
        # labelled before the episode ends
        if not ended[t : t + horizon + delay - 1, i].any()
    }
    assert found == pytest.approx(expected) and 50 < len(found) < 200


def test_a_bandit_on_returns_retrains_where_one_on_rewards_cannot(pool):
    """With a latency a retrain pays nothing within one window: only its cost is seen there."""
    dep = make("deployment", "standard")
    retrains = {}
    for horizon in (1, 10):
        agent = make("selector", "linucb_returns", horizon=horizon, n_envs=16)
        fit = agent.train(pool, dep, 8000, np.random.SeedSequence(0))
        assert 7900 < fit.info["steps_used"] <= 8000
        again = agent.train(pool, dep, 8000, np.random.SeedSequence(0))
        assert all(np.array_equal(fit.arrays[key], again.arrays[key]) for key in fit.arrays)
        agent.load(fit)
        found = walk(agent, pool, dep)
        assert not found.invalid.any()
        retrains[horizon] = int(found.retrained.sum())
    assert retrains[1] == 0 < retrains[10]
    with pytest.raises(ConfigError, match="lower its horizon"):
        make("selector", "linucb_returns", horizon=24).train(pool, dep, 8000, np.random.SeedSequence(0))
    with pytest.raises(ConfigError, match="raise the steps"):
        make("selector", "linucb_returns").train(pool, dep, 20, np.random.SeedSequence(0))


def test_misuse_is_named(pool):
    dep = make("deployment", "standard")
    with pytest.raises(ConfigError, match="has not been trained"):
        walk(make("selector", "ppo"), pool, dep)
    with pytest.raises(ConfigError, match="raise the steps"):
        make("selector", "ppo").train(pool, dep, 1000, np.random.SeedSequence(0))
    agent = make("selector", "ppo")
    agent.load(FitResult(arrays=network().arrays(), info=network().info()))
    with pytest.raises(CacheError, match="other observations"):
        walk(agent, pool, dep)
