"""
Ask the clairvoyant why
=======================

What would somebody have done who knew what comes, and what did it earn? The oracle plans over the whole
World; its plan is replayed through the same dynamics as any rule, so that its gain has parts that add up.
"""

import numpy as np

from mlopsim.delivery import bracket, open_scenarios, replay
from mlopsim.plots.heatmap import heatmap
from mlopsim.world import WorldSpec, open_world

# %%
# A World: how each version would do in each window. Any stream will do, ``{"file": {"path": ...}}`` too.
stream = {"procedural": {"schedules": ["recurring"]}}
world = open_world(WorldSpec.of(stream, "ridge", split="test", index=3))
pool, deployment = open_scenarios(
    worlds=[world], deployment={"standard": {"latency": 2, "retrain_cost": 0.1, "switch_cost": 0.02}}
)
accuracy = world.metric(deployment.objective)

# %%
# The optimum lies between what its plan earns and what no plan can earn more than. With both equal it is
# known.
found = bracket(accuracy, world.warmup, deployment)
print(f"never {found.never:.2f}, optimum [{found.lower:.2f}, {found.upper:.2f}]")

# %%
# Why: each action is taken out of the plan, and the rest replayed. What is then earned less is what it was
# worth.
plan = found.lower_plan
acts = np.flatnonzero(plan)
others = np.repeat(plan[None, :], len(acts) + 1, axis=0)
others[np.arange(len(acts)), acts] = 0
played = replay(others, pool, deployment, which=np.zeros(len(others), dtype=int))
parts = {name: value[-1].sum() - value[:-1].sum(axis=1) for name, value in played.parts.items()}
worth = played.returns[-1] - played.returns[:-1]

# %%
# Read a row so: without that action the deployment would have lost its last number, in windows of full
# accuracy: its quality less what it costs. A deploy may need the retrain before it, so rows do not add up
# to the whole gain.
slots = deployment.slots
labels = [
    f"window {world.warmup - 1 + s}: {'retrain' if plan[s] > slots else f'deploy slot {plan[s]}'}"
    for s in acts
]
used = [name for name in parts if np.any(parts[name])]
figure = heatmap(
    labels,
    [*used, "worth"],
    np.column_stack([*(parts[name] for name in used), worth]),
    low=-1.0,
    middle=0.0,
    high=2.0,
    note="In windows of full accuracy; one scenario.",
)
