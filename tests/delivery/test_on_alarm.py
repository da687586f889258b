"""Every detector of the drift room as a trigger of retraining: the same detector, the same alarms."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from mlopsim.checks.run import check_component
from mlopsim.checks.toy_deployment import play
from mlopsim.core.errors import ConfigError
from mlopsim.core.identity import identity
from mlopsim.core.registry import names, register, unregister
from mlopsim.core.spec import canonical, label, make, part
from mlopsim.delivery.pool import WorldPool
from mlopsim.delivery.search_space import space_of
from mlopsim.delivery.selector import View, selector_facts
from mlopsim.delivery.selectors.on_alarm import Channel, OnAlarm
from mlopsim.delivery.tuning import tune
from mlopsim.delivery.walk import Trajectory, walk
from mlopsim.drift import error_limits
from mlopsim.drift.calibration import first_alarms, target_share
from mlopsim.drift.error_limits import HORIZON, threshold_at
from mlopsim.drift.law import Bernoulli
from mlopsim.drift.signal import SignalKind, output_of
from mlopsim.world.build import build_world
from mlopsim.world.spec import WorldSpec

#: such that every detector has something to say in 30 windows; None: it has no such limit, or draws
SOON: dict[str, dict[str, Any]] = {
    "bernoulli_cusum": {"p0": 0.05, "p1": 0.3, "h": 2.0},
    "ddm": {"level": 2.0},
    "periodic": {"every": 170},
    "random": {"rate": 0.01},
    "rddm": {"warm_start": 30, "level": 1.5},
    "page_hinkley": {"h": 3.0},
}
#: all but the control that knows the changes, which no deployment shows
TRIGGERS = [name for name in names("detector") if name != "clairvoyant"]


@pytest.fixture(scope="module")
def pool() -> WorldPool:
    stream = {"procedural": {"windows": 36, "rows": 40, "warmup": 6, "mean_duration": [5.0, 10.0]}}
    return WorldPool([build_world(WorldSpec.of(stream, "ridge", "last", index=i)) for i in range(4)])


def late(*found: str) -> list[Any]:
    """Return names that take seconds."""
    return [pytest.param(name, marks=pytest.mark.slow) for name in found]


def rule(name: str, **params: Any) -> Any:
    return make("selector", "on_alarm", detector={name: SOON.get(name, {})}, **params)


class Watched:
    """Hands everything on to a rule and keeps what it saw and said."""

    def __init__(self, selector: OnAlarm) -> None:
        self.selector, self.full_name = selector, selector.full_name
        self.uses_errors, self.uses_inputs = selector.uses_errors, selector.uses_inputs
        self.views: list[View] = []
        self.alarmed: list[np.ndarray] = []

    def reset(self, n: int, interface: Any, seeds: Any) -> None:
        self.selector.reset(n, interface, seeds)

    def act(self, view: View) -> np.ndarray:
        self.views.append(view)
        answer = self.selector.act(view)
        self.alarmed.append(self.selector.alarmed.copy())
        return answer


def walked(selector: OnAlarm, pool: WorldPool, **setting: Any) -> tuple[Watched, Trajectory]:
    watched = Watched(selector)
    seeds = np.random.SeedSequence(4).spawn(len(pool))
    return watched, walk(watched, pool, make("deployment", "standard", **setting), seeds=seeds)


def runs_of(path: Trajectory, i: int, first: int) -> Iterator[tuple[int, int, int]]:
    """Yield version, first and last window of what served, in the order of the windows."""
    served = path.served[i, first:]
    cuts = [0, *(np.flatnonzero(np.diff(served)) + 1).tolist(), len(served)]
    for a, b in itertools.pairwise(cuts):
        yield int(served[a]), first + a, first + b - 1


@pytest.mark.parametrize("name", TRIGGERS)
def test_every_detector_walks_together_as_alone(name: str, pool: WorldPool) -> None:
    seeds = np.random.SeedSequence(4).spawn(len(pool))
    deployment = make("deployment", "standard")
    together = walk(rule(name, wait=1, cooldown=2), pool, deployment, seeds=seeds)
    assert not together.invalid.any()
    for i in range(len(pool)):
        alone = walk(rule(name, wait=1, cooldown=2), pool, deployment, [i], [seeds[i]])
        assert np.array_equal(alone.executed[0], together.executed[i])


def test_they_have_something_to_say(pool: WorldPool) -> None:
    silent = {name for name in TRIGGERS if not np.any(walked(rule(name), pool)[0].alarmed)}
    assert silent <= {"never", "eddm", "ecdd"}, silent


@pytest.mark.parametrize("name", [n for n in TRIGGERS if rule(n).uses_errors])
def test_alarms_are_those_of_the_detector_on_the_stitched_errors(name: str, pool: WorldPool) -> None:
    """Run in one piece on the errors of each version while it served, it alarms in the same windows."""
    delay = 2
    watched, path = walked(rule(name), pool, label_delay=delay, latency=1)
    warmup = pool.warmup
    for i, world in enumerate(pool.worlds):
        found = np.array([alarm[i] for alarm in watched.alarmed])
        wanted = np.zeros(len(found), dtype=bool)
        rng = np.random.default_rng(np.random.SeedSequence(4).spawn(len(pool))[i])
        detector: Any = make("detector", {name: SOON.get(name, {})})
        if hasattr(detector, "informed") and detector.known.value == "p0":
            detector = detector.informed(Bernoulli(p=0.2))
        detector.reset(rng)
        # the version that serves at a decision is that of the window before it
        decisions = np.array([path.served[i, max(t, warmup)] for t in range(warmup - 1, pool.windows - 1)])
        steps = np.arange(len(decisions))
        for number, (version, a, b) in enumerate(runs_of(path, i, warmup)):
            if number:
                detector.begin()
            windows = [
                t
                for t in range(a, b + 1)
                # labels that become known after the version was replaced are not read
                if t + delay - (warmup - 1) < len(steps)
                and path.served[i, t + delay] == version
                and set(path.served[i, t : t + delay + 1]) == {version}
            ]
            if not windows:
                continue
            rows = np.concatenate([world.errors(version, t) for t in windows]).astype(np.float64)
            ends = np.cumsum([world.bounds[t + 1] - world.bounds[t] for t in windows])
            for row in detector.advance(rows).alarms:
                wanted[windows[int(np.searchsorted(ends, row, side="right"))] + delay - (warmup - 1)] = True
        assert np.array_equal(found, wanted)


@pytest.mark.parametrize("name", ["cusum", "page_hinkley", "adwin", "kswin"])
def test_alarms_on_outputs_are_those_of_what_served(name: str, pool: WorldPool) -> None:
    """No version that does not serve puts anything out: the rows are those of its own windows."""
    watched, path = walked(rule(name, channel="outputs"), pool, label_delay=2, latency=1)
    assert watched.views[0].errors.shape[1] == 0 and np.any(watched.alarmed)
    for i, world in enumerate(pool.worlds):
        detector: Any = make("detector", {name: SOON.get(name, {})})
        detector.reset(np.random.default_rng(np.random.SeedSequence(4).spawn(len(pool))[i]))
        wanted = []
        for number, (version, a, b) in enumerate(runs_of(path, i, pool.warmup)):
            if number:
                detector.begin()
            rows = output_of(world.scores(version))
            for t in range(a, min(b, pool.windows - 2) + 1):
                alarms = detector.advance(rows[world.bounds[t] : world.bounds[t + 1]]).alarms
                wanted += [t] * (len(alarms) > 0)
        found = [t for t, alarm in enumerate(watched.alarmed, start=pool.warmup - 1) if alarm[i]]
        assert found == wanted


def test_outputs_with_canaries_are_refused(pool: WorldPool) -> None:
    canary = WorldPool(pool.worlds, canary=True)
    setting = make("deployment", "standard", canary_share=0.2, canary_windows=3)
    with pytest.raises(ConfigError, match="a canary splits the rows"):
        walk(rule("adwin", channel="outputs"), canary, setting)


@pytest.mark.parametrize("name", [n for n in TRIGGERS if rule(n).uses_inputs])
def test_alarms_on_inputs_are_those_against_the_training_rows(name: str, pool: WorldPool) -> None:
    watched, path = walked(rule(name), pool, label_delay=2, latency=1)
    warmup = pool.warmup
    for i, world in enumerate(pool.worlds):
        rows, bounds = world.encoded(), world.bounds
        wanted = []
        detector: Any = make("detector", {name: SOON.get(name, {})})
        for version, a, b in runs_of(path, i, warmup):
            training = rows[bounds[world.start[version]] : bounds[version + 1]]
            start = a
            for t in range(a, min(b, pool.windows - 2) + 1):
                if t == start:
                    first = t if detector.sequential else 0
                    detector.reset(np.random.default_rng([int(pool.seeds[i]), version, first]))
                    detector.begin_from(training, 40)
                score = detector.advance_freely(rows[bounds[t] : bounds[t + 1]][None])[0]
                if score > detector.threshold:
                    wanted.append(t)
                    start = t + 1
        found = [t for t, alarm in enumerate(watched.alarmed, start=warmup - 1) if alarm[i]]
        assert found == wanted


@pytest.mark.parametrize(
    "name",
    [
        "cusum",
        "ks",
        "periodic",
        *late("hdddm", "half_space_trees", "kswin", "river", "random", "always"),
    ],
)
def test_the_contract_of_selectors_holds_for_each_kind_of_detector(name: str) -> None:
    """Nothing late, early, hidden or of another roll-out is read, whatever the detector is."""
    keeps_the_contract(name, None)


def test_the_contract_of_selectors_holds_for_outputs() -> None:
    keeps_the_contract("page_hinkley", Channel.OUTPUTS)


def keeps_the_contract(name: str, read: Channel | None) -> None:

    @register("selector", "on-alarm-of-test")
    @dataclasses.dataclass(kw_only=True)
    class OfTest(OnAlarm):
        """On alarm."""

        detector: Any = part("detector", {name: SOON.get(name, {})})
        channel: Channel | None = read

    try:
        found = {v.check: v.problem for v in check_component(OfTest) if v.problem}
        # it is no component of its own
        assert set(found) <= {"documented"}
    finally:
        unregister("selector", "on-alarm-of-test")


def test_nothing_is_drawn_unless_inputs_are_read(pool: WorldPool) -> None:
    fresh = WorldPool(pool.worlds)
    watched, _ = walked(rule("adwin"), fresh)
    assert "inputs" not in vars(fresh) and watched.views[0].inputs is None
    watched, _ = walked(rule("psi"), fresh)
    assert "inputs" in vars(fresh) and watched.views[0].errors.shape == (len(pool), 0)
    shown = watched.views[5].inputs
    assert shown is not None
    t, version = int(shown.t[2]), int(shown.version[2])
    world = pool.worlds[2]
    rows, bounds = world.encoded(), world.bounds
    assert np.array_equal(shown.window(2), rows[bounds[t] : bounds[t + 1]])
    assert np.array_equal(shown.training(2), rows[bounds[world.start[version]] : bounds[version + 1]])


# -- wait, cooldown, limits ----------------------------------------------------------------------------


def test_wait_and_cooldown() -> None:
    def act(**params: Any) -> str:
        return play(rule("ddm", **params), 24, error=[0.1] * 7 + [0.7] * 30, rows=20, latency=2)

    plain = act()
    at = plain.index("R")
    assert act(wait=3).index("R") == at + 3

    def period(cooldown: int) -> str:
        # alarms in every window but the first ones
        return play(rule("always", cooldown=cooldown), 16, rows=20)

    assert period(0)[2:6] == "RRRR"
    first = period(5)
    places = [s for s, letter in enumerate(first) if letter == "R"]
    assert np.diff(places).tolist() == [5] * (len(places) - 1) and len(places) == 3


def test_alarms_in_the_cooldown_are_ignored_and_not_remembered() -> None:
    # an alarm every 60 rows, which is every third window
    every = {"periodic": {"every": 60}}
    free = play(make("selector", "on_alarm", detector=every), 20, rows=20)
    held = play(make("selector", "on_alarm", detector=every, cooldown=5), 20, rows=20)
    assert free.count("R") > held.count("R") > 0
    # a job of four windows is in the way of an alarm, which is answered when it is through
    busy = play(make("selector", "on_alarm", detector="always"), 20, rows=20, latency=3)
    assert np.diff([s for s, letter in enumerate(busy) if letter == "R"]).tolist() == [4] * (
        busy.count("R") - 1
    )


@pytest.mark.parametrize(
    "name",
    [
        "ddm",
        "page_hinkley",
        "adwin",
        "bernoulli_cusum",
        *late("hddm_a", "stepd"),
    ],
)
def test_a_run_length_sets_the_limit(name: str) -> None:
    detector: Any = make("detector", name)
    arl0, p0 = 5000.0, 0.1
    limited = detector.limited(threshold_at(detector, arl0, p0))
    rng = np.random.default_rng(8)
    signals = [(rng.random(HORIZON) < p0).astype(np.float64) for _ in range(400)]
    share = float((first_alarms(limited, signals) <= HORIZON).mean())
    target = target_share(arl0, HORIZON)
    # 400 fresh signals against 1000 that the limit is from: three standard errors, and a lattice below
    error = 3.0 * np.sqrt(target * (1 - target) * (1 / 400 + 1 / 1000))
    assert target - error - (0.12 if name == "bernoulli_cusum" else 0.0) <= share <= target + error


def test_a_limit_is_found_once_for_all_walks_and_run_lengths(pool: WorldPool) -> None:
    error_limits._highest.cache_clear()
    for arl0 in (3000.0, 7000.0):
        for _ in range(2):
            walked(rule("cusum", arl0=arl0), pool)
    assert error_limits._highest.cache_info().misses == 1
    assert error_limits._highest.cache_info().currsize == 1


def test_the_limit_under_its_one_name() -> None:
    for name, field, value in (("adwin", "delta", 0.1), ("ks", "alpha", 1e-5), ("periodic", "every", 7)):
        by_limit = make("selector", "on_alarm", detector=name, limit=value)
        assert getattr(by_limit._detector, field) == value
    assert make("selector", "on_alarm", detector={"ddm": {"limit": 2.5}})._detector.level == 2.5


@pytest.mark.parametrize(
    ("params", "words"),
    [
        ({"detector": "nothing_such"}, "unknown detector"),
        ({"detector": "ks", "arl0": 5000.0}, "sets limits of errors"),
        ({"detector": "adwin", "arl0": 5000.0, "limit": 0.1}, "both given"),
        ({"detector": "river", "arl0": 5000.0}, "no limit that a run length"),
        ({"detector": "river", "limit": 1.0}, "no limit to set"),
        ({"detector": "adwin", "limit": -1.0}, "delta"),
        ({"detector": "ddm", "channel": "outputs"}, "reads errors, not outputs"),
        ({"detector": "adwin", "channel": "outputs", "arl0": 5e3}, "sets limits of errors"),
        ({"detector": "ks", "channel": "errors"}, "reads inputs, not errors"),
        ({"detector": "adwin", "p0": 1.5}, "p0"),
        ({"detector": "adwin", "wait": -1}, "wait"),
        ({"detector": "clairvoyant"}, "knows the true changes, and no deployment shows these"),
    ],
)
def test_what_makes_no_sense_is_refused(params: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        make("selector", "on_alarm", **params)


def test_a_run_length_that_no_limit_leads_to_is_an_error(pool: WorldPool) -> None:
    # a run without any error in the first thirty rows is likely: DDM's score is infinite then
    selector = make("selector", "on_alarm", detector="ddm", arl0=50_000.0, p0=0.01)
    with pytest.raises(ConfigError, match="has no limit for an ARL0"):
        selector.check(make("deployment", "standard"))
    with pytest.raises(ConfigError, match="has no limit for an ARL0"):
        walk(selector, pool, make("deployment", "standard"))


# -- names, tuning ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["adwin", "ddm", "page_hinkley", "cusum", "ks"])
def test_short_names_are_the_same_rule(name: str, pool: WorldPool) -> None:
    short, long = make("selector", name), make("selector", "on_alarm", detector=name)
    assert type(short).version == "2"
    deployment = make("deployment", "standard")
    assert np.array_equal(walk(short, pool, deployment).executed, walk(long, pool, deployment).executed)
    assert {f.name for f in dataclasses.fields(short)} == {f.name for f in dataclasses.fields(long)}
    with pytest.raises(ConfigError, match="short name"):
        make("selector", name, detector="ewma")


def test_labels_and_identities() -> None:
    spec = {"on_alarm": {"detector": {"adwin": {"delta": 0.002}}, "wait": 2}}
    assert label("selector", spec) == "on_alarm(adwin(delta=0.002), wait=2)"
    assert label("selector", canonical("selector", {"on_alarm": {"detector": "ddm", "wait": 2}})) == (
        "on_alarm(ddm, wait=2)"
    )
    # the default of a detector is no other method for the seeds
    assert identity(canonical("selector", spec)) == ["selector/on_alarm", {"wait": 2}]


def test_what_tuning_may_search() -> None:
    def space(**params: Any) -> list[str]:
        return sorted(space_of(make("selector", "on_alarm", **params)))

    assert space() == ["arl0", "cooldown", "detector.clock", "wait"]
    assert space(detector="ks") == ["cooldown", "limit", "wait"]
    for given in (
        {"detector": {"hddm_a": {"delta": 0.1}}},
        {"detector": "hddm_a", "arl0": 5000.0},
        {"detector": "hddm_a", "limit": 0.1},
        {"detector": "river"},
    ):
        assert space(**given) == ["cooldown", "wait"]
    inner = [f"detector.{key}" for key in ("learn", "side")]
    assert space(detector={"cusum": {"k": 1.0}}) == ["arl0", "cooldown", *inner, "wait"]
    for name in TRIGGERS:
        detector = make("detector", name)
        for key, choice in detector.space.items():
            assert getattr(detector, key) in choice
            assert [getattr(dataclasses.replace(detector, **{key: v}), key) for v in choice] == list(choice)
    # every limit on offer is one that the detector takes
    for name in TRIGGERS:
        limits: Any = space_of(make("selector", "on_alarm", detector=name)).get("limit", ())
        for limit in limits:
            make("selector", "on_alarm", detector=name, limit=limit)


@pytest.mark.parametrize("name", ["adwin", "psi"])
def test_tuning_finds_a_limit(name: str, pool: WorldPool) -> None:
    free = list(space_of(make("selector", "on_alarm", detector=name)))
    fixed = {"detector": canonical("detector", name)}
    deployment = make("deployment", "standard")
    found = tune("on_alarm", fixed, free, pool, deployment, 6000, np.random.SeedSequence(1))
    outer = {key for key in free if "." not in key}
    assert set(found.params) == {"detector", *outer} and 0 < found.steps_used <= 6000
    make("selector", "on_alarm", **found.params)
    tried = {entry["params"]["arl0" if name == "adwin" else "limit"] for entry in found.history}
    assert len(tried) > 4


@pytest.mark.parametrize("name", TRIGGERS)
def test_facts_follow_the_detector(name: str) -> None:
    detector = make("detector", name)
    found, own = selector_facts(rule(name)), detector.facts()
    assert found["family"] == "rule"
    assert found["role"] == own["role"] and found["known"] in (own["known"], "p0")
    if detector.control:
        assert (found["role"], found["reads"], found["needs"]) == ("control", "nothing", "none")
    elif SignalKind.ERRORS in detector.accepted():
        assert (found["role"], found["reads"], found["needs"]) == ("method", "errors", "labels")
    else:
        assert (found["role"], found["reads"], found["needs"]) == ("method", "inputs", "none")


def test_a_chart_that_is_handed_the_error_rate_says_so() -> None:
    assert selector_facts(rule("cusum"))["known"] == "nothing"
    told = make("selector", "on_alarm", detector={"cusum": {"told": "p0"}})
    assert selector_facts(told)["known"] == "p0"


def test_tuning_draws_no_run_length_that_cannot_be(pool: WorldPool) -> None:
    fixed = {"detector": canonical("detector", {"ddm": {"warm_start": 5}}), "wait": 0, "cooldown": 0}
    found = tune(
        "on_alarm", fixed, ["arl0"], pool, make("deployment", "standard"), 6000, np.random.SeedSequence(1)
    )
    tried = {entry["params"]["arl0"] for entry in found.history}
    # a third of the signals begins with five right answers: nothing rarer can be asked for
    assert None in tried and 200_000.0 not in tried and len(tried) > 1
