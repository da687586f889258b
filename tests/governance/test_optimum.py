from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from brute_governed import best, ends, tiny

from mlopsim.core.errors import ConfigError
from mlopsim.core.spec import make
from mlopsim.delivery.oracle.linear_program import lp_bound
from mlopsim.governance.optimum.bound import bound_by_price, constrained_bound
from mlopsim.governance.optimum.case import Case
from mlopsim.governance.optimum.exhaustive import exhaustive
from mlopsim.governance.optimum.per_deployment import limited_bracket
from mlopsim.governance.optimum.pooled import pooled_front
from mlopsim.governance.optimum.priced import Large, Latest, Small
from mlopsim.governance.optimum.rows import floor_row, parity_rows
from mlopsim.governance.optimum.serving import Server

KINDS = [("mean",), ("mean", "window"), ("mean", "run"), ("mean",)]


def check_tiny(index: int) -> None:
    """Compare the exact front and every bound with all walks of a tiny World."""
    rules, case = tiny(index, KINDS[index % 4])
    walks = ends(rules)
    if not walks:
        with pytest.raises(ConfigError, match="nothing that this deployment can do meets the limit"):
            exhaustive(case)
        return
    front = exhaustive(case)
    steps = case.pool.steps
    for allowance in [0.0, *front.cost.tolist(), 0.37 * steps, float(steps)]:
        optimum = best(walks, allowance)
        limited = replace(case.constrained, limit=allowance / steps)
        if optimum == -np.inf:
            with pytest.raises(ConfigError, match="nothing"):
                front.at(allowance)
        else:
            assert front.value[front.at(allowance)] == pytest.approx(optimum, abs=1e-9), index
            assert constrained_bound(limited).bound >= optimum - 1e-9, (index, allowance)
    check_limited(index, case, walks)
    if not case.deployment.has_canary:
        check_counter(index, case, walks)


def check_limited(index: int, case: Case, walks: list[tuple[float, float, tuple[int, ...]]]) -> None:
    """Compare the bracket within the limits of a deployment with all walks."""
    optimum = best(walks, case.constrained.allowance)
    if optimum == -np.inf:
        try:
            found = limited_bracket(case, effort=100, kicks=0)
        except ConfigError as error:
            assert "nothing" in str(error)
        else:
            # the relaxation does not know
            assert np.isnan(found.lower) and found.actions is None
        return
    found = limited_bracket(case, effort=100, kicks=0)
    assert found.upper >= optimum - 1e-9, index
    if found.actions is not None:
        assert found.lower <= optimum + 1e-9 and found.cost <= case.constrained.allowance + 1e-9, index
        assert case.carry_out(found.actions[None]).within[0]


