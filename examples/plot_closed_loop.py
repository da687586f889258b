"""
The closed loop, with and without its parts
===========================================

Does a deployment keep its limits, and which part of the loop helps? Bad batches arrive, the rule turns, and a
deployment that measures too low an accuracy is to serve a fallback until it is retrained.
"""

import tempfile

from mlopsim import Study
from mlopsim.plots.tradeoff import tradeoff

# %%
# What happens, and what must hold: windows with an accuracy below .8 are at most a tenth. All is yours to
# change.
rule = {"abrupt": {"duration": {"geometric": {"mean": 18}}}}
people = {"windows": 55, "warmup": 5, "per_group": 150, "place": 4.0, "sigma": 0.3, "turns": [0, 50, 100]}
stream = {
    "corrupted": {
        "base": {"population": {**people, "rule": rule}},
        "injector": {"unit_scale": {"factor": 10, "features": ["m0", "m2"]}},
        "rate": 0.5,
        "timing": {"recurring": {"at": 10, "length": 3, "every": 9}},
    }
}
floor = {"accuracy_floor": {"floor": 0.8, "limit": 0.1}}
guard = {"fallback": 0.7, "release": ["accuracy_drop"], "trigger": "ks", "constraints": [floor]}

# %%
# Arms: the same rules with some of the parts on. ``steps`` > 0 would tune them within the limits and allow
# ``learned`` ones; ``arms`` stands for all combinations.
deployment = {"governed": guard}
task = {"stream": stream, "gate": "iqr", "training": {"last": {"windows": 5}}, "deployment": deployment}
track = {"governance": {"steps": 0, "prices": [0.0]}}
arms = ["none", "gate", "trigger", "gate+trigger", "gate+trigger+audits"]
study = Study(track=track, tasks=[task], methods=arms, seeds=4)
results = study.run(tempfile.mkdtemp(), executor="serial", progress=False)
board = results.leaderboard
print(board.select("method", "return", "cost", "retrains", "suspended"))

# %%
# Read it so: further up earns more, further left breaks the limit less. The optimum knows what comes and
# looks at the return alone, ``suspend_always`` serves the fallback for good. Intervals are over four
# scenarios: a first look.
cost, cost_low, cost_high = (board[f"cost{end}"].to_numpy() for end in ("", "_low", "_high"))
value, low, high = (board[f"return{end}"].to_numpy() for end in ("", "_low", "_high"))
figure = tradeoff(
    board["method"].to_list(),
    cost,
    value,
    cost_ends=(cost_low, cost_high),
    quality_ends=(low, high),
    xlabel="share of windows below the floor",
    ylabel="mean reward",
    pareto=False,
)
