"""The governance track: arms, fits, cells, and what holds between them."""

import math
from dataclasses import replace

import numpy as np
import pytest
from governance_kit import GOVERNED, SIZE, STREAM, cells_of, make_track, small_run, task

from mlopsim.core.errors import ConfigError
from mlopsim.core.spec import canonical, make, part_of
from mlopsim.core.track import Cell
from mlopsim.delivery.mechanisms import FALLBACK, Switch
from mlopsim.delivery.scenarios import pool_of
from mlopsim.delivery.walk import replay
from mlopsim.tracks.governance.arms import PARTS, all_arms, read_arm
from mlopsim.tracks.governance.controls import CONTROLS, play, weighted
from mlopsim.tracks.governance.fits import make_fit
from mlopsim.tracks.governance.reach import check_reachable
from mlopsim.tracks.governance.rolling import scene_of, spec_of
from mlopsim.tracks.governance.run import compliance
from mlopsim.tracks.governance.worlds import trained
from mlopsim.world.cache import default_cache


@pytest.fixture(autouse=True, scope="module")
def cache(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLOPSIM_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


# -- arms ----------------------------------------------------------------------------------------------


def test_one_entry_stands_for_all_arms_and_the_references_join():
    methods = make_track(steps=1000).methods(["arms"])
    names = [method.name for method in methods]
    assert len(names) == 35 and names[:2] == ["never", "suspend_always"] and names[-1] == "optimum"
    assert {method.attributes["role"] for method in methods[2:34]} == {"method"}
    facts = {method.name: tuple(method.attributes[part] for part in PARTS) for method in methods}
    assert facts["gate+rollback"] == (True, False, False, False, True)
    assert facts["none"] == (False,) * 5 and facts["all"] == (True,) * 5
    assert facts["never"] == facts["optimum"] == (None,) * 5


@pytest.mark.parametrize(
    ("entry", "name"),
    [
        ("trigger+gate", "gate+trigger"),
        ({"arm": "all"}, "all"),
        ({"arm": ["rollback"]}, "rollback"),
        ({"arm": {"gate": True, "audits": False}}, "gate"),
        ({"arm": []}, "none"),
    ],
)
def test_an_arm_is_read(entry, name):
    assert read_arm(entry).name == name


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        ("gate+gate", "the part gate is named twice"),
        ({"arm": ["audits", "gate", "audits"]}, "the part audits is named twice"),
        ("gate+triger", "unknown part 'triger'; did you mean 'trigger'"),
        ({"arm": {"roll": True}}, "unknown part 'roll'"),
        ({"arm": {"gate": 1}}, "must be true or false"),
        ({"arm": 3}, "a name, a list of parts or a mapping"),
    ],
)
def test_an_arm_that_is_none_is_refused(entry, words):
    with pytest.raises(ConfigError, match=words) as error:
        make_track().methods([entry])
    assert error.value.remedy or "true or false" in words


def test_arms_are_listed_once():
    with pytest.raises(ConfigError, match="listed twice"):
        make_track().methods(["gate+rollback", {"arm": ["rollback", "gate"]}])


@pytest.mark.parametrize(
    ("settings", "entry", "words"),
    [
        ({}, "all", "must be trained"),
        ({"steps": 1000, "learned": "ppo"}, "learned", "does not learn with parts on and off"),
        ({"steps": 1000, "learned": {"ppo_lagrangian": {"arms": [0]}}}, "learned", "cannot say its arms"),
        ({"steps": 1000}, "surrogate_tree", "made from another fit"),
        ({"schedule": {"on_alarm": {"detector": "ks"}}}, "gate", "which watches inputs"),
    ],
)
def test_a_selector_that_does_not_fit_is_refused(settings, entry, words):
    with pytest.raises(ConfigError, match=words):
        make_track(**settings).methods([entry])


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        ({"deployment": "standard"}, "no parts that could be on or off"),
        ({"deployment": {"governed": {"canary_windows": 2, "canary_share": 0.5}}}, "knows no canaries"),
        ({"scenario": 3}, "scenario must be a text"),
        ({"gate": "accuracy_drop"}, "."),
        ({"deployment": {"governed": {"constraints": ["churn", "churn"]}}}, "churn is listed twice"),
    ],
)
def test_a_task_that_has_no_place_here_is_refused(entry, words):
    with pytest.raises(ConfigError, match=words):
        make_track().tasks([entry])


