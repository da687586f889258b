"""What the throughput experiment measures: environments, Worlds and streams, ours and the usual way.

A new measurement is one function with @measurement and its section in conf/experiment/throughput.yaml.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from mlopsim.delivery.pool import WorldPool
    from mlopsim.streams.stream import Stream

    Counts = np.ndarray


@dataclass(frozen=True)
class Work:
    """Something to time: ``run()`` does ``amount`` of the unit."""

    run: Callable[[], object]
    amount: float


@dataclass(frozen=True, kw_only=True)
class Contest:
    """Ours, timed alone or in turns with a reference.

    Parameters
    ----------
    name, unit : str
        What is measured, in what.
    ours : Work
    reference : Work, optional
    speed, ratio : float, optional
        What is asked of our speed, and of its ratio to the reference's: a row of the table each. With
        neither, there is one row that asks for nothing.
    repeats : int, optional
        Instead of the setting for all.
    """

    name: str
    unit: str
    ours: Work
    reference: Work | None = None
    speed: float | None = None
    ratio: float | None = None
    repeats: int | None = None


MEASUREMENTS: dict[str, Callable[..., Iterator[Contest]]] = {}


def measurement(function: Callable[..., Iterator[Contest]]) -> Callable[..., Iterator[Contest]]:
    """Register a measurement under its function's name; the section of that name has its parameters."""
    MEASUREMENTS[function.__name__] = function
    return function


def make_pool(stream: Any, learner: Any, scenarios: int) -> WorldPool:
    """Build Worlds of the training split, without the cache."""
    from mlopsim.delivery.pool import WorldPool
    from mlopsim.world.build import build_world
    from mlopsim.world.spec import WorldSpec

    base = WorldSpec.of(stream, learner, "last", split="train")
    return WorldPool([build_world(base.at(i)) for i in range(scenarios)])


@measurement
def environments(
    *,
    n: int,
    episodes: int,
    reference_episodes: int,
    adapter_episodes: int,
    repeats_adapter: int,
    scalar_episodes: int,
    scenarios: int,
    stream: Any,
    learner: Any,
    deployment: Any,
    asked_speed: float,
    asked_ratio: float,
    asked_scalar_speed: float,
) -> Iterator[Contest]:
    """Deployments with observations and resets, N at once and one alone; the same random actions."""
    import gymnasium
    from stable_baselines3.common.vec_env import DummyVecEnv

    from mlopsim.delivery.env import DeliveryEnv
    from mlopsim.delivery.registration import ENV_ID, register_envs
    from mlopsim.delivery.sb3 import make_sb3_vec_env

    register_envs()
    pool = make_pool(stream, learner, scenarios)
    native = gymnasium.make_vec(
        ENV_ID, num_envs=n, vectorization_mode="vector_entry_point", pool=pool, deployment=deployment
    )
    adapter = make_sb3_vec_env(pool, deployment, n, seed=0, monitor=False)
    dummy = DummyVecEnv([lambda: DeliveryEnv(pool=pool, deployment=deployment) for _ in range(n)])
    count = int(native.single_action_space.n)  # type: ignore[attr-defined]
    actions = np.random.default_rng(0).integers(count, size=(pool.steps, n))
    native.reset(seed=0)
    adapter.reset()
    dummy.seed(0)
    dummy.reset()

    def work(step: Callable[[np.ndarray], object], times: int) -> Work:
        def run() -> None:
            for _ in range(times):
                for row in actions:
                    step(row)

        return Work(run, times * actions.size)

    reference = work(dummy.step, reference_episodes)
    yield Contest(
        name=f"vector environment, N = {n}, against DummyVecEnv",
        unit="steps/s",
        ours=work(native.step, episodes),
        reference=reference,
        speed=asked_speed,
        ratio=asked_ratio,
    )
    yield Contest(
        name=f"the same behind stable-baselines3's interface, N = {n}",
        unit="steps/s",
        ours=work(adapter.step, adapter_episodes),
        reference=reference,
        repeats=repeats_adapter,
    )
    env = DeliveryEnv(pool=pool, deployment=deployment)
    env.reset(seed=0)
    listed = actions[:, 0].tolist()

    def one() -> None:
        for _ in range(scalar_episodes):
            env.reset()
            for action in listed:
                env.step(action)

    yield Contest(
        name="scalar environment",
        unit="steps/s",
        ours=Work(one, scalar_episodes * len(listed)),
        speed=asked_scalar_speed,
    )


