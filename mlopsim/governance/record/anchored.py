"""Verification, level 2: whether a log goes on from what was published of it."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

from mlopsim.core.errors import DataError
from mlopsim.governance.record.checkpoint import Checkpoint, encoded
from mlopsim.governance.record.log import TREES, leaf_of, origin_of, strict_json
from mlopsim.governance.record.merkle import consistency_proof, is_consistent, root_of
from mlopsim.governance.record.store import Stored
from mlopsim.governance.record.verdict import Finding, Level


@dataclass(frozen=True, kw_only=True)
class Anchor:
    """A head that was published, and where: the more places, the fewer can be rewritten by one hand."""

    head: Checkpoint
    source: str


def check_anchored(
    stored: Stored, cell: str, anchors: Sequence[Anchor], expected: Sequence[str] = ()
) -> Level:
    """Check a record against published heads.

    Each log must go on from each head of it that was published (consistency proof). It is anchored up to the
    newest of these; what came later is not, which is a note: somebody has yet to publish a head. Nothing
    comes after the end of a deployment.

    Parameters
    ----------
    stored : Stored
    cell : str
        Key of the cell that it should be of.
    anchors : sequence of Anchor
        Published heads, of both logs and of others, in any order. No head of a log is a finding: then nothing
        is anchored.
    expected : sequence of str
        Where heads must have been published: one that is gone is a finding.

    Returns
    -------
    Level
    """
    findings: list[Finding] = []
    notes: list[str] = []
    record = stored.record(cell)
    for tree in TREES:
        mine = sorted(
            (anchor for anchor in anchors if anchor.head.origin == origin_of(cell, tree)),
            key=lambda anchor: anchor.head.size,
        )
        if not mine:
            message = f"no head of the {tree} of cell {cell} was published: nothing is anchored"
            remedy = (
                "run with delivery.record=true (governed deployments: governance.record=true), or publish "
                "heads in time: mlopsim audit-log heads DIR"
            )
            findings.append(Finding(message=message, remedy=remedy))
            continue
        for place in expected:
            if place not in [anchor.source for anchor in mine]:
                message = f"{place} has no head of the {tree} of cell {cell}, and must have had one"
                remedy = "somebody removed it: trust the heads that were published elsewhere"
                findings.append(Finding(message=message, remedy=remedy))
        forks = _forks(mine, tree)
        if forks:
            findings += forks
            continue
        found, note = _check_tree(record.lines(tree), mine, tree)
        findings += found
        notes += note
    return Level(findings=findings, notes=notes)


def _forks(anchors: Sequence[Anchor], tree: str) -> list[Finding]:
    """Two heads of one size are two logs of one origin."""
    findings = []
    for first, second in itertools.pairwise(anchors):
        if first.head.size == second.head.size and first.head.root != second.head.root:
            message = (
                f"two heads of the {tree} were published with {first.head.size} records and different roots: "
                f"{first.source} says {encoded(first.head.root)}, {second.source} {encoded(second.head.root)}"
            )
            remedy = "there are two logs of one deployment: replay says which of them is true"
            findings.append(Finding(message=message, remedy=remedy))
    return findings


def _check_tree(
    lines: Sequence[bytes], anchors: Sequence[Anchor], tree: str
) -> tuple[list[Finding], list[str]]:
    leaves = [leaf_of(line) for line in lines]
    n, root = len(leaves), root_of(leaves)
    held = [anchor for anchor in anchors if goes_on_from(anchor.head, leaves, root)]
    broken = [anchor for anchor in anchors if anchor not in held]
    upto = max((anchor.head.size for anchor in held), default=0)
    where = "" if not upto else f"; up to record {upto - 1} it is what was published"
    if broken:
        anchor = broken[0]
        size = anchor.head.size
        if size > n:
            message = f"the {tree} are truncated: {n} records, {size} in the head of {anchor.source}{where}"
        else:
            message = f"the {tree} are not what {anchor.source} has a head of ({size} records){where}"
        remedy = "trust the published head: derive the record anew, and compare the two"
        return [Finding(message=message, remedy=remedy)], []
    if upto < n and ended(lines[upto - 1]):
        message = f"the {tree} go on after record {upto - 1}, where the published deployment had ended"
        remedy = "what stands behind it was written later: trust the published head"
        return [Finding(message=message, remedy=remedy)], []
    sources = ", ".join(dict.fromkeys(anchor.source for anchor in held))
    rest = "" if upto == n else f"; records {upto} to {n - 1} are not"
    return [], [f"{tree} anchored up to record {upto - 1}{rest} ({sources})"]


def ended(line: bytes) -> bool:
    """Return whether a line is the end of a deployment, behind which no record comes."""
    try:
        value = strict_json(line)
    except DataError:
        return False
    return isinstance(value, dict) and value.get("kind") == "end"


def goes_on_from(head: Checkpoint, leaves: list[bytes], root: bytes) -> bool:
    """Return whether a log begins with what a head is of, by a consistency proof.

    Examples
    --------
    >>> from mlopsim.governance.record.merkle import leaf_hash
    >>> leaves = [leaf_hash(bytes([i])) for i in range(5)]
    >>> head = Checkpoint(origin="a", size=3, root=root_of(leaves[:3]))
    >>> goes_on_from(head, leaves, root_of(leaves)), goes_on_from(head, leaves[:2], root_of(leaves[:2]))
    (True, False)
    """
    if head.size == 0:
        # every log goes on from nothing, and nothing is what this says of it
        return not leaves
    if head.size > len(leaves):
        return False
    proof = consistency_proof(leaves, head.size)
    return is_consistent(head.size, len(leaves), proof, head.root, root)
