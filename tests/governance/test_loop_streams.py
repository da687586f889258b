"""The families of the closed loop, as docs/loop-streams.md has them: what happens, what they are for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from mlopsim.core.spec import make
from mlopsim.delivery.pool import WorldPool
from mlopsim.governance.loop.release import refused_by_gates
from mlopsim.governance.loop.truth import Rates, law_of
from mlopsim.streams.stream import DriftKind, Stream
from mlopsim.world.build import build_world
from mlopsim.world.spec import WorldSpec
from mlopsim.world.world import World

PAGE = Path(__file__).parents[2] / "docs" / "loop-streams.md"
TRAINING = {"guarded": {"base": {"last": {"windows": 5}}}}
LAST = 54


@pytest.fixture(scope="module")
def families() -> dict[str, Any]:
    text = PAGE.read_text(encoding="utf-8")
    found: dict[str, Any] = yaml.safe_load(text.split("```yaml\n")[1].split("```")[0])
    return {name: spec for name, spec in found.items() if name not in ("base", "flips")}


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
    assert told["corrupted_batches"] == told["ratchet"] == (set(), False, True)
    assert told["bias_creep"][:2] == (set(), True)
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


def test_the_suite_has_what_the_page_shows(families: dict[str, Any]) -> None:
    suite = yaml.safe_load(
        (PAGE.parents[1] / "conf" / "suite" / "loop-core.yaml").read_text(encoding="utf-8")
    )
    shown = {name.replace("_", " "): spec for name, spec in families.items()}
    shown["nothing at all"] = shown.pop("nothing")
    mixture = shown.pop("mixture")
    assert {task["scenario"]: task["stream"] for task in suite["tasks"]} == shown
    assert suite["governance"]["train_stream"] == mixture


def test_retraining_is_needed_under_concept_drift_and_harms_with_wrong_rows(families: dict[str, Any]) -> None:
    t = np.arange(8, LAST + 1)
    gains = {}
    for name in ("nothing", "concept_drift", "ratchet", "corrupted_batches"):
        _, law = scenario(families, name)
        gains[name] = float((law.accuracy[t - 3, t] - law.accuracy[4, t]).mean())
    assert abs(gains["nothing"]) < 0.01 < 0.05 < gains["concept_drift"]
    assert max(gains["ratchet"], gains["corrupted_batches"]) < -0.05


def served(refused: np.ndarray, every: int) -> int:
    """Return what serves at last where each refusal keeps what serves."""
    serving = 4
    for v in range(4 + every, LAST - 2, every):
        serving = serving if refused[v, serving] else v
    return serving


def test_a_relative_gate_misses_the_ratchet_and_an_absolute_one_finds_it(families: dict[str, Any]) -> None:
    """Released each window the loss is .004 at a time; in steps of five it is .02, and both see it."""
    found = [scenario(families, "ratchet", index) for index in range(2)]
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
