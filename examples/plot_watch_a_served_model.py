"""
Watch a served model's errors with a chart
==========================================

Is the model that serves still as good as on the day it was released? A chart reads its errors one by one. Its
limit is chosen before anything serves: 5 % of the deployments in which nothing changes may have an alarm.
"""

import numpy as np
from sklearn.linear_model import LogisticRegression

from mlopsim import make
from mlopsim.drift import calibrate
from mlopsim.plots.curves import Curve, curves
from mlopsim.stats import wilson

# %%
# A model of your own, and what it serves: two features weigh otherwise from row 3,000 on.
rng = np.random.default_rng(0)
X = rng.normal(size=(7_000, 4))
weights = np.where(np.arange(7_000)[:, None] < 5_000, [2.0, -1.5, 1.0, 0.5], [0.8, -1.5, 1.0, 1.5])
y = ((X * weights).sum(axis=1) + rng.logistic(size=7_000) > 0).astype(int)
model = LogisticRegression().fit(X[:1_000], y[:1_000])
errors = (model.predict(X) != y).astype(float)
before, served = errors[1_000:2_000], errors[2_000:]

# %%
# How often it errs at release, from 1,000 rows that it was not trained on. The chart takes this number as
# known: where the interval is wide, so is the doubt about its false alarms; more rows make it narrower.
rate = before.mean()
interval = wilson(int(before.sum()), len(before))
print(f"error rate {rate:.3f} [{interval.low:.3f}, {interval.high:.3f}]")

# %%
# The limit, from 1,000 made-up deployments without a change. A smaller ``lam`` finds smaller changes,
# later; every other detector of ``mlopsim list detectors`` fits in here.
chart = make("detector", "ewma", lam=0.01, side="up", told="p0", mean=rate, sd=np.sqrt(rate * (1 - rate)))
unchanged = (rng.random((1_000, len(served))) < rate).astype(float)
limit = calibrate(chart, unchanged, 0.05, np.random.SeedSequence(1).spawn(len(unchanged))).threshold
run = chart.limited(limit).run(served)
print(f"limit {limit:.2f}, alarms at rows {run.alarms.tolist()}")

# %%
# Read it so: up to row 3,000 the score stays below its limit; after the change it crosses it, which is the
# alarm, and starts afresh each time.
rows = np.arange(len(served))
figure = curves(
    {"EWMA of the errors": Curve(x=rows, y=run.score)},
    xlabel="rows served",
    ylabel="standard deviations above the rate at release",
    title=f"First alarm {run.alarms[run.alarms >= 3_000][0] - 3_000} rows after the change",
    references={f"limit {limit:.2f}": limit},
)
figure.axes[0].axvline(3_000, color="0.5", linestyle=":")
