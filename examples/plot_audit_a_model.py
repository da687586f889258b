"""
Audit a model for bias
======================

Does the model treat two groups alike, and if not, in what? Here past decisions favoured one group; the model
does not see the group, and learns it from the postcode all the same.
"""

import numpy as np
import polars as pl

from mlopsim.fairness import Explaining, judge, prepare
from mlopsim.plots.interval_panels import interval_panels
from mlopsim.streams import table_of

# %%
# The data; ``mlopsim.streams.read_frame(path)`` reads yours.
rng = np.random.default_rng(0)
n = 3_000
group = rng.choice(["a", "b"], n, p=[0.6, 0.4])
skill = rng.normal(size=n)
postcode = np.where(group == "b", rng.normal(1.5, 1.0, n), rng.normal(0.0, 1.0, n))
hired = np.where(skill - 1.2 * (group == "b") + rng.normal(0, 0.7, n) > 0, "yes", "no")
frame = pl.DataFrame({"skill": skill, "postcode": postcode, "group": group, "hired": hired})
table = table_of(frame, source="applicants", label="hired", group="group", drop=["group"], positive="yes")

# %%
# A model is trained on 60 % of the rows and audited on the others. Change the learner and the audits here;
# ``mlopsim list audits`` names them, and ``mlopsim audit FILE`` writes all of them into a page.
root = np.random.SeedSequence(0)
subject = prepare(table, "gbm", Explaining(), root)
audits = ["demographic_parity", "equal_opportunity", "equalised_odds", "predictive_parity", "accuracy"]
verdicts = judge(subject, audits, root.spawn(1)[0], rounds=199)
for verdict in verdicts:
    print(f"{verdict.audit:20} {verdict.says.value:10} {verdict.statistic:6.3f}, p {verdict.adjusted:.3f}")

# %%
# Read it so: each number is a gap between the groups with its own 95 % interval; ``found`` means that its
# p-value, corrected for all audits together, is at most .05. No audit says whether a gap is wrong.
figure = interval_panels(
    [f"{verdict.audit}: {verdict.says.value}" for verdict in verdicts],
    {
        "gap between the groups": tuple(
            np.array([getattr(v, x) for v in verdicts]) for x in ("statistic", "low", "high")
        )
    },
    xlabel="difference of rates",
    note=f"{len(subject.evidence.window):,} rows audited; 95 % intervals, each for itself.",
)