def check_counter(index: int, case: Case, walks: list[tuple[float, float, tuple[int, ...]]]) -> None:
    """Compare plans for given retrains with all walks that train these versions."""
    steps, v0 = case.pool.steps, case.constrained.problem.v0
    whole = set(np.unique(case.constrained.cost)) <= {0.0, 1.0}
    sets = sorted({trained for _, _, trained in walks})
    # of all and of few, some of which may never enter the registry
    for trained in {sets[0], sets[len(sets) // 2], max(sets, key=len)}:
        for allowance in (0.0, 2.0, float(steps)):
            limited = replace(case.constrained, limit=allowance / steps)
            server = Server(constrained=limited)
            wanted = np.array(trained, dtype=np.int64) - v0
            if len(server.tidy(wanted)) < len(wanted):
                continue
            optimum = best([walk for walk in walks if walk[2] == trained], allowance)
            served = server.serve(wanted)
            assert served.value <= optimum + 1e-9, (index, trained)
            if served.value > -np.inf:
                played = case.play(served.intents[None])
                assert played.value[0] == pytest.approx(served.value, abs=1e-9)
                assert played.within[0] and played.cost[0] <= allowance + 1e-9
            room = len(trained) < case.deployment.slots or (
                case.deployment.deploy_on_arrival
                and case.mechanisms.refused.size == 0
                and not case.can_suspend
            )
            if whole and room and case.deployment.budget is None:
                assert served.value == pytest.approx(optimum, abs=1e-9), (index, trained, allowance)


@pytest.mark.parametrize("block", range(2))
def test_every_walk_of_tiny_worlds(block: int) -> None:
    # 7 has no factor 2: all switches are met in many combinations
    for index in range(block * 7, 512, 73):
        check_tiny(index)


@pytest.mark.slow
@pytest.mark.parametrize("block", range(8))
def test_every_walk_of_500_tiny_worlds(block: int) -> None:
    for index in range(64 * block, 64 * block + 64):
        check_tiny(index)


def latest_cases(count: int) -> list[Case]:
    """Return tiny Worlds in which only the newest version can be deployed."""
    found = []
    for index in range(2048):
        suspend, by_hand, canary, budget, *_, no_rollback, keeps = ((index >> b) & 1 for b in range(9))
        if by_hand or canary or budget or keeps or not (no_rollback or not suspend):
            continue
        case = tiny(index)[1]
        if no_rollback or case.deployment.slots == 1:
            found.append(case)
        if len(found) == count:
            break
    return found


def test_latest_only_is_exact() -> None:
    cases = latest_cases(40)
    assert sum(case.can_suspend for case in cases) > 10
    for case in cases:
        for price in (0.0, 0.1, 0.4, 3.0):
            exact, latest = Small(case=case).at(price), Latest(case=case).at(price)
            assert latest.upper == pytest.approx(exact.upper, abs=1e-8)
            played = latest.played
            assert played.value[0] - price * played.cost[0] == pytest.approx(exact.upper, abs=1e-8)


def two_versions(d: float, n: int = 20, fallback: bool = False) -> Case:
    """Version A earns .9 and is always out of compliance, B .6 and never is."""
    W, T = 2, n + 2
    reward, cost = np.full((T, T), 0.9), np.zeros((T, T))
    cost[1] = 1.0
    free = make(
        "deployment", "standard", slots=2, label_delay=0, latency=0, switch_cost=0.0, retrain_cost=0.0
    )
    reward[2:] = 0.6
    if fallback:
        return Case.bare(reward, W, free, cost=cost, limit=d, fallback=np.full(T, 0.6))
    return Case.bare(reward, W, free, cost=cost, limit=d)


def test_two_versions_in_closed_form() -> None:
    n, a, b = 20, 0.9, 0.6
    for d in (0.0, 0.13, 0.25, 0.5, 0.99, 1.0):
        case = two_versions(d, fallback=True)
        bound = constrained_bound(case.constrained)
        assert bound.bound / n == pytest.approx(b + (a - b) * d, abs=1e-9)
        if 0.0 < d < 0.99:
            assert bound.prices[0] == pytest.approx(a - b, abs=1e-9)
        if d in (0.13, 0.5):
            priced, price = bound_by_price(case.constrained, lambda free: lp_bound(free).bound, most=1.0)
            assert priced / n == pytest.approx(b + (a - b) * d, abs=1e-9)
            assert price == pytest.approx(a - b, abs=1e-6)
        # a deployment alone: whole windows of A
        served = Server(constrained=case.constrained).serve(np.zeros(0, dtype=np.int64))
        windows = np.floor(d * n + 1e-9)
        assert served.value == pytest.approx(b * n + (a - b) * windows, abs=1e-9)
    assert 0.13 * n != np.floor(0.13 * n)


def test_front_of_two_versions_in_closed_form() -> None:
    n, a, b = 20, 0.9, 0.6
    pooled = pooled_front([Large(case=two_versions(0.5, fallback=True), iterations=20)] * 3)
    for d in (0.0, 0.1, 0.33, 0.5, 1.0):
        ends = pooled.at(d * n)
        assert ends.upper / n == pytest.approx(b + (a - b) * d, abs=1e-9)
        assert ends.mixed / n == pytest.approx(b + (a - b) * d, abs=1e-9)
        # whole windows of A, in any of the three
        assert ends.pure == pytest.approx(b * n + (a - b) * np.floor(3 * d * n + 1e-9) / 3, abs=1e-9)
    assert pooled.lower.price(0.33 * n) == (pytest.approx(a - b), pytest.approx(a - b))
    # B is the same line: nothing is to be gained on it
    assert pooled.baseline(5.0) == pytest.approx(b * n + (a - b) * 5.0)
    nothing = pooled.score([13.0] * 3, [5.0] * 3, floor=0.01, rng=np.random.default_rng(0))
    assert np.isnan(nothing.value) and nothing.reason == "U - B is below 0.01 at this cost"
    assert [row["price"] for row in pooled.table(5)][1:-1] == [pytest.approx(a - b)] * 3


def test_front_score() -> None:
    cases = [case for case in latest_cases(60) if case.can_suspend][:12]
    pooled = pooled_front([Latest(case=case) for case in cases])
    cost = 0.6 * float(pooled.lower.cost[-1])
    plans = pooled.clairvoyant(cost)
    played = [case.carry_out(plan[None]) for case, plan in zip(cases, plans, strict=True)]
    value, spent = (np.array([getattr(one, name)[0] for one in played]) for name in ("value", "cost"))
    rng = np.random.default_rng(0)
    top = pooled.score(value, spent, floor=0.02, rng=rng, end="lower", resamples=200)
    assert 0.9 < top.value <= 1.0 + 1e-9 and top.n == 12 and top.low <= top.value <= top.high + 1e-9
    under = pooled.score(value, spent, floor=0.02, rng=rng, resamples=100)
    assert under.value <= top.value + 1e-9
    # who never acts is on B at its own cost
    never = pooled.score(pooled.never[:, 1], pooled.never[:, 0], floor=0.02, rng=rng, resamples=100)
    assert never.value == pytest.approx(0.0, abs=1e-9)
    with pytest.raises(ConfigError, match="as many values and costs"):
        pooled.score(value[1:], spent[1:], floor=0.02, rng=rng)
    with pytest.raises(ConfigError, match="upper and lower"):
        pooled.score(value, spent, floor=0.02, rng=rng, end="middle")


def test_rows_in_closed_form() -> None:
    n, T = 20, 22
    case = two_versions(1.0, fallback=False)
    # B is version 2 (the first retrain), which is there from window 3 on
    reward, cost = np.full((T, T), 0.6), np.zeros((T, T))
    reward[1], cost[1] = 0.9, 1.0
    free = replace(case.constrained, limit=float("inf"))
    ours, theirs = np.full((T, T), 90.0), np.full(T, 100.0)
    ours[1] = 50.0
    block = np.where(np.arange(T) >= 12, 1.0, 0.0)
    # accuracy of A .5, of B .9, floor .7: as much of the one as of the other, in the 10 windows of the block
    row = floor_row(free, ours * block, theirs * block, 0.7)
    assert constrained_bound(free, [row]).bound == pytest.approx(10 * 0.9 + 5 * 0.9 + 5 * 0.6, abs=1e-8)
    # A accepts 20 points more of group 0, B 10 points less: parity with a third of A
    rate = np.stack([np.full((T, T), 40.0), np.full((T, T), 50.0)])
    rate[0, 1], rate[1, 1] = 60.0, 40.0
    rows = np.full((2, T), 100.0) * block
    pair = parity_rows(free, rate * block, rows, 0.0)
    assert constrained_bound(free, pair).bound == pytest.approx(10 * 0.9 + 10 * 0.7, abs=1e-8)
    with pytest.raises(ConfigError, match="no rows"):
        parity_rows(free, rate, 0.0 * rows, 0.1)
    # of any three windows one is not A's; the fallback is as good as B
    tight = two_versions(1.0, fallback=True).constrained
    run = replace(tight, limit=float("inf"), out=cost > 0, run=2)
    assert constrained_bound(run).bound == pytest.approx(14 * 0.9 + 6 * 0.6, abs=1e-8)
    assert Server(constrained=run).serve(np.zeros(0, dtype=np.int64)).value == pytest.approx(
        14 * 0.9 + 6 * 0.6
    )
    barred = replace(tight, limit=float("inf"), forbidden=cost > 0)
    assert constrained_bound(barred).bound == pytest.approx(0.6 * n, abs=1e-6)


def test_what_nothing_meets_is_one_error() -> None:
    case = two_versions(0.04, fallback=False)
    # before the first version arrives A serves: one window is more than a share of .04 of 20 windows
    one = replace(case, mechanisms=replace(case.mechanisms, blocked=np.ones((1, 22), dtype=bool)))
    with pytest.raises(ConfigError, match="nothing that this deployment can do meets the limit") as error:
        limited_bracket(one)
    assert "0.04" in str(error.value) and "give it a fallback" in str(error.value)
    never = pooled_front([Small(case=one)], rounds=2)
    with pytest.raises(ConfigError, match="the least that was found is 20"):
        never.at(3.0)
    with pytest.raises(ConfigError, match="no selection of plans was found that meets the limit 3"):
        never.clairvoyant(3.0)
    assert limited_bracket(two_versions(0.04, fallback=True)).lower == pytest.approx(0.6 * 20)


def test_wrong_cases_are_one_error() -> None:
    case = two_versions(0.5, fallback=True)
    with pytest.raises(ConfigError, match="those on means are cost"):
        assert replace(case, only="churn").constrained
    twice = tiny(1, ("mean", "window"))[1]
    with pytest.raises(ConfigError, match=r"several limits are on means \(mean, window\)"):
        assert replace(twice, over=("mean", "mean")).constrained
    assert replace(twice, over=("mean", "mean"), only="mean").constrained.limit == 0.3
    with pytest.raises(ConfigError, match="one slot or rollback off"):
        Latest(case=case)
    with pytest.raises(ConfigError, match="at least one scenario"):
        pooled_front([])
    with pytest.raises(ConfigError, match="canaries"):
        Server(constrained=tiny(4)[1].constrained)


def check_pooled(solvers: list[Small] | list[Latest], rounds: int) -> None:
    pooled = pooled_front(solvers, rounds=rounds)
    least, most = pooled.lower.cost[0], pooled.lower.cost[-1]
    room = pooled.at(most).upper - pooled.never[:, 1].mean()
    assert room > 0.1
    whole = all((played.cost == np.rint(played.cost)).all() for played in pooled.plans)
    for share in (0.0, 0.1, 0.3, 0.5, 0.7, 0.9, 1.0):
        cost = least + share * (most - least)
        ends = pooled.at(cost)
        assert 0.0 <= ends.gap <= 1e-3 * room
        assert ends.pure <= ends.mixed + 1e-9
        # without a lot, too: one plan a scenario
        if whole:
            assert ends.upper - ends.pure <= 1e-3 * room
        # the price lies between the quotients
        step = 1e-3 * (most - least)
        if share in (0.1, 0.5, 0.9):
            before, after = pooled.upper_at(cost - step)[0], pooled.upper_at(cost + step)[0]
            assert (after - ends.upper) / step - 1e-6 <= ends.price <= (ends.upper - before) / step + 1e-6
        # what can be rolled out is what was promised
        plans = pooled.clairvoyant(cost)
        played = [solver.case.carry_out(plan[None]) for solver, plan in zip(solvers, plans, strict=True)]
        assert np.mean([one.cost[0] for one in played]) <= cost + 1e-9
        assert np.mean([one.value[0] for one in played]) == pytest.approx(ends.pure, abs=1e-9)
        draws = [pooled.clairvoyant(cost, np.random.default_rng(k)) for k in range(8)]
        assert sum(len({plan[s].tobytes() for plan in draws}) > 1 for s in range(len(solvers))) <= 1


def pooled_cases(whole: bool) -> list[Case]:
    """Return 30 tiny Worlds with any mechanisms; ``whole``: costs of a window are 0 or 1."""
    found = []
    for index in range(1, 2048, 13):
        case = tiny(index)[1]
        if not whole or (
            set(np.unique(case.constrained.cost)) <= {0.0, 1.0} and not case.deployment.has_canary
        ):
            found.append(case)
        if len(found) == 30:
            break
    assert len(found) == 30
    return found


def test_pooled_bracket_of_tiny_worlds() -> None:
    check_pooled([Small(case=case) for case in pooled_cases(whole=True)], rounds=60)


@pytest.mark.slow
def test_pooled_bracket_of_tiny_worlds_with_any_costs() -> None:
    check_pooled([Small(case=case) for case in pooled_cases(whole=False)], rounds=60)


@pytest.mark.slow
def test_pooled_bracket_of_worlds_without_rollback() -> None:
    cases = latest_cases(30)
    check_pooled([Latest(case=case) for case in cases], rounds=60)
