"""
Your CSV as a stream
====================

Would retraining have paid on my data, and when? Each row of a file is a prediction that was asked for, in the
order of time. Here the file is made up: 6,000 offers of which customers take some, and from row 3,000 on they
look at the price in another way.
"""

import tempfile
from pathlib import Path

import numpy as np
import polars as pl

from mlopsim import Study
from mlopsim.plots.timeline import Rollout, Timeline, timeline

# %%
# The file. Put your own here: numbers, texts and gaps are told apart by themselves.
rng = np.random.default_rng(0)
price, visits = rng.normal(50, 10, 6_000), rng.poisson(3, 6_000)
mood = np.where(np.arange(6_000) < 3_000, visits - 3 - (price - 50) / 10, (price - 50) / 10)
shop = rng.choice(["north", "south"], 6_000)
folder = Path(tempfile.mkdtemp())
frame = pl.DataFrame({"price": price.round(2), "visits": visits, "shop": shop})
frame = frame.with_columns(taken=pl.Series(np.where(mood + rng.normal(0, 0.7, 6_000) > 0, "yes", "no")))
frame.write_csv(folder / "offers.csv")

# %%
# The stream: windows of 100 rows, the first ten train the first version. Then four methods decide over it:
# labels are known a window later and a retrain takes a window and costs as much as .02 of a window's
# accuracy.
stream = {"file": {"path": str(folder / "offers.csv"), "label": "taken", "rows": 100, "warmup": 10}}
deployment = {"standard": {"label_delay": 1, "latency": 1, "retrain_cost": 0.02}}
study = Study(
    track={"delivery": {"steps": 0, "origins": 1}},  # untuned; one deployment over all
    tasks=[{"stream": stream, "learner": "ridge", "deployment": deployment}],
    methods=["never", "periodic", "page_hinkley"],
    seeds=1,
)
results = study.run(folder / "out", executor="serial", progress=False)
print(results.cells.select("method", "accuracy", "retrains", "return"))

# %%
# Read it so: each panel is one method, the line is the accuracy of what it served, the dashed line that of
# the best plan in hindsight. The alarm retrains once, at once, on windows that are mostly from before the
# change; the clock does so later, on new ones. One series has no interval: it says what would have been
# here, and promises nothing.
rolled = {row["method"]: results.curves(row["key"]) for row in results.cells.iter_rows(named=True)}
oracle = rolled.pop("oracle")
windows = oracle["windows"].astype(int)
drawn = [
    Rollout(name=name, quality=c["quality"], retrains=windows[c["retrained"] > 0].tolist())
    for name, c in rolled.items()
]
line = Timeline(windows=windows, oracle=oracle["quality"], rollouts=drawn)
figure = timeline(line, title="What each method made of the change in window 30")
