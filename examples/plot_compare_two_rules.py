"""
Compare two retraining rules with an interval
=============================================

Is it better to retrain when errors rise than by the calendar? Both rules meet the same twelve scenarios, so
their difference is taken scenario by scenario: it is far less uncertain than the two scores by themselves.
"""

import tempfile

from mlopsim import Study
from mlopsim.plots.interval_panels import interval_panels

# %%
# Conditions and rules. Change the price of a retrain, the rules or the learner here; ``mlopsim list`` names
# them all.
deployment = {"standard": {"label_delay": 2, "latency": 2, "retrain_cost": 0.05}}
study = Study(
    track={"delivery": {"steps": 0}},  # defaults of both; a budget in steps would tune both with it
    tasks=[
        {
            "name": kind,
            "stream": {"procedural": {"schedules": [kind]}},
            "learner": "ridge",
            "deployment": deployment,
        }
        for kind in ("abrupt", "gradual")
    ],
    methods=["error_threshold", {"periodic": {"every": 5}}],
    seeds=12,
)
results = study.run(tempfile.mkdtemp(), executor="serial", progress=False)
print(results.leaderboard.select("method", "ns", "ns_low", "ns_high", "ns_n"))

# %%
# The difference of the normalised score (0: never retraining, 1: the optimum), with 95 % intervals over
# scenarios.
difference = results.compare("error_threshold", "periodic(every=5)")
print(difference)

# %%
# Read it so: where an interval lies right of 0 the first rule is better there; where it holds 0 these
# scenarios do not tell. More seeds make intervals narrower.
names = [name or "all tasks" for name in difference["task"].to_list()]
three = tuple(difference[name].to_numpy() for name in ("difference", "difference_low", "difference_high"))
figure = interval_panels(
    names,
    {"error_threshold less periodic(every=5)": three},
    xlabel="difference in normalised score",
    note=f"Paired over {difference['difference_n'][0]} scenarios a task; 95 % intervals, bootstrap.",
)
