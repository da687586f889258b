"""
A committed figure, with a gate of one's own in it
==================================================

Where would my gate stand among those that are published? The table of ``results/worth_of_a_gate`` is read as
it is committed; only the new gate is run, in the same task, with the same seeds. (Run it in a clone.)
"""

import dataclasses
import tempfile
from pathlib import Path

import numpy as np
import polars as pl

import mlopsim
from mlopsim.plots.leaderboard import leaderboard
from mlopsim.quality import RowGate


# %%
# The gate: how far the farthest value of a row lies from the median, in interquartile ranges.
@mlopsim.register("gate", "farthest")
@dataclasses.dataclass(kw_only=True)
class Farthest(RowGate):
    """Distance of the farthest value of a row from the median, in interquartile ranges."""

    def fit(self, Z, rng):
        """Return median and interquartile range of each column."""
        low, middle, high = np.quantile(Z, [0.25, 0.5, 0.75], axis=0)
        return middle, np.maximum(high - low, 1e-9)

    def measure(self, model, Z):
        """Return the scores; their limit is set for 5 % false alarms, as that of all others."""
        return np.abs((Z - model[0]) / model[1]).max(axis=1)


# %%
# Its run, beside a gate that is published already: that one must have the same numbers as in the table.
TASK = "unit x100"
chosen = {"tasks": [TASK], "quality.stages": ["preprocess"]}
study = mlopsim.load_suite("quality-core", methods=["farthest", "zscore"], overrides=chosen)
new = study.run(tempfile.mkdtemp(), executor="serial", progress=False).leaderboard
path = Path(mlopsim.__file__).parents[1] / "results/worth_of_a_gate/table.csv"
old = pl.read_csv(path, infer_schema_length=None).filter(pl.col("task") == TASK)
shown = ["method", "recovered", "recovered_low", "recovered_high", "recovered_n"]
print(old.filter(pl.col("method") == "zscore").select(shown), new.select(shown))

# %%
# Read it so: 0 is no gate, 1 what clean data would have given; 95 % intervals over seeds. Change ``TASK`` for
# another case of that suite.
old = old.filter(~pl.col("method").str.contains("[@(]")).select(shown)
mine = new.filter(pl.col("method") == "farthest").select(shown)
table = pl.concat([old, mine.with_columns(method=pl.lit("farthest (new)"))])
columns = [column.to_numpy() for column in table.drop("method")]
figure = leaderboard(table["method"].to_list(), *columns, xlabel="share of the loss recovered", title=TASK)
