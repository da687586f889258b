"""
A study in a notebook
=====================

What does it cost that a new version takes a while? The same study is run for several latencies. This page can
be downloaded as a notebook, whose cells are the blocks of the script that the build has run.
"""

import tempfile

import numpy as np

import mlopsim as ml
from mlopsim.plots.curves import Curve, curves
from mlopsim.stats import mean_interval

# %%
# A study is tasks, methods and seeds; mistakes in them are errors here, before anything is run.
stream = {"procedural": {"schedules": ["abrupt"], "windows": 60}}
study = ml.Study(
    track={"delivery": {"steps": 0}},
    tasks=[{"name": "abrupt", "stream": stream, "learner": "ridge"}],
    methods=["never", {"periodic": {"every": 5}}, "error_threshold"],
    seeds=10,
)
slow = study.sweep("deployment.latency", [0, 2, 4, 8])

# %%
# A notebook has no ``__main__`` that workers could import: ``executor="serial"`` runs it here. The same
# call again computes nothing twice, and ``ml.open_results(folder)`` reads it later.
folder = tempfile.mkdtemp()
results = slow.run(folder, executor="serial", progress=False)
cells = ml.open_results(folder).cells
print(cells.select("method", "deployment.latency", "seed", "accuracy").head())

# %%
# Read it so: what a scenario loses in accuracy beside a version that is there at once, mean of the same ten
# scenarios with its 95 % interval. Taken scenario by scenario: how hard they are by themselves cancels out.
lines = {}
for name in ("oracle", "error_threshold", "periodic(every=5)"):
    rows = cells.filter(cells["method"] == name).sort("seed")
    by = {at: part["accuracy"].to_numpy() for (at,), part in rows.group_by("deployment.latency")}
    lost = [mean_interval(by[at] - by[0], np.random.default_rng(0)) for at in sorted(by)]
    lines[name] = Curve(
        x=np.array(sorted(by), dtype=float),
        y=np.array([one.value for one in lost]),
        low=np.array([one.low for one in lost]),
        high=np.array([one.high for one in lost]),
    )
figure = curves(lines, xlabel="windows that a new version takes", ylabel="change of accuracy")