def reference_counts(stream: Stream, estimator: Callable[[], Any], width: int, *, pairs: bool) -> Counts:
    """Compute a World's confusion counts and shifts the usual way: scikit-learn in a loop over the versions.

    Parameters
    ----------
    stream : Stream
    estimator : callable
        Makes an unfitted classifier of scikit-learn.
    width : int
        Windows that a version is trained on.
    pairs : bool
        Predict window by window rather than all rows of a version at once.

    Returns
    -------
    ndarray of int64, shape (T, T, C, C)
    """
    from mlopsim.learners.encode import Encoder
    from mlopsim.world.shift import shift_statistics

    encoded = Encoder.fit(stream).transform(stream.X)
    windows, classes, bounds = stream.windows, stream.n_classes, stream.bounds
    cells = classes * classes
    first = np.maximum(np.arange(windows) - width + 1, 0)
    window = np.repeat(np.arange(windows), np.diff(bounds))
    counts = np.zeros((windows, windows, classes, classes), dtype=np.int64)
    for v in range(stream.warmup - 1, windows):
        train = slice(bounds[first[v]], bounds[v + 1])
        model = estimator().fit(encoded[train], stream.y[train])
        if pairs:
            for t in range(windows):
                rows = slice(bounds[t], bounds[t + 1])
                code = stream.y[rows] * classes + model.predict(encoded[rows])
                counts[v, t] = np.bincount(code, minlength=cells).reshape(classes, classes)
        else:
            code = window * cells + stream.y * classes + model.predict(encoded)
            counts[v] = np.bincount(code, minlength=windows * cells).reshape(windows, classes, classes)
    shift_statistics(stream.X, encoded, bounds, first, stream.warmup)
    return counts


@measurement
def worlds(
    *, windows: int, rows: int, d: int, learners: list[str], repeats_pairs: int, asked_ratio: float
) -> Iterator[Contest]:
    """The World of one stream: closed form for all versions at once against scikit-learn in a loop."""
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
    from sklearn.linear_model import RidgeClassifier
    from sklearn.naive_bayes import GaussianNB

    from mlopsim import make
    from mlopsim.core.errors import MlopsimError
    from mlopsim.world.build import build_from_stream

    estimators = {"ridge": RidgeClassifier, "naive_bayes": GaussianNB, "lda": LinearDiscriminantAnalysis}
    source = make(
        "stream", "synthetic", windows=windows, rows=rows, concept={"hyperplane": {"d": d, "low": -1.0}}
    )
    stream = source.generate(np.random.SeedSequence(0))
    training = make("training", "last")
    for learner in learners:

        def ours(learner: str = learner) -> Counts:
            return build_from_stream(stream, learner, training).confusion

        def loop(pairs: bool, learner: str = learner) -> Counts:
            return reference_counts(stream, estimators[learner], training.windows, pairs=pairs)

        found, expected = ours(), loop(pairs=False)
        # a score on the border may be rounded to either side
        if np.abs(found - expected).sum() > 1e-6 * expected.sum():
            raise MlopsimError(f"the World of {learner} differs from scikit-learn's")
        yield Contest(
            name=f"World, {learner}, against a fit and a predict per version",
            unit="Worlds/s",
            ours=Work(ours, 1),
            reference=Work(lambda loop=loop: loop(pairs=False), 1),  # type: ignore[misc]
            ratio=asked_ratio,
        )
        yield Contest(
            name=f"World, {learner}, against a predict per version and window",
            unit="Worlds/s",
            ours=Work(ours, 1),
            reference=Work(lambda loop=loop: loop(pairs=True), 1),  # type: ignore[misc]
            repeats=repeats_pairs,
        )


@measurement
def generators(
    *, concepts: list[str], rows: int, reference_rows: int, asked_ratio: float
) -> Iterator[Contest]:
    """Rows of one concept, without noise, against river's generator of the same law."""
    from itertools import islice

    from river.datasets import synth

    from mlopsim import make
    from mlopsim.streams.concepts.base import Law

    rivers: dict[str, Callable[[], Any]] = {
        "sea": lambda: synth.SEA(seed=0),
        "agrawal": lambda: synth.Agrawal(seed=0),
        "hyperplane": lambda: synth.Hyperplane(seed=0, noise_percentage=0.0),
        "rbf": lambda: synth.RandomRBF(seed_model=0, seed_sample=0),
    }
    for name in concepts:
        concept = make("concept", name)
        concept.reset(np.random.default_rng(0))
        law, rng = Law.of(0, rows), np.random.default_rng(1)

        def ours(concept: Any = concept, law: Any = law, rng: Any = rng) -> object:
            return concept.sample(law, rng)

        def river(name: str = name) -> object:
            return sum(1 for _ in islice(iter(rivers[name]()), reference_rows))

        yield Contest(
            name=f"rows of {name}, against river",
            unit="rows/s",
            ours=Work(ours, rows),
            reference=Work(river, reference_rows),
            ratio=asked_ratio,
        )
