"""How long a retrain waits after an alarm: tuned on training scenarios, with one budget for all methods."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from mlopsim.core.errors import ConfigError
from mlopsim.core.spec import check_range
from mlopsim.core.track import Cell, FitJob, FitResult, Method, Task

if TYPE_CHECKING:
    from mlopsim.drift.detector import Detector
    from mlopsim.tracks.drift.fits import Calibration

#: windows that are tried; with 10 windows to train on and labels 2 windows late, only from 12 on are all new
WAITS = (0, 1, 2, 3, 4, 6, 8, 10, 12, 16, 20, 30, 45)
#: numbers of the training scenarios: those that limits are found with lie below
FIRST = 1_000_000


def check_waits(waits: Sequence[Any], seeds: Any) -> None:
    """Raise ConfigError unless these are different whole numbers of windows, and a number of scenarios.

    Examples
    --------
    >>> check_waits([0, 4, 4], 10)
    Traceback (most recent call last):
    ...
    mlopsim.core.errors.ConfigError: drift.waits must be different whole numbers of windows, got [0, 4, 4]
      remedy: name each wait once: drift.waits=[0,4,12]
    """
    whole = [isinstance(wait, int) and not isinstance(wait, bool) for wait in waits]
    if not waits or not all(whole) or len(set(waits)) < len(waits):
        raise ConfigError(
            f"drift.waits must be different whole numbers of windows, got {list(waits)}",
            remedy="name each wait once: drift.waits=[0,4,12]",
        )
    for wait in waits:
        check_range("drift.waits", wait, 0, 10_000)
    check_range("drift.wait_seeds", seeds, 2, 10**6)


def wait_job(cell: Cell, base: FitJob | None, arl0: Sequence[float], versions: Mapping[str, int]) -> FitJob:
    """Name the tuning of a method's wait in a task with a deployment.

    Parameters
    ----------
    cell : Cell
        Its task says which waits are tried on how many scenarios.
    base : FitJob or None
        The calibration of its limits.
    arl0 : sequence of float
        At which the method is run.
    versions : mapping
        Of what the numbers depend on.
    """
    part = {
        "wait_of": cell.method.part,
        "task": cell.task.part,
        "arl0": list(arl0),
        "root": cell.root,
        "versions": dict(versions),
    }
    return FitJob(
        track=cell.track,
        label=f"wait of {cell.method.name} for {cell.task.name}",
        part=part,
        needs=() if base is None else (base.key,),
    )


def is_wait(job: FitJob) -> bool:
    """Say whether a job tunes waits."""
    return "wait_of" in job.part


def tune_wait(job: FitJob, done: Mapping[str, FitResult], calibration: Calibration) -> FitResult:
    """Roll every wait out on the same training scenarios, at each arl0, and keep the one with the best mean.

    Parameters
    ----------
    job : FitJob
        Of :func:`wait_job`.
    done : mapping of str to FitResult
        The calibration that it needs.
    calibration : Calibration
        Settings of the track.

    Returns
    -------
    FitResult
        What the calibration has, and ``wait`` (A,): the best wait at each arl0, in windows, the shortest of
        equals; ``waits`` (W,) and ``wait_return`` (A, W): mean return on the training scenarios, NaN without
        a limit; ``best`` (1,): the place of the arl0 that is best with its wait. ``info["wait_steps"]``:
        environment steps that were taken. Attribute ``limits``: the calibration's key.
    """
    from mlopsim.tracks.drift.run import alarm_rows, limited, limits_of, place_of, reader_of, seed_of
    from mlopsim.tracks.drift.worth import roll_out, training_pool

    base = done[job.needs[0]] if job.needs else None
    task, root = job.part["task"], job.part["root"]
    fits = {} if base is None else {job.needs[0]: base}
    cells = [
        Cell(
            track=job.track,
            task=Task(name="", part=task),
            method=Method(name="", part=job.part["wait_of"]),
            seed=FIRST + number,
            split="train",
            root=root,
            fit=job.needs[0] if job.needs else None,
        )
        for number in range(task["wait_seeds"])
    ]
    reader = reader_of(cells[0], fits)
    pool, deployment = training_pool(cells)
    scenarios = [reader.source.scenario(place_of(cell), reader.channel) for cell in cells]
    limits = [limits_of(cell, fits, calibration) for cell in cells]
    waits = np.array(task["waits"], dtype=np.int64)
    returns = np.full((len(job.part["arl0"]), len(waits)), math.nan)
    steps = 0
    for number in range(len(returns)):
        ready = [
            limited(cell, reader.detector, scenario, limit, number)
            for cell, scenario, limit in zip(cells, scenarios, limits, strict=True)
        ]
        detectors = [detector for detector in ready if detector is not None]
        if len(detectors) < len(cells):
            continue
        found = np.empty((len(cells), len(waits)))
        alarms = [
            alarm_rows(cell, detector, scenario)
            for cell, detector, scenario in zip(cells, detectors, scenarios, strict=True)
        ]
        # thresholds that are drawn for each scenario differ between few values
        for group in _alike(detectors):
            trajectory = roll_out(
                detectors[group[0]],
                [alarms[i] for i in group],
                scenarios[group[0]],
                pool,
                deployment,
                waits.tolist(),
                group,
                [seed_of(cells[i]) for i in group],
            )
            found[group] = trajectory.reward.mean(axis=1).reshape(len(group), len(waits))
            steps += trajectory.reward.size
        returns[number] = found.mean(axis=0)
    whole = np.isfinite(returns).all(axis=1)
    wait = np.full(len(returns), math.nan)
    wait[whole] = waits[returns[whole].argmax(axis=1)]
    tops = np.where(whole, np.where(whole[:, None], returns, -np.inf).max(axis=1), -np.inf)
    result = FitResult() if base is None else base
    return FitResult(
        arrays=result.arrays
        | {"wait": wait, "waits": waits, "wait_return": returns, "best": np.array([int(tops.argmax())])},
        info=result.info | {"wait_steps": steps},
        attributes=result.attributes | {"limits": job.needs[0] if job.needs else None},
    )


def _alike(detectors: Sequence[Detector]) -> list[list[int]]:
    """Return the places of detectors with equal parameters, together."""
    groups: list[list[int]] = []
    for place, detector in enumerate(detectors):
        for group in groups:
            if detectors[group[0]] == detector:
                group.append(place)
                break
        else:
            groups.append([place])
    return groups