def test_an_arm_cannot_switch_on_what_the_task_has_not():
    track = make_track()
    bare = task(gate=None, deployment={"governed": {**GOVERNED, "trigger": None}})
    with pytest.raises(ConfigError, match="switches on what the task 'a' has not: gate, trigger"):
        track.fits(cells_of(track, ["gate+trigger+rollback"], [bare]))
    # what has all that the task has is no arm
    track.fits(cells_of(track, ["never", "rollback"], [bare]))


def test_attributes_of_a_task_say_who_guards_it():
    entry = task(scenario="bias creep", deployment={"governed": {**GOVERNED, "reviewer": "delayed"}})
    (found,) = make_track().tasks([entry])
    names = ("scenario", "reviewer", "data_gate", "constraints", "learner", "fallback")
    assert [found.attributes[name] for name in names] == [
        "bias creep", "delayed", "iqr", "accuracy_floor, churn", "ridge", 0.6,
    ]  # fmt: skip


# -- fits ----------------------------------------------------------------------------------------------


def test_one_agent_serves_all_arms_that_learn():
    track = make_track(steps=1000, schedule="periodic")
    cells, jobs = track.fits(cells_of(track, ["arms"], [task()], seeds=(0, 1)))
    fits = {cell.method.name: cell.fit for cell in cells}
    learned = {fits[arm.name] for arm in all_arms() if arm.learned}
    scheduled = {fits[arm.name] for arm in all_arms() if not arm.learned and not arm.trigger}
    assert len(learned) == 1 and len(scheduled) == 8 and len(jobs) == 1 + 8 + 8
    # a track that is built anew from its own part has the same methods
    again = make("track", part_of(track)).methods(["arms"])
    assert {method.digest for method in again} == {method.digest for method in track.methods(["arms"])}
    (job,) = [job for job in jobs if job.key in learned]
    assert len(job.part["arms"]) == 8 and job.part["worlds"] == [0, 1]
    assert all(Switch.SUSPEND in Switch(arm) for arm in job.part["arms"])
    gates = [one["params"]["gate"]["name"] for one in job.part["training"]]
    assert gates == ["iqr", "none"]


def test_every_arm_may_suspend_so_that_learned_is_how_it_decides_and_nothing_else():
    book = {"rule_book": {"every": 3}}
    track = make_track(steps=1000, schedule="periodic", alarm=book)
    methods = {method.name: method for method in track.methods(["arms", "rule_book"])}
    for arm in all_arms():
        part = methods[arm.name].part
        built = make("selector", {key: part[key] for key in ("kind", "name", "params")})
        assert built.can_suspend, arm.name
    # rules as they are given, each wrapped once
    free = {name: methods[name].part.get("free") for name in ("none", "rollback", "trigger", "rule_book")}
    own = ["freeze", "reserve", "retry"]
    assert free["none"] == [*own, "rule.every", "rule.phase"]
    assert free["rollback"] == [*own, "rule.judge", "rule.rise", "rule.rule.every", "rule.rule.phase"]
    assert methods["trigger"].part["name"] == "rule_book" and "every" not in free["trigger"]
    assert "reserve" in free["rule_book"] and "reserve" in free["trigger"]


def test_each_arm_that_learns_has_an_agent_of_its_own():
    track = make_track(steps=1000, agents="each")
    cells, jobs = track.fits(cells_of(track, ["arms"], [task()]))
    learned = {cell.fit for cell in cells if cell.method.attributes["learned"]}
    assert len(learned) == 16
    assert {len(job.part["arms"]) for job in jobs} == {len(job.part["worlds"]) for job in jobs} == {1}


