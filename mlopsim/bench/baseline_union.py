"""A published baseline with the methods of a submission, in one file which says what nobody else computed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mlopsim.bench.baseline import Baseline
from mlopsim.bench.baseline_rows import Line, write_lines
from mlopsim.bench.storage import to_json
from mlopsim.core.errors import ConfigError

#: what the record of a run says of a third party's cells: computed by the author only, or a sample again
STANDING = "standing"
SUBMITTED, VERIFIED = "submitted", "verified"


def write_union(
    published: Baseline, submitted: Baseline, methods: Sequence[str], path: str | Path, *, standing: str
) -> Path:
    """Write the published cells and those of some methods of a submission.

    Parameters
    ----------
    published, submitted : Baseline
        That were read, and found to go together (:func:`mlopsim.bench.submission.check_submission`).
    methods : sequence of str
        Of the submission, which the published file does not have.
    path : str or Path
        Target, which ends in ``.parquet`` and does not exist, or is the published file.
    standing : str
        ``submitted``, or ``verified``.

    Returns
    -------
    Path
        The path.

    Raises
    ------
    ConfigError
        If the target exists, or a run of the submission is one that is published already.
    """
    path = Path(path)
    if path.suffix != ".parquet":
        raise ConfigError(
            f"a baseline is no {path.suffix or path.name} file", remedy="end the name in .parquet"
        )
    if path.exists() and path.resolve() != published.path.resolve():
        raise ConfigError(f"{path} exists", remedy="name another file, or the published one itself")
    places = [place for place, cell in enumerate(submitted.cells) if cell.method.name in methods]
    runs = {str(run) for run in submitted.frame["run"].gather(places).to_list()}
    if taken := sorted(runs & set(published.header["runs"])):
        raise ConfigError(
            f"the run {taken[0]} of {submitted.path} is published already: new cells cannot be told from it",
            remedy="compute the method in a new folder: results=DIR",
        )
    numbers: dict[str, int] = {}
    lines = [
        *_lines(published, range(len(published.cells)), numbers),
        *_lines(submitted, places, numbers),
    ]
    records = {**submitted.header["runs"], **published.header["runs"]}
    named = {line.run for line in lines} | {fit["run"] for line in lines for fit in line.fits or ()}
    own = {entry["name"]: entry for entry in submitted.header["methods"]}
    header = {
        **published.header,
        "methods": [*published.header["methods"], *(own[name] for name in methods)],
        "plugins": _distinct([*published.header["plugins"], *submitted.header["plugins"]]),
        "runs": {
            run: {**records[run], STANDING: standing} if run in runs else records[run]
            for run in sorted(str(name) for name in named if name in records)
        },
    }
    return write_lines(path, header, lines)


def _distinct(entries: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    return list({to_json(entry): entry for entry in entries}.values())


def _lines(baseline: Baseline, places: Sequence[int], numbers: dict[str, int]) -> list[Line]:
    """Return rows of a baseline with fits numbered on from those that have a number already."""
    stored = [fit for several in baseline.frame["fits"].drop_nulls().to_list() for fit in several]
    keys = [fit.job.key for fit in baseline.fits]
    found = []
    for place, outcome, where in baseline.outcomes(places):
        row = baseline.frame.row(place, named=True)
        brought: list[dict[str, Any]] = []
        stack = [] if row["fit"] is None else [row["fit"]]
        while stack:
            top = stack[-1]
            if waiting := [need for need in stored[top]["needs"] if keys[need] not in numbers]:
                stack.extend(waiting)
                continue
            stack.pop()
            if keys[top] not in numbers:
                numbers[keys[top]] = len(numbers)
                needs = [numbers[keys[need]] for need in stored[top]["needs"]]
                brought.append({**stored[top], "number": numbers[keys[top]], "needs": needs})
        found.append(
            Line(
                task=row["task"],
                method=row["method"],
                seed=row["seed"],
                fit=None if row["fit"] is None else numbers[keys[row["fit"]]],
                metrics=outcome.metrics,
                curves=outcome.curves,
                reasons=row["reasons"],
                attributes=row["attributes"],
                fits=brought or None,
                **where,
            )
        )
    return found
