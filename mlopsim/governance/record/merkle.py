"""The Merkle tree of RFC 6962 (and 9162): root, inclusion and consistency proofs, by hashlib.

A leaf is hashed with a first byte 00, a node with 01, so that no leaf can pass for a node.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

#: bytes of a hash
SIZE = 32
#: root of a tree without leaves
EMPTY = hashlib.sha256().digest()


def leaf_hash(data: bytes) -> bytes:
    """Return the hash of a leaf.

    Examples
    --------
    >>> leaf_hash(b"").hex()[:8], leaf_hash(b"L123456").hex()[:8]
    ('6e340b9c', '395aa064')
    """
    return hashlib.sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return the hash of a node over its two children.

    Examples
    --------
    >>> node_hash(b"N123", b"N456").hex()[:8]
    'aa217fe8'
    """
    return hashlib.sha256(b"\x01" + left + right).digest()


def _split(n: int) -> int:
    """Return the largest power of two below n, for n > 1: the leaves of the left subtree."""
    return 1 << ((n - 1).bit_length() - 1)


def root_of(leaves: Sequence[bytes]) -> bytes:
    """Return the root of a tree.

    Parameters
    ----------
    leaves : sequence of bytes
        Hashes of the leaves, in order.

    Examples
    --------
    >>> root_of([]).hex()[:8], root_of([leaf_hash(b"")]).hex()[:8]
    ('e3b0c442', '6e340b9c')
    """
    level = list(leaves)
    if not level:
        return EMPTY
    while len(level) > 1:
        # a last node without a neighbour moves up as it is
        odd = level[-1:] if len(level) % 2 else []
        level = [node_hash(level[i], level[i + 1]) for i in range(0, len(level) - 1, 2)] + odd
    return level[0]


def inclusion_proof(leaves: Sequence[bytes], index: int) -> list[bytes]:
    """Return the hashes that lead from one leaf to the root (RFC 6962, 2.1.1), from the leaf's sibling up.

    Raises
    ------
    IndexError
        If there is no such leaf.

    Examples
    --------
    >>> leaves = [leaf_hash(bytes([i])) for i in range(5)]
    >>> proof = inclusion_proof(leaves, 4)
    >>> len(proof), is_included(leaves[4], 4, 5, proof, root_of(leaves))
    (1, True)
    """
    if not 0 <= index < len(leaves):
        raise IndexError(f"no leaf {index} in a tree of {len(leaves)}")
    proof: list[bytes] = []
    first, last = 0, len(leaves)
    while last - first > 1:
        middle = first + _split(last - first)
        if index < middle:
            proof.append(root_of(leaves[middle:last]))
            last = middle
        else:
            proof.append(root_of(leaves[first:middle]))
            first = middle
    return proof[::-1]


def consistency_proof(leaves: Sequence[bytes], size: int) -> list[bytes]:
    """Return the hashes that show that a tree begins with its first ``size`` leaves (RFC 6962, 2.1.2).

    Raises
    ------
    IndexError
        If the tree has fewer leaves, or ``size`` is below 1: nothing is shown of an empty tree.

    Examples
    --------
    >>> leaves = [leaf_hash(bytes([i])) for i in range(7)]
    >>> proof = consistency_proof(leaves, 3)
    >>> len(proof), is_consistent(3, 7, proof, root_of(leaves[:3]), root_of(leaves))
    (4, True)
    """
    if not 0 < size <= len(leaves):
        raise IndexError(f"no beginning of {size} leaves in a tree of {len(leaves)}")
    proof: list[bytes] = []
    first, last, whole = 0, len(leaves), True
    # down to the subtree whose leaves are the last ones of the older tree
    while size != last - first:
        middle = first + _split(last - first)
        if size <= middle - first:
            proof.append(root_of(leaves[middle:last]))
            last = middle
        else:
            proof.append(root_of(leaves[first:middle]))
            size -= middle - first
            first, whole = middle, False
    if not whole:
        # the verifier knows it already where it is the older tree itself
        proof.append(root_of(leaves[first:last]))
    return proof[::-1]


def is_included(leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> bool:
    """Return whether a proof leads from a leaf at ``index`` to the root of a tree of ``size`` leaves.

    The algorithm of RFC 9162, 2.1.3.2.

    Examples
    --------
    >>> is_included(leaf_hash(b""), 0, 1, [], leaf_hash(b""))
    True
    >>> is_included(leaf_hash(b""), 1, 1, [], leaf_hash(b""))
    False
    """
    if not 0 <= index < size or len(leaf) != SIZE or any(len(part) != SIZE for part in proof):
        return False
    place, last, found = index, size - 1, leaf
    for part in proof:
        if last == 0:
            return False
        if place & 1 or place == last:
            found = node_hash(part, found)
            while place and not place & 1:
                place, last = place >> 1, last >> 1
        else:
            found = node_hash(found, part)
        place, last = place >> 1, last >> 1
    return last == 0 and found == root


def is_consistent(size: int, new_size: int, proof: Sequence[bytes], root: bytes, new_root: bytes) -> bool:
    """Return whether a proof shows that a tree began with the leaves of an older one.

    The algorithm of RFC 9162, 2.1.4.2. A proof about an empty tree shows nothing and is refused.

    Parameters
    ----------
    size, new_size : int
        Leaves of the older and of the newer tree.
    proof : sequence of bytes
    root, new_root : bytes
        Their roots.

    Examples
    --------
    >>> is_consistent(1, 1, [], leaf_hash(b""), leaf_hash(b"")), is_consistent(0, 1, [], EMPTY, EMPTY)
    (True, False)
    """
    if not 0 < size <= new_size:
        return False
    if size == new_size:
        return not proof and root == new_root
    if any(len(part) != SIZE for part in (root, *proof)):
        return False
    path = list(proof)
    if size & (size - 1) == 0:
        # the older tree is a whole subtree: its root is where the path starts
        path.insert(0, root)
    if not path:
        return False
    place, last = size - 1, new_size - 1
    while place & 1:
        place, last = place >> 1, last >> 1
    old = new = path[0]
    for part in path[1:]:
        if last == 0:
            return False
        if place & 1 or place == last:
            old, new = node_hash(part, old), node_hash(part, new)
            while place and not place & 1:
                place, last = place >> 1, last >> 1
        else:
            new = node_hash(new, part)
        place, last = place >> 1, last >> 1
    return last == 0 and old == root and new == new_root
