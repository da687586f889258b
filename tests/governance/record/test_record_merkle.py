"""The tree is that of RFC 6962: by its recursive definition, by every tampering, by the published vectors."""

from __future__ import annotations

import base64
import json
import os
from pathlib import Path

import pytest

from mlopsim.governance.record.merkle import (
    EMPTY,
    consistency_proof,
    inclusion_proof,
    is_consistent,
    is_included,
    leaf_hash,
    node_hash,
    root_of,
)

LEAVES = [leaf_hash(bytes([i])) for i in range(33)]


def definition(leaves: list[bytes]) -> bytes:
    """RFC 6962, 2.1, word by word."""
    if not leaves:
        return EMPTY
    if len(leaves) == 1:
        return leaves[0]
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    return node_hash(definition(leaves[:k]), definition(leaves[k:]))


def test_hashes_that_are_published() -> None:
    """Of transparency-dev/merkle (Apache-2.0): the empty tree, leaves, a node."""
    assert EMPTY.hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert leaf_hash(b"").hex().startswith("6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d")
    assert leaf_hash(b"L123456").hex().startswith("395aa064")
    assert node_hash(b"N123", b"N456").hex().startswith("aa217fe8")


@pytest.mark.parametrize("n", range(1, len(LEAVES)))
def test_roots_and_proofs_of_every_size(n: int) -> None:
    leaves = LEAVES[:n]
    root = root_of(leaves)
    assert root == definition(leaves)
    for i in range(n):
        assert is_included(leaves[i], i, n, inclusion_proof(leaves, i), root)
        old = definition(leaves[: i + 1])
        assert is_consistent(i + 1, n, consistency_proof(leaves, i + 1), old, root)


@pytest.mark.parametrize(("n", "m"), [(1, 1), (2, 1), (7, 3), (8, 4), (8, 8), (13, 6), (21, 20)])
def test_no_other_proof_holds(n: int, m: int) -> None:
    """One value that is changed, too many, or missing, and the proof does not hold."""
    leaves, other = LEAVES[:n], leaf_hash(b"other")
    root, old = root_of(leaves), root_of(leaves[:m])
    inside, growth = inclusion_proof(leaves, m - 1), consistency_proof(leaves, m)
    wrong_inside = [
        (other, m - 1, n, inside, root),
        (leaves[m - 1], m, n, inside, root),
        (leaves[m - 1], -1, n, inside, root),
        (leaves[m - 1], m - 1, n, [*inside, other], root),
        (leaves[m - 1], m - 1, n, [other, *inside], root),
        (leaves[m - 1], m - 1, n, inside, other),
        (leaves[m - 1], m - 1, 0, inside, root),
        *(
            (leaves[m - 1], m - 1, n, [*inside[:i], other, *inside[i + 1 :]], root)
            for i in range(len(inside))
        ),
        *((leaves[m - 1], m - 1, n, [*inside[:i], *inside[i + 1 :]], root) for i in range(len(inside))),
    ]
    assert not any(is_included(*case) for case in wrong_inside)
    wrong_growth = [
        (m, n, growth, other, root),
        (m, n, growth, old, other),
        (m, n, [*growth, other], old, root),
        (m, n, [other, *growth], old, root),
        (0, n, growth, EMPTY, root),
        (n + 1, n, growth, old, root),
        *((m, n, [*growth[:i], other, *growth[i + 1 :]], old, root) for i in range(len(growth))),
        *((m, n, [*growth[:i], *growth[i + 1 :]], old, root) for i in range(len(growth))),
        *([(m - 1, n, growth, old, root), (m + 1, n, growth, old, root)] if m < n else []),
    ]
    assert not any(is_consistent(*case) for case in wrong_growth)


def test_what_is_not_there_has_no_proof() -> None:
    for index in (-1, 3):
        with pytest.raises(IndexError):
            inclusion_proof(LEAVES[:3], index)
    for size in (0, 4):
        with pytest.raises(IndexError):
            consistency_proof(LEAVES[:3], size)


def test_the_published_vectors() -> None:
    """All 196 of transparency-dev/merkle, most of them tampered."""
    folder = os.environ.get("MLOPSIM_DATA")
    path = Path(folder or "nowhere") / "merkle_vectors.jsonl"
    if not path.is_file():
        pytest.skip("MLOPSIM_DATA names no folder with merkle_vectors.jsonl")

    def raw(text: str | None) -> bytes:
        return base64.b64decode(text or "")

    wrong, cases = [], [json.loads(line) for line in path.read_text().splitlines()]
    for case in cases:
        proof = [raw(part) for part in case["proof"] or []]
        if case["kind"] == "inclusion":
            place = raw(case["leafHash"]), case["leafIdx"], case["treeSize"]
            holds = is_included(*place, proof, raw(case["root"]))
        else:
            sizes = case["size1"], case["size2"]
            holds = is_consistent(*sizes, proof, raw(case["root1"]), raw(case["root2"]))
        wrong += [case["name"]] if holds == case["wantErr"] else []
    assert len(cases) == 196 and not wrong, wrong
