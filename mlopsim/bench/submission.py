"""Whether a third party's baseline file may join a published one: whole, of the same suite, unchanged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from mlopsim.bench.baseline import Baseline
from mlopsim.bench.baseline_match import join
from mlopsim.bench.grid import Grid
from mlopsim.bench.identity import SHOWN
from mlopsim.bench.storage import to_json
from mlopsim.core.errors import ConfigError


@dataclass(kw_only=True)
class Checked:
    """What a check found: ``problems`` are empty where a submission may be taken.

    ``methods`` are those that the published file does not have, ``controls`` how many of its cells the
    submission holds, too.
    """

    methods: list[str] = field(default_factory=list)
    controls: int = 0
    problems: list[str] = field(default_factory=list)


def check_submission(submitted: Baseline, published: Baseline) -> Checked:
    """Compare a submission with the published baseline of its suite; nothing is computed.

    Parameters
    ----------
    submitted, published : Baseline
        That were read.

    Returns
    -------
    Checked
        A submission with problems is refused: other versions or settings, a method without some of the tasks
        and seeds, or other numbers for a cell that is published. Whether the new numbers are right is for
        :func:`mlopsim.bench.baseline_verify.verify`.
    """
    found = Checked()
    grid = Grid(
        title=f"{published.suite}-v{published.version}",
        track=published.header["track"],
        metrics=tuple(published.metrics),
        cells=tuple(published.cells),
        fits=tuple(fit.job for fit in published.fits),
    )
    try:
        join(grid, submitted, suite=published.suite, version=published.version)
    except ConfigError as error:
        found.problems.append(error.message)
    points = {(cell.task.name, cell.seed) for cell in published.cells}
    known = {cell.key: place for place, cell in enumerate(published.cells)}
    held: dict[str, set[tuple[str, int]]] = {}
    for cell in submitted.cells:
        held.setdefault(cell.method.name, set()).add((cell.task.name, cell.seed))
    found.methods = [name for name in held if name not in published.methods]
    if not found.methods:
        found.problems.append("it has no method that is not published already")
    for name in found.methods:
        found.problems += _gaps(name, held[name], points)
    shared = [(place, known[cell.key]) for place, cell in enumerate(submitted.cells) if cell.key in known]
    found.controls = len(shared)
    found.problems += _changed(submitted, published, shared)
    return found


def _gaps(name: str, held: set[tuple[str, int]], points: set[tuple[str, int]]) -> list[str]:
    """Say which cells of a method are left out, and which are of no published scenario."""
    said = []
    for what, several in (("lacks", points - held), ("has what the suite does not", held - points)):
        if several:
            listed = ", ".join(f"{task} / seed {seed}" for task, seed in sorted(several)[:SHOWN])
            more = f" and {len(several) - SHOWN} more" if len(several) > SHOWN else ""
            said.append(f"'{name}' {what}: {listed}{more}")
    return said


def _changed(submitted: Baseline, published: Baseline, shared: Sequence[tuple[int, int]]) -> list[str]:
    """Say which published cells have other numbers in the submission; floats may differ by the promise."""
    from mlopsim.bench.rerun import TOLERANCE

    said = []
    theirs = submitted.outcomes([place for place, _ in shared])
    ours = published.outcomes([place for _, place in shared])
    for (place, own, _), (_, other, _) in zip(theirs, ours, strict=True):
        for name in sorted({*own.metrics, *other.metrics}):
            a, b = own.metrics.get(name), other.metrics.get(name)
            if a is None or b is None or to_json(a) != to_json(b):
                close = a is not None and b is not None and abs(a - b) <= TOLERANCE * max(abs(a), abs(b))
                if not close:
                    cell = submitted.cells[place]
                    label = f"{cell.task.name} / {cell.method.name} / seed {cell.seed}"
                    said.append(f"{label}: {name} is {a}, and published as {b}")
    return [*said[:SHOWN], *([f"and {len(said) - SHOWN} more numbers"] if len(said) > SHOWN else [])]
