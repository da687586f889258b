"""The record of one version: all that it came from, and all that became of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mlopsim.core.errors import DataError
from mlopsim.governance.lineage.passage import Left, Review, Span
from mlopsim.governance.lineage.plain_json import from_plain, to_plain
from mlopsim.governance.record.log import line_of, strict_json

#: of the record's form
SCHEMA = 1


@dataclass(frozen=True, kw_only=True)
class Removed:
    """Rows of a version's windows that it was not trained on.

    Parameters
    ----------
    by : str
        The gate, or the bias, that kept them away.
    rows : int
    digest : str
        Of their places in the stream, their features as they were received (encoded) and their labels.
    """

    by: str
    rows: int
    digest: str


@dataclass(frozen=True, kw_only=True)
class Training:
    """What a version was trained on.

    Parameters
    ----------
    first, last : int
        Windows, both included.
    instead_of : int or None
        First window of its own windows, where no row of them was let through and it was trained on the
        warm-up; else None.
    rows : int
    digest : str
        Of the rows as they were trained on: features (encoded), labels, weights.
    removed : tuple of Removed
        Rows of its windows that were kept away.
    repaired, light : int
        Rows that a gate changed, and rows that count less than others.
    gate : mapping or None
        The data gate with its limits.
    """

    first: int
    last: int
    instead_of: int | None
    rows: int
    digest: str
    removed: tuple[Removed, ...]
    repaired: int
    light: int
    gate: Mapping[str, Any] | None


@dataclass(frozen=True, kw_only=True)
class Bits:
    """What says that a model is this model, bit by bit.

    Parameters
    ----------
    answers : str
        Digest of where it is right on the rows of the stream: the bits that its deployment walked through.
    scores : str
        Digest of its scores of these rows, float64.
    """

    answers: str
    scores: str


@dataclass(frozen=True, kw_only=True)
class Measured:
    """How good a version was when it could be approved.

    Parameters
    ----------
    on : str
        ``held out``: windows after its own whose labels were known then; ``training``: its own windows, where
        any model looks better than it is.
    first, last : int or None
        The windows; None: there were none.
    group : str or None
        The protected group; None: everybody.
    n : int
        Rows.
    accuracy, precision, recall, f1 : float or None
        None where undefined.
    reason : str
        Why something is undefined.
    """

    on: str
    first: int | None
    last: int | None
    group: str | None
    n: int
    accuracy: float | None
    precision: float | None
    recall: float | None
    f1: float | None
    reason: str


@dataclass(frozen=True, kw_only=True)
class Judged:
    """The verdict of release gates of one sort.

    Parameters
    ----------
    window : int
        At whose start it was known.
    gate : str
        ``absolute``: of the version alone; ``relative``: beside the version that served.
    against : int or None
        That version.
    verdict : str
        ``passed`` or ``blocked``.
    tests : tuple of mappings
        What was tested: ``name, statistic, p, limit, reason``. Empty where only the verdict is known.
    """

    window: int
    gate: str
    against: int | None
    verdict: str
    tests: tuple[Mapping[str, Any], ...]

    @property
    def tested(self) -> bool:
        """Whether any of its tests could have stopped the version: it has a p-value, and no reason why not.

        Examples
        --------
        >>> fields = {"window": 9, "gate": "absolute", "against": None, "verdict": "passed"}
        >>> test = {"name": "demographic_parity", "statistic": 0.1, "p": 0.4, "limit": 0.05, "reason": ""}
        >>> empty = {**test, "statistic": None, "p": None, "reason": "too few rows"}
        >>> Judged(**fields, tests=(test, empty)).tested, Judged(**fields, tests=(empty,)).tested
        (True, False)
        """
        return any(test["p"] is not None and not test["reason"] for test in self.tests)


@dataclass(frozen=True, kw_only=True)
class VersionRecord:
    """The record of one version of a deployment.

    Parameters
    ----------
    schema : int
    cell, method : str
        The deployment, and who decides in it.
    number : int
        The version: the last window that it was trained on.
    parent : int or None
        What served (last) when it was decided; None for the initial version.
    decided, decided_by : int and str, or None
        Window at whose end it was decided, and by whom.
    world : mapping or None
        Address of the World, from which :func:`mlopsim.governance.lineage.rebuild.rebuild` trains it again;
        None for a World of a stream at hand.
    components : mapping of str to str
        Versions of all components and builders that it depends on.
    seed : mapping or None
        Path of its seed: ``entropy, spawn_key``.
    platform : str
        Digest of the environment.
    environment : mapping
        What bits may depend on, see :func:`mlopsim.core.fingerprint.fingerprint`.
    classes, features : tuple of str
    training : Training
    bits : Bits
    measured : tuple of Measured
    judged : tuple of Judged
    review : Review or None
        None: nobody was asked, or had answered.
    arrived : int or None
        First window in which it could serve.
    served, canary : tuple of Span
    left : Left or None
        When and why it left the registry, or never came into it; None: it is there at the end.
    state : str
        At the end, see :data:`mlopsim.governance.lineage.passage.STATES`.
    """

    schema: int
    cell: str
    method: str
    number: int
    parent: int | None
    decided: int | None
    decided_by: str | None
    world: Mapping[str, Any] | None
    components: Mapping[str, str]
    seed: Mapping[str, Any] | None
    platform: str
    environment: Mapping[str, Any]
    classes: tuple[str, ...]
    features: tuple[str, ...]
    training: Training
    bits: Bits
    measured: tuple[Measured, ...]
    judged: tuple[Judged, ...]
    review: Review | None
    arrived: int | None
    served: tuple[Span, ...]
    canary: tuple[Span, ...]
    left: Left | None
    state: str

    @property
    def approved_by(self) -> str | None:
        """Who approved it; None: nobody."""
        return self.review.by if self.review is not None and self.review.verdict == "approved" else None

    def line(self) -> bytes:
        """Return it as a line of JSON: keys sorted, no blanks, with its line end."""
        return line_of(to_plain(self))


def read_version(line: bytes | str, where: str = "the version record") -> VersionRecord:
    """Read a line that :meth:`VersionRecord.line` wrote.

    Raises
    ------
    DataError
        If it is no version record.
    """
    data = line.encode("utf-8") if isinstance(line, str) else line
    value = strict_json(data)
    if not isinstance(value, dict) or value.get("schema") != SCHEMA:
        raise DataError(
            f"{where} is no version record of schema {SCHEMA}",
            remedy="mlopsim export-registry DIR KEY --to versions:FILE.jsonl writes them",
        )
    return from_plain(VersionRecord, value, where)


def read_versions(path: str | Path) -> list[VersionRecord]:
    """Read a file with one version record a line.

    Raises
    ------
    DataError
        If it is not there, or holds something else.
    """
    path = Path(path)
    if not path.is_file():
        raise DataError(
            f"no version records at {path}",
            remedy="mlopsim export-registry DIR KEY --to versions:FILE.jsonl writes them",
        )
    lines = path.read_bytes().splitlines(keepends=True)
    return [read_version(line, f"{path.name}, line {i + 1}") for i, line in enumerate(lines)]