def test_an_arm_is_a_method_for_each_of_its_fits():
    track = make_track(steps=1000, agents="each", fit_seeds=3, schedule={"periodic": {"phase": 0}})
    methods = {method.name: method for method in track.methods(["all", "none", "trigger"])}
    # the alarm has nothing to tune but its suspension
    assert {"all #0", "all #2", "none #0", "none #2", "trigger #2"} < set(methods) and "all" not in methods
    assert [methods[f"all #{i}"].attributes["fit_seed"] for i in range(3)] == [0, 1, 2]
    assert [methods[f"all #{i}"].part["params"]["train_seed"] for i in range(3)] == [0, 1, 2]
    # the first is the one that there is alone, and each is a fit of its own
    alone = {
        one.name: one for one in make_track(steps=1000, schedule=track.schedule).methods(["all", "none"])
    }
    for arm in ("all", "none"):
        assert alone[arm].part == methods[f"{arm} #0"].part and "fit_seed" not in alone[arm].attributes
    cells, jobs = track.fits(cells_of(track, ["all", "none"], [task()]))
    for arm in ("all", "none"):
        assert len({cell.fit for cell in cells if cell.method.name.startswith(arm)}) == 3
    assert [job.part["method"].get("search") for job in jobs if "none" in job.label] == [None, 1, 2]
    # without steps a rule keeps its defaults: there is nothing of which there could be several
    assert "none" in {one.name for one in make_track(fit_seeds=3).methods(["none"])}
    agent = {"ppo_lagrangian": {"train_seed": 4}}
    other = make_track(steps=1000, fit_seeds=2, learned=agent).methods(["all"])
    assert [m.part["params"]["train_seed"] for m in other if m.name.startswith("all")] == [4, 5]


def test_a_rule_is_chosen_on_as_many_scenarios_of_each_family_as_are_asked(monkeypatch):
    """On whole scenarios that the search has not seen, in the turns in which agents are judged."""
    from mlopsim.delivery import tuning

    seen = {}
    real = tuning.tune

    def spy(name, fixed, free, pool, *args, validation_pool, **more):
        seen["search"], seen["choice"] = (
            [p.world(i).spec for i in range(len(p))] for p in (pool, validation_pool)
        )
        return real(name, fixed, free, pool, *args, validation_pool=validation_pool, **more)

    monkeypatch.setattr(tuning, "tune", spy)
    other = {"population": {**SIZE, "sigma": 0.3}}
    family = {"one_of": {"streams": [STREAM, other]}}
    more = {"steps": 600, "scenarios": 20, "schedule": {"periodic": {"phase": 0}}, "train_stream": family}
    for asked, number in ((None, 4), (2, 2)):
        _, jobs = make_track(**more, chosen_on=asked).fits(
            cells_of(make_track(**more, chosen_on=asked), ["none"], [task()])
        )
        make_fit(jobs[0].part)
        source = make("stream", family)
        which = [source.which(spec.scenario_seed) for spec in seen["choice"]]
        assert len(which) == number and which.count(0) == which.count(1)
        assert not {spec.key for spec in seen["choice"]} & {spec.key for spec in seen["search"]}


def test_another_search_of_a_rule_draws_other_candidates():
    track = make_track(
        steps=600, scenarios=3, fit_seeds=2, schedule={"periodic": {"phase": 0}}, train_stream=STREAM
    )
    _, jobs = track.fits(cells_of(track, ["none"], [task()]))
    first, second = (make_fit(job.part).info["history"] for job in jobs)
    assert [one["params"] for one in first] != [one["params"] for one in second]


# -- fits of another task ------------------------------------------------------------------------------


