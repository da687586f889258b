"""
Calibrate a detector and read its run lengths
=============================================

A detector is fair to compare only at a known price in false alarms. Here a CUSUM chart gets the limit with
which 5 % of the drift-free signals of 1,000 ticks have an alarm; the exact law of its run length then says
what that buys after a change.
"""

import numpy as np

from mlopsim.drift import Normal, calibrate
from mlopsim.drift.run_length import make_chart, run_length
from mlopsim.plots.curves import Curve, curves

# %%
# Simulated: the limit from 2,000 signals without a change.
rng = np.random.default_rng(0)
signals = rng.normal(size=(2_000, 1_000))
chart = make_chart("cusum", k=0.25, mean=0.0, sd=1.0)
found = calibrate(chart, signals, 0.05, np.random.SeedSequence(1).spawn(len(signals)))
print(f"limit {found.threshold:.2f}")

# %%
# Exact: the law of the first alarm of that chart, without a change and after shifts of the mean.
chart = make_chart("cusum", k=0.25, h=found.threshold)
laws = {f"{shift:g} sd": run_length(chart, Normal(), shift) for shift in (0.0, 0.25, 0.5, 1.0)}
for name, law in laws.items():
    print(f"shift {name:>7}: mean {law.mean:10.1f} ticks, alarm within 1,000 {law.within(1_000):.3f}")

# %%
# What a user reads from it: how long a shift of a given size goes on before half of the charts have called.
ticks = np.unique(np.geomspace(1, 1_000, 60).astype(int))
figure = curves(
    {name: Curve(x=ticks, y=np.array([law.within(int(n)) for n in ticks])) for name, law in laws.items()},
    xlabel="ticks since the change",
    ylabel="P(alarm so far)",
    title="CUSUM with k = 0.25, 5 % false alarms in 1,000 ticks",
    xscale="log",
    references={"asked without a change": 0.05},
)
