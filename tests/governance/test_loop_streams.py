"""The families of the closed loop, as docs/loop-streams.md has them: what happens, what they are for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from mlopsim.compose import load_suite
from mlopsim.core.spec import make
from mlopsim.delivery.pool import WorldPool
from mlopsim.governance.agents.closed_loop import HELD_BACK
from mlopsim.governance.agents.held_back import turns
from mlopsim.governance.loop.release import refused_by_gates
from mlopsim.governance.loop.truth import Rates, law_of
from mlopsim.streams.stream import DriftKind, Stream
from mlopsim.world.build import build_world
from mlopsim.world.spec import WorldSpec
from mlopsim.world.world import World

PAGE = Path(__file__).parents[2] / "docs" / "loop-streams.md"
SUITES = PAGE.parents[1] / "conf" / "suite"
TRAINING = {"guarded": {"base": {"last": {"windows": 5}}}}
LAST = 54


@pytest.fixture(scope="module")
def families() -> dict[str, Any]:
    text = PAGE.read_text(encoding="utf-8")
    found: dict[str, Any] = yaml.safe_load(text.split("```yaml\n")[1].split("```")[0])
    return {name: spec for name, spec in found.items() if name not in ("base", "flips", "turning")}


@pytest.fixture(scope="module")
def alone() -> Any:
    """Return the ratchet without anything else."""
    return yaml.safe_load(PAGE.read_text(encoding="utf-8").split("```yaml\n")[2].split("```")[0])["alone"]


def spec_of(stream: Any, index: int = 0) -> WorldSpec:
    return WorldSpec.of(stream, "ridge", TRAINING, index=index)


def scenario(families: dict[str, Any], name: str, index: int = 0) -> tuple[World, Rates]:
    world = build_world(spec_of(families[name], index))
    return world, law_of(world)


def test_all_stand_on_one_base_and_change_after_the_warm_up(families: dict[str, Any]) -> None:
    seed = np.random.SeedSequence(2)
    quiet: Stream = make("stream", families["nothing"]).generate(seed)
    first = slice(0, int(quiet.bounds[quiet.warmup]))
    assert quiet.events == () and quiet.corrupted is None and not quiet.biased.any()  # type: ignore[union-attr]
    told = {}
    for name, spec in families.items():
        stream: Stream = make("stream", spec).generate(seed)
        assert (stream.windows, stream.warmup, stream.features, stream.groups) == (
            quiet.windows, quiet.warmup, quiet.features, quiet.groups,
        )  # fmt: skip
        assert np.array_equal(stream.g, quiet.g)
        wrong = np.zeros(len(stream.y), np.bool_) if stream.biased is None else stream.biased
        cells = np.zeros_like(wrong) if stream.corrupted is None else np.asarray(stream.corrupted.any(axis=1))
        assert not wrong[first].any() and not cells[first].any()
        assert stream.bias is not None and not stream.bias.strength[: stream.warmup].any()
        told[name] = (
            {event.kind for event in stream.events or ()},
            bool(stream.bias.strength.any()),
            bool((wrong & (stream.bias.y == stream.true_y)).any() or cells.any()),
        )
    changes, merits = {DriftKind.CONCEPT}, {DriftKind.COVARIATE}
    assert told["concept_drift"] == (changes, False, False)
    assert told["covariate_shift"] == (merits, False, False)
    assert told["corrupted_batches"] == told["ratchet"] == (changes, False, True)
    assert told["bias_creep"][:2] == (changes, True)
    assert told["all_at_once"] == (changes | merits, True, True)


def test_every_family_is_in_the_mixture(families: dict[str, Any]) -> None:
    members = families["mixture"]["one_of"]["streams"]
    assert members == [spec for name, spec in families.items() if name not in ("mixture", "nothing")] + [
        families["nothing"]
    ]
    source = make("stream", families["mixture"])
    spec = spec_of(families["mixture"])
    train = [spec.at(i, split="train").scenario_seed for i in range(140)]
    assert np.bincount([source.which(seed) for seed in train], minlength=7).min() >= 8


def suite_of(name: str) -> Any:
    return yaml.safe_load((SUITES / f"{name}.yaml").read_text(encoding="utf-8"))


def test_the_suites_have_what_the_page_shows(families: dict[str, Any]) -> None:
    suite = suite_of("loop-core")
    shown = {name.replace("_", " "): spec for name, spec in families.items()}
    shown["nothing at all"] = shown.pop("nothing")
    mixture = shown.pop("mixture")
    assert {task["scenario"]: task["stream"] for task in suite["tasks"]} == shown
    assert suite["governance"]["train_stream"] == mixture
    # all at once is held out of the paper's training, and nothing else is
    held_out = suite_of("loop-paper")["governance"]["train_stream"]["one_of"]["streams"]
    assert held_out == [one for one in mixture["one_of"]["streams"] if one != shown["all at once"]]
    assert len(held_out) == 6


def test_rivals_are_played_in_the_deployment_of_the_suite() -> None:
    real = suite_of("loop-core")["tasks"][0]
    tasks = {task["name"]: task for task in suite_of("loop-rivals")["tasks"]}
    for name, task in tasks.items():
        base = task.get("fitted", name)
        assert "fitted" not in tasks[base] and tasks[base]["deployment"] == real["deployment"]
        assert tasks[base]["gate"] == real["gate"] and task["training"] == real["training"]
        # on the same scenarios
        assert (task["stream"], task["scenario"]) == (tasks[base]["stream"], tasks[base]["scenario"])
        assert (task == tasks[base]) == ("fitted" not in task)


@pytest.mark.slow
def test_rivals_need_no_fit_that_the_suite_has_not() -> None:
    core, rivals = (load_suite(name) for name in ("loop-core", "loop-rivals"))
    assert {job.key for job in rivals.grid.fits} <= {job.key for job in core.grid.fits}
    tasks = {cell.task.name: cell.task for cell in rivals.grid.cells}
    streams = {name: task.part["stream"] for name, task in tasks.items()}
    assert len(tasks) == 50 and all(stream["kind"] == "stream" for stream in streams.values())
    assert {task.attributes["rival"] for task in tasks.values()} == {None, "gate", "trigger", "audits"}


def test_families_have_no_reviewer() -> None:
    for task in suite_of("loop-core")["tasks"]:
        reviewer = task["deployment"]["governed"]["reviewer"]
        assert (reviewer is None) == (task["name"] == task["scenario"]), task["name"]


def test_the_choice_has_four_scenarios_of_each_family() -> None:
    """As its comment says: 16 snapshots, 8 sets of switches, with and without the gate, 50 windows."""
    governance = suite_of("loop-core")["governance"]
    scenarios = 28
    assert governance["chosen_on"] == scenarios
    agent = make("selector", governance["learned"])
    share = int(agent.validation * governance["steps"])
    assert scenarios * agent.snapshots * 8 * 2 * 50 <= share < (scenarios + 1) * agent.snapshots * 8 * 2 * 50
    first = WorldSpec.of(governance["train_stream"], "ridge", TRAINING, split="train")
    source = make("stream", first.stream)
    families = [source.which(first.at(i).scenario_seed) for i in range(governance["scenarios"])]
    judged = turns(families, round(HELD_BACK * len(families)))[:scenarios]
    assert np.bincount([families[place] for place in judged]).tolist() == [4] * 7


def lag_gain(law: Rates) -> float:
    """Return how much better what was trained three windows ago is than the first version, on average."""
    t = np.arange(8, LAST + 1)
    return float((law.accuracy[t - 3, t] - law.accuracy[4, t]).mean())


def best_gain(law: Rates) -> float:
    """Return how much better the best version there could be is than the first one, on average."""
    t = np.arange(8, LAST + 1)
    best = np.array([law.accuracy[4 : u - 2, u].max() for u in t])
    return float((best - law.accuracy[4, t]).mean())


def test_there_is_something_to_gain_but_where_nothing_happens(families: dict[str, Any]) -> None:
    for name in families.keys() - {"mixture"}:
        gains = [best_gain(scenario(families, name, index)[1]) for index in range(2)]
        if name == "nothing":
            assert max(gains) < 0.01
        else:
            assert np.mean(gains) > 0.03, (name, gains)


def test_wrong_rows_make_worse_versions(families: dict[str, Any]) -> None:
    """Of the same scenario, trained on the rows as they should be."""
    for name in ("ratchet", "corrupted_batches"):
        for index in range(2):
            world, law = scenario(families, name, index)
            assert world.spec is not None
            drawn = make("stream", families[name]).drawn(world.spec.scenario_seed)
            clean = law_of(build_world(spec_of(drawn.base, index)))
            assert lag_gain(law) < lag_gain(clean) - 0.01, (name, index)


def test_moves_of_merits_cost_a_model_that_stays(families: dict[str, Any]) -> None:
    """The rule is the same all the time; what is linear fits one place of it."""
    without = yaml.safe_load(yaml.safe_dump(families["covariate_shift"]))
    for stream in without["one_of"]["streams"]:
        del stream["population"]["fold"]
    folded, plain = (
        [lag_gain(law_of(build_world(spec_of(one, index)))) for index in range(3)]
        for one in (families["covariate_shift"], without)
    )
    assert max(plain) < 0.02 and np.mean(folded) > np.mean(plain) + 0.05


def served(refused: np.ndarray, every: int) -> int:
    """Return what serves at last where each refusal keeps what serves."""
    serving = 4
    for v in range(4 + every, LAST - 2, every):
        serving = serving if refused[v, serving] else v
    return serving


def test_a_relative_gate_misses_the_ratchet_and_an_absolute_one_finds_it(alone: Any) -> None:
    """Released each window the loss is .004 at a time; in steps of five it is .02, and both see it."""
    found = [scenario({"alone": alone}, "alone", index) for index in range(2)]
    pool = WorldPool([world for world, _ in found])
    deployment = make("deployment", "standard", label_delay=2, latency=1)
    relative = refused_by_gates(pool, [{"accuracy_drop": {"alpha": 0.01}}], deployment)
    absolute = refused_by_gates(pool, [{"least_accuracy": {"floor": 0.85, "alpha": 0.5}}], deployment)
    for i, (_, law) in enumerate(found):
        level = law.accuracy[:, LAST]
        each, fifth = (level[served(relative[i], every)] for every in (1, 5))
        assert each < level[LAST - 3] + 0.02 < 0.77
        assert fifth > 0.8 and level[served(absolute[i], 1)] > 0.8
        assert (absolute[i, 45:LAST].any(axis=1) == absolute[i, 45:LAST, 4]).all()