def test_a_task_is_played_with_the_fits_of_another_one():
    reviewers = {"late": {"delayed": {"delay": 1}}, "stamp": {"rubber_stamp": {"delay": 1}}}
    entries = [
        task(name=name, deployment={"governed": {**GOVERNED, "reviewer": one}})
        for name, one in reviewers.items()
    ]
    track = make_track(steps=1000, schedule={"periodic": {"phase": 0}})
    own, _ = track.fits(cells_of(track, ["none", "all"], entries))
    fitted = [entries[0], {**entries[1], "fitted": "late"}]
    cells, jobs = track.fits(cells_of(track, ["none", "all"], fitted))
    for arm in ("none", "all"):
        assert len({cell.fit for cell in own if cell.method.name == arm}) == 2
        assert len({cell.fit for cell in cells if cell.method.name == arm}) == 1
    assert {job.key for job in jobs} < {cell.fit for cell in own}
    before, after = ({cell.task.name: cell.task for cell in some} for some in (own, cells))
    # whose fits are played is content, and no condition of who reviews
    assert before["late"].digest == after["late"].digest and before["stamp"].digest != after["stamp"].digest
    assert after["stamp"].attributes["conditions"] == after["late"].attributes["conditions"]
    facts = [[one.attributes[name] for name in ("fitted", "rival")] for one in after.values()]
    assert facts == [[None, None], ["late", "reviewer"]]


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"fitted": "b"}, "which is no other task"),
        ({"fitted": "a"}, "which is no other task"),
        ({"gate": None}, "differs in a data gate: on there, off here"),
        ({"deployment": {"governed": {**GOVERNED, "slots": 5}}}, "differs in slots"),
        ({"deployment": {"governed": {**GOVERNED, "trigger": None}}}, "differs in the switch trigger"),
        (
            {"deployment": {"governed": {**GOVERNED, "constraints": ["accuracy_floor"]}}},
            "differs in limits: accuracy_floor, churn there",
        ),
    ],
)
def test_fits_that_do_not_know_a_task_are_not_played_there(more, words):
    first = task(name="real")
    entry = {"fitted": "real", **more}
    with pytest.raises(ConfigError, match=words):
        make_track().tasks([first, task(**entry)])


def test_agents_learn_limits_on_means_only():
    track = make_track(steps=1000)
    floor = {"accuracy_floor": {"floor": 0.7, "over": "window"}}
    entry = task(deployment={"governed": {**GOVERNED, "constraints": [floor]}})
    with pytest.raises(ConfigError, match="agents learn limits on the mean cost"):
        track.fits(cells_of(track, ["learned"], [entry]))


def test_a_rule_is_tuned_with_the_switches_of_its_arm():
    """The same candidates, drawn alike, are worth something else where audits stop versions."""
    audits = {"governed": {**GOVERNED, "release": [{"accuracy_drop": {"alpha": 0.5}}], "retrain_cost": 0.0}}
    track = make_track(steps=600, scenarios=3, schedule={"periodic": {"phase": 0}}, train_stream=STREAM)
    _, jobs = track.fits(cells_of(track, ["none", "audits"], [task(deployment=audits)]))
    found = {tuple(job.part["arms"]): make_fit(job.part) for job in jobs}
    assert len(found) == 2 and all(fit.attributes["fit_steps"] > 200 for fit in found.values())
    assert {fit.attributes["fit_arms"] for fit in found.values()} == {1}
    # whether what was chosen keeps the limits is told, and is what the final choice found
    for fit in found.values():
        ranks = [tuple(one["rank"]) for one in fit.info["history"] if one["stage"] == "final"]
        assert fit.attributes["fit_met"] is (max(ranks)[0] == 1.0)
    histories = [fit.info["history"] for fit in found.values()]
    assert [one["params"] for one in histories[0][:3]] == [one["params"] for one in histories[1][:3]]
    assert [one["score"] for one in histories[0]] != [one["score"] for one in histories[1]]


def test_a_limit_that_nothing_can_meet_needs_a_fallback():
    floor = {"accuracy_floor": {"floor": 0.99, "limit": 0.5}}
    governed = {**GOVERNED, "fallback": None, "constraints": [floor]}
    track = make_track(steps=1500, scenarios=2, schedule="periodic", train_stream=STREAM)
    # before work starts, tuned or not
    for some in (track, make_track()):
        with pytest.raises(ConfigError, match="the task 'a': nothing that this deployment can do") as error:
            some.fits(cells_of(some, ["none"], [task(deployment={"governed": governed})]))
        assert "fallback" in error.value.remedy and "over mean" in error.value.message
    _, jobs = track.fits(
        cells_of(track, ["none"], [task(deployment={"governed": {**governed, "fallback": 0.5}})])
    )
    bare = {**jobs[0].part, "deployment": canonical("deployment", {"governed": governed})}
    with pytest.raises(ConfigError, match="nothing that this deployment can do"):
        make_fit(bare)
    deployment = make("deployment", jobs[0].part["deployment"])
    cell, _ = small_run()[1]["none"]
    pool = pool_of([default_cache().open(spec_of(cell))], deployment)
    check_reachable(pool, deployment, int(Switch.SUSPEND))
    with pytest.raises(ConfigError, match="meets the limit"):
        check_reachable(pool, deployment, 0)


