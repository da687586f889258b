"""
Put errors into your own data, and see which gate finds them
============================================================

Which check of training data would have noticed? Errors are put into rows of a file in a known way; each gate
sees the rows as they arrive, and what it flags is compared with the truth.
"""

import tempfile
from pathlib import Path

import numpy as np
import polars as pl

from mlopsim import Study
from mlopsim.plots.heatmap import heatmap

# %%
# The file; put your own here.
rng = np.random.default_rng(0)
age, hours = rng.normal(45, 12, 4_000).round(), rng.normal(38, 6, 4_000).round(1)
wage = (12 + 0.2 * age + 0.3 * hours + rng.normal(0, 3, 4_000)).round(2)
stays = np.where(wage - 30 + rng.normal(0, 4, 4_000) > 0, "yes", "no")
folder = Path(tempfile.mkdtemp())
pl.DataFrame({"age": age, "hours": hours, "wage": wage, "stays": stays}).write_csv(folder / "staff.csv")

# %%
# The errors, from window 15 on, in 15 % of the rows. ``mlopsim list injectors`` names more of them.
base = {"file": {"path": str(folder / "staff.csv"), "label": "stays", "rows": 100, "warmup": 10}}
errors = {
    "missing values": "missing",
    "another unit": {"unit_scale": {"features": ["hours"]}},
    "impossible pairs": "outlier_dependency",
    "stuck sensor": {"stuck_sensor": {"features": ["age"]}},
    "flipped labels": "label_noise",
}
stream = {"base": base, "rate": 0.15, "timing": {"step": {"at": 15}}}
study = Study(
    track={"quality": {"stages": ["preprocess", "train"]}},
    tasks=[{"name": k, "stream": {"corrupted": {**stream, "injector": v}}} for k, v in errors.items()],
    methods=["rules", "zscore", "mahalanobis", "knn", "ks_batch", "confident", "random"],
    seeds=3,
)
results = study.run(folder / "out", executor="serial", progress=False)
rows = results.cells.filter(pl.col("recall").is_not_nan())
found = rows.group_by("method", maintain_order=True).agg(
    *(pl.col("recall").filter(pl.col("task") == name).mean().alias(name) for name in errors),
    pl.col("false_alarm").mean().alias("false alarms"),
)
print(found)

# %%
# Read a cell so: of the wrong rows, the share that the gate flags; in the last column the share of right
# rows. Gates that score rows have limits for 5 % of them; ``random`` flags by chance and shows what a
# number is worth.
note = "Share of rows flagged; means of 3 draws of the errors."
table = found.drop("method").to_numpy()
figure = heatmap(found["method"].to_list(), found.columns[1:], table, low=0.0, high=1.0, note=note)
