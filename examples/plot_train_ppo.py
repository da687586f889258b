"""
Train a PPO selector
====================

Does a learned policy beat simple rules here? stable-baselines3 trains it on other scenarios than those that
are shown, and the rules are tuned with as many steps: the policies are compared, not the effort.
"""

import tempfile

from mlopsim import Study, one_thread
from mlopsim.delivery import make_sb3_vec_env, open_scenarios
from mlopsim.plots.leaderboard import leaderboard

# %%
# A study does all of it: 30,000 environment steps for each method, on training scenarios.
stream = {"procedural": {"schedules": ["recurring"], "windows": 60}}
deployment = {"standard": {"latency": 2, "retrain_cost": 0.05}}
study = Study(
    track={"delivery": {"steps": 30_000, "scenarios": 20, "train_stream": stream}},
    tasks=[{"stream": stream, "learner": "ridge", "deployment": deployment}],
    methods=[
        "never",
        "periodic",
        "error_threshold",
        {"ppo": {"n_envs": 16, "n_steps": 32, "batch_size": 256}},
    ],
    seeds=20,
)
results = study.run(tempfile.mkdtemp(), executor="serial", progress=False)
board = results.leaderboard
print(board.select("method", "ns", "ns_low", "ns_high", "retrains"))

# %%
# Any other algorithm of that library learns in the same environments. Small networks are slowed down by
# threads, more than tenfold on a busy machine: ``one_thread`` holds torch and numpy at one; a study does it
# by itself.
with one_thread():
    from stable_baselines3 import A2C

    pool, standard = open_scenarios(stream, "ridge", deployment=deployment, scenarios=20)
    env = make_sb3_vec_env(pool, deployment, n_envs=8, seed=0, centre=True, scale=10.0)
    A2C("MlpPolicy", env, seed=0).learn(2_000)

# %%
# Read it so: 0 is never retraining, 1 the clairvoyant optimum. Intervals are over the scenarios, of one
# trained agent: another training seed gives another agent (``train_seed``). So few steps show the way, and
# prove nothing.
figure = leaderboard(
    board["method"].to_list(),
    *(board[name].to_numpy() for name in ("ns", "ns_low", "ns_high", "ns_n")),
    title="30,000 steps for each",
    note="95 % intervals over test scenarios.",
)