def test_a_limit_on_the_mean_is_not_refused_for_the_first_scenarios_alone(monkeypatch):
    """Of four scenarios the first two cost 1 whatever is decided, the others nothing."""
    from mlopsim.tracks.governance import reach

    looked = []

    def costs(pool, deployment):
        looked.append(1.0 if len(looked) < 2 else 0.0)
        return [reach.Least(name="c", over=reach.Over.MEAN, limit=limit, values=np.array(looked[-1:]))]

    monkeypatch.setattr(reach, "least_costs", costs)
    track = make_track()
    floor = {"accuracy_floor": {"floor": 0.99, "limit": 0.5}}
    entry = task(deployment={"governed": {**GOVERNED, "fallback": None, "constraints": [floor]}})
    cells = [cell for cell in cells_of(track, ["none"], [entry], range(4)) if cell.method.name == "none"]
    limit = 0.5
    reach.refuse_unreachable(cells)
    assert looked == [1.0, 1.0, 0.0]
    looked.clear()
    limit = 0.4
    with pytest.raises(ConfigError, match="over its 4 scenarios, in 2 of them alone"):
        reach.refuse_unreachable(cells)


@pytest.mark.parametrize(
    ("over", "below", "enough"), [("mean", 0.9, 1.0), ("window", 0.9, 1.0), ("run", 11, 12)]
)
def test_limits_of_every_kind_are_looked_at(over, below, enough):
    """No version has an accuracy of .99: every window costs 1, in one run of all 12 windows."""

    def at(limit):
        asked = {"accuracy_floor": {"floor": 0.99, "over": over, "limit": limit}}
        return {**GOVERNED, "fallback": None, "constraints": [asked]}

    track = make_track()
    cells = cells_of(track, ["none"], [task(deployment={"governed": at(below)})], seeds=(0, 1))
    with pytest.raises(ConfigError, match=f"accuracy_floor over {over}") as error:
        track.fits(cells)
    where = "over its 2 scenarios" if over == "mean" else "in each of 2 scenarios that were looked at"
    assert where in error.value.message
    # what nobody breaks, and what costs at switches only, is no reason
    track.fits(cells_of(track, ["none"], [task(deployment={"governed": at(enough)})]))
    churn = {**GOVERNED, "fallback": None, "constraints": [{"churn": {"limit": 0.0}}]}
    track.fits(cells_of(track, ["none"], [task(deployment={"governed": churn})]))


# -- cells ---------------------------------------------------------------------------------------------


def test_all_off_is_the_delivery_track_to_the_bit():
    """Versions on all rows, no trigger, no audits, no rollback, no limit: the same roll-out."""
    rule = {"periodic": {"every": 2, "phase": 1}}
    times = {"label_delay": 1, "latency": 0}
    delivery = make("track", "delivery", steps=0)
    (one,) = delivery.tasks([{"name": "a", "stream": STREAM, "deployment": {"standard": times}}])
    (method,) = [method for method in delivery.methods([rule]) if method.name.startswith("periodic")]
    cell = Cell(track="delivery/1", task=one, method=method, seed=0)
    (before,) = delivery.run([cell], {})
    track = make_track(schedule=rule)
    bare = task(gate=None, deployment={"governed": {**times, "rollback": False}})
    cells = [cell for cell in cells_of(track, ["none"], [bare]) if cell.method.name == "none"]
    (after,) = track.run(cells, {})
    for name in ("return", "accuracy", "retrains", "switches", "rollbacks", "impossible"):
        assert before.metrics[name] == after.metrics[name], name
    for name in ("windows", "drifts", "quality", "served", "retrained", "rollback"):
        assert np.array_equal(before.curves[name], after.curves[name]), name
    assert after.metrics["retrains"] > 0
    assert after.metrics["cost"] == after.metrics["suspended"] == after.metrics["refused"] == 0.0


