"""Jobs of long experiments: in worker processes, each kept on disk as it ends, with what is left foretold.

A job is a function of an importable module that returns what JSON can hold. Its answer is kept in a file of
its own with the seconds it took. What has such a file is not done again, so a run that was killed goes on
where it was stopped and loses the jobs in flight.
"""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import as_completed
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mlopsim.bench.identity import PACKAGE, code_digests, proof
from mlopsim.bench.pool import Pool
from mlopsim.bench.progress import clock
from mlopsim.core.digest import digest, digest_file
from mlopsim.core.files import write_text

#: rooms whose code the numbers of the closed loop hang on, and the parts of governance
ROOMS = (".", "core", "delivery", "drift", "learners", "numerics", "quality", "stats", "streams", "world")
PARTS = (".", "agents", "constraints", "deployments", "loop", "optimum", "reviewers", "selectors", "training")


@dataclass(frozen=True, kw_only=True)
class Job:
    """Something to be computed once.

    Parameters
    ----------
    kind : str
        Jobs of one kind take about as long as one another.
    label : str
        Which one it is, for people.
    path : Path
        Where its answer is kept; what it is and by which code belongs into the name.
    call : callable
        Of an importable module.
    arguments : tuple
        What it is called with.
    """

    kind: str
    label: str
    path: Path
    call: Callable[..., Any]
    arguments: tuple[Any, ...]

    @property
    def done(self) -> bool:
        """Whether its answer is there."""
        return self.path.is_file()

    def read(self) -> Any:
        """Return its answer."""
        return json.loads(self.path.read_text(encoding="utf-8"))["answer"]

    def seconds(self) -> float:
        """Return the seconds that it took."""
        return float(json.loads(self.path.read_text(encoding="utf-8"))["seconds"])


def state(*files: str) -> str:
    """Return a digest of what answers hang on beside their arguments: code, versions, platform."""
    found = {name: value for name, value in proof().items() if not name.startswith("code of ")}
    rooms, parts = code_digests(), code_digests(PACKAGE / "governance")
    found |= {room: rooms[room] for room in ROOMS} | {f"governance/{part}": parts[part] for part in PARTS}
    return digest({**found, "files": [digest_file(name) for name in files]})


def timed(call: Callable[..., Any], path: Path, arguments: tuple[Any, ...]) -> float:
    """Do a job where it is (a worker), keep its answer, and return the seconds that it took."""
    began = time.perf_counter()
    answer = call(*arguments)
    seconds = time.perf_counter() - began
    # a float as Python writes it is read as the same float
    write_text(path, json.dumps({"seconds": seconds, "answer": answer}))
    return seconds


def estimate(jobs: Iterable[Job], workers: int) -> float:
    """Return the seconds that jobs of one kind will take that are not done; NaN before one is."""
    waiting, known = 0, []
    for job in jobs:
        if job.done:
            known.append(job.seconds())
        else:
            waiting += 1
    if not waiting:
        return 0.0
    return sum(known) / len(known) * waiting / workers if known else float("nan")


def plan(jobs: Sequence[Job], workers: int) -> list[dict[str, Any]]:
    """Return a row a kind: how many jobs are done, what one takes, how long the rest will."""
    rows = []
    for kind in dict.fromkeys(job.kind for job in jobs):
        mine = [job for job in jobs if job.kind == kind]
        known = [job.seconds() for job in mine if job.done]
        rows.append(
            {
                "kind": kind,
                "jobs": len(mine),
                "done": len(known),
                "seconds_each": sum(known) / len(known) if known else float("nan"),
                "seconds_left": estimate(mine, workers),
            }
        )
    return rows


def told(line: str) -> None:
    """Print a line at once, into a file, too."""
    print(line, flush=True)


def do(jobs: Sequence[Job], workers: int, say: Callable[[str], None] = told) -> None:
    """Do the jobs that are not done yet, in this order; say after each how long the rest of its kind takes.

    Raises
    ------
    Exception
        The first that a job raised, at once; what ended before it is kept.
    """
    waiting = [job for job in jobs if not job.done]
    kept = len(jobs) - len(waiting)
    if kept:
        say(f"{kept} of {len(jobs)} kept of an earlier run")
    if not waiting:
        return
    pool = Pool(workers)
    done = Counter(job.kind for job in jobs if job.done)
    try:
        futures = {pool.submit(timed, job.call, job.path, job.arguments): job for job in waiting}
        for future in as_completed(futures):
            job, seconds = futures[future], future.result()
            done[job.kind] += 1
            mine = [one for one in jobs if one.kind == job.kind]
            left = estimate(mine, workers)
            more = f"; about {clock(left)} left of these" if left > 0 else ""
            say(f"{job.kind} {done[job.kind]}/{len(mine)}: {job.label}, {seconds:.1f} s{more}")
    except BaseException:
        pool.kill()
        raise
    pool.shutdown()
