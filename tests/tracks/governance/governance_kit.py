"""What tests of the governance track share: a small task, and cells of it with their outcomes."""

from functools import lru_cache

from mlopsim.core.spec import make
from mlopsim.core.track import Cell
from mlopsim.tracks.governance.arms import all_arms

SIZE = {"windows": 16, "warmup": 4, "per_group": 40}
STREAM = {"population": {**SIZE, "bias": "label_bias", "strength": 1.0, "timing": {"step": {"at": 8}}}}
GOVERNED = {
    "fallback": 0.6,
    "label_delay": 1,
    "latency": 1,
    "release": [{"accuracy_drop": {"alpha": 0.5}}],
    "audits": ["demographic_parity"],
    "trigger": "ks",
    "constraints": [{"accuracy_floor": {"floor": 0.78}}, {"churn": {"weight": 0.5}}],
}
#: rules with parameters of their own: nothing is tuned
RULES = {"schedule": {"periodic": {"every": 2, "phase": 1}}, "alarm": {"periodic": {"every": 3, "phase": 2}}}


def task(**more):
    return {"name": "a", "stream": STREAM, "deployment": {"governed": GOVERNED}, **more}


def make_track(**settings):
    return make("track", "governance", **{"steps": 0, "prices": [0.0, 0.2], **RULES, **settings})


def cells_of(track, methods, tasks, seeds=(0,)):
    return [
        Cell(track=f"governance/{track.version}", task=one, method=method, seed=seed)
        for one in track.tasks(tasks)
        for method in track.methods(methods)
        for seed in seeds
    ]


@lru_cache(maxsize=1)
def small_run():
    """Return the track, and all arms without a learner and the references by name: cell and outcome."""
    track = make_track(record=True)
    cells = cells_of(track, [arm.name for arm in all_arms() if not arm.learned], [task()])
    found = zip(cells, track.run(cells, {}), strict=True)
    return track, {cell.method.name: (cell, outcome) for cell, outcome in found}