def test_what_parts_do_shows_in_the_metrics():
    _, found = small_run()
    numbers = {name: outcome.metrics for name, (_, outcome) in found.items()}
    assert {name for name, one in numbers.items() if one["alarms"] > 0} <= {
        name for name in numbers if "trigger" in name or name in ("never", "optimum")
    }
    assert numbers["none"]["refused"] == 0.0 and numbers["none"]["denied"] == 0.0
    assert max(one["refused"] for name, one in numbers.items() if "audits" in name) > 0
    gated, plain = found["gate"][0], found["none"][0]
    assert spec_of(gated).key != spec_of(plain).key


def test_suspending_for_good_costs_nothing_but_the_quality_of_the_fallback():
    _, found = small_run()
    outcome = found["suspend_always"][1]
    assert outcome.metrics["suspended"] == 1.0 and outcome.metrics["accuracy"] == pytest.approx(0.6)
    assert outcome.metrics["out"] == outcome.metrics["longest"] == 0.0
    assert (outcome.curves["served"] == FALLBACK).all()
    bare = task(deployment={"governed": {**GOVERNED, "fallback": None}})
    track = make_track()
    cells = [cell for cell in cells_of(track, [], [bare]) if cell.method.name == "suspend_always"]
    (outcome,) = track.run(cells, {})
    assert math.isnan(outcome.metrics["return"]) and "no fallback" in outcome.reasons["return"]


def test_nobody_with_the_same_versions_and_switches_exceeds_the_bound_at_any_price():
    _, found = small_run()
    cell, best = found["optimum"]
    price, bound = best.curves["price"], best.curves["bound"]
    assert price.tolist() == [0.0, 0.2] and best.metrics["upper"] == bound[0]
    mine = best.curves["plan_return"] - price * best.curves["plan_cost"]
    assert (mine <= bound + 1e-9).all() and best.metrics["return"] == best.curves["plan_return"][0]
    for name in ("never", "suspend_always", "gate+trigger+audits+rollback"):
        metrics = found[name][1].metrics
        assert (metrics["return"] - price * metrics["cost"] <= bound + 1e-9).all()
    # nor does whoever acts at random with the same versions and switches, nor changes at random to its plans
    scene, rng = scene_of(cell), np.random.default_rng(0)
    plan = play(CONTROLS["optimum"], scene, price.tolist())[1].actions
    actions = rng.integers(scene.deployment.slots + 3, size=(400, scene.pool.steps))
    actions = np.where(rng.random(actions.shape) < np.linspace(0, 1, 400)[:, None], plan, actions)
    switches = np.full(400, scene.switches)
    tried = replay(actions, scene.pool, scene.deployment, np.zeros(400, np.int64), switches=switches)
    costs = weighted(tried.costs, scene.deployment.mechanisms(scene.pool), 400, scene.pool.steps)
    worth = tried.reward.mean(axis=1)[:, None] - price * costs.mean(axis=1)[:, None]
    assert (worth <= bound + 1e-9).all() and worth.max() > mine.max() - 0.02


@pytest.mark.parametrize("name", ["none", "gate+trigger+audits+rollback", "never", "optimum"])
def test_a_cell_is_deployed_again(name):
    track, found = small_run()
    cell, outcome = found[name]
    deployed = track.redeploy(cell, {})
    assert float(deployed.trajectory.reward[0].mean()) == outcome.metrics["return"]
    assert deployed.switches == deployed.facts["switches"] == scene_of(cell).switches
    again = compliance(deployed)
    assert again == {key: outcome.metrics[key] for key in again}
    assert outcome.attributes["decisions_root"]


def test_together_and_alone_cells_are_the_same():
    track, found = small_run()
    for name in ("gate+audits", "suspend_always"):
        cell, outcome = found[name]
        (alone,) = track.run([cell], {})
        assert alone.metrics == outcome.metrics or math.isnan(outcome.metrics["upper"])
        assert alone.attributes == outcome.attributes


def test_an_agent_without_training_can_be_rolled_out_in_every_arm_that_learns():
    from mlopsim.delivery.engine import Engine
    from mlopsim.governance.selectors.ppo_lagrangian import PPOLagrangian

    track = make_track(steps=1000)
    names = ["learned", "all", "gate+learned+rollback"]
    cells, jobs = track.fits([c for c in cells_of(track, names, [task()]) if c.method.name in names])
    (job,) = jobs
    scene = scene_of(cells[0])
    interface = Engine(scene.pool, scene.deployment, 1).interface
    fit = PPOLagrangian.untrained(interface, np.random.default_rng(0))
    outcomes = track.run(cells, {job.key: fit})
    assert all(math.isfinite(outcome.metrics["return"]) for outcome in outcomes)
    deployed = track.redeploy(cells[1], {job.key: fit})
    assert deployed.seed is not None and deployed.policy is not None


@pytest.mark.parametrize("name", ["ppo", "learned"])
def test_the_head_of_an_agents_record_is_that_of_a_replay(name):
    from mlopsim.core.registry import find
    from mlopsim.delivery.engine import Engine
    from mlopsim.governance.record.making import heads_of_deployed

    track = make_track(steps=1000, record=True)
    (cell,), (job,) = track.fits([c for c in cells_of(track, [name], [task()]) if c.method.name == name])
    scene = scene_of(cell)
    interface = Engine(scene.pool, scene.deployment, 1).interface
    fit = find("selector", cell.method.part["name"]).untrained(interface, np.random.default_rng(0))
    (outcome,) = track.run([cell], {job.key: fit})
    again = track.redeploy(cell, {job.key: fit})
    # what an argmax says comes with its margin, which is on record, too
    assert (again.margins is not None) == (name == "ppo")
    assert heads_of_deployed(again).facts().items() <= outcome.attributes.items()


@pytest.mark.slow
@pytest.mark.parametrize("agents", ["one", "each"])
def test_an_agent_is_trained_for_the_arms_that_it_serves(agents):
    pytest.importorskip("sb3_contrib")
    small = {"n_envs": 8, "n_steps": 16, "batch_size": 32, "snapshots": 2, "hidden": [8]}
    constraint = {"governed": {**GOVERNED, "constraints": [{"accuracy_floor": {"floor": 0.78}}]}}
    track = make_track(
        steps=2500, scenarios=5, train_stream=STREAM, agents=agents, learned={"ppo_lagrangian": small}
    )
    names = ["learned", "gate+trigger+learned"]
    every = cells_of(track, names, [task(deployment=constraint)], seeds=(0, 1))
    cells, jobs = track.fits([cell for cell in every if cell.method.name in names])
    fits = {job.key: make_fit(job.part) for job in jobs}
    # one price for each set of switches, with and without the data gate, of the one constraint
    shapes = {np.shape(fit.info["price"]["mean"]) for fit in fits.values()}
    assert (len(fits), shapes) == ((1, {(16, 1)}) if agents == "one" else (2, {(1, 1)}))
    assert {fit.attributes["fit_arms"] for fit in fits.values()} == {16 if agents == "one" else 1}
    assert all(0 < fit.attributes["fit_steps"] <= 2500 for fit in fits.values())
    outcomes = track.run(cells, fits)
    again = track.run(cells[::-1], {job.key: make_fit(job.part) for job in jobs})[::-1]
    assert [one.metrics["return"] for one in outcomes] == [one.metrics["return"] for one in again]


def test_what_guards_some_worlds_is_a_part_of_what_guards_all():
    cell, _ = small_run()[1]["none"]
    spec = spec_of(cell)
    gated = replace(spec, training=trained(cell.task.part, True))
    deployment = make("deployment", {"governed": {**GOVERNED, "reviewer": {"fallible": {"delay": 1}}}})
    pool = pool_of([default_cache().open(one) for one in (gated, spec, replace(spec, index=1))], deployment)
    whole, some = deployment.mechanisms(pool), deployment.mechanisms(pool.select([2, 0]))
    fresh = deployment.mechanisms(pool_of([pool.world(2), pool.world(0)], deployment))
    for name in ("blocked", "refused", "delay", "denied", "fallback", "alarm", "guarded"):
        assert np.array_equal(getattr(some, name), getattr(fresh, name)), name
        assert np.array_equal(getattr(some, name), getattr(whole, name)[[2, 0]]), name
    assert some.guarded.tolist() == [False, True]
    for one, other in zip(some.costs, fresh.costs, strict=True):
        assert np.array_equal(one.true, other.true) and np.array_equal(one.seen, other.seen)
    assert canonical("deployment", deployment) and pool.select([1]).within[1].tolist() == [1]
