"""Distances to the nearest rows, exactly."""

from __future__ import annotations

import numpy as np
from numba import njit

#: rows of a block
BLOCK = 32


@njit(cache=True)
def insert(best: np.ndarray, value: float) -> None:
    """Insert a value below the largest into ``best`` (k,), rising; the largest falls out."""
    at = len(best) - 1
    while at > 0 and best[at - 1] > value:
        best[at] = best[at - 1]
        at -= 1
    best[at] = value


@njit(cache=True)
def by_blocks(
    blocks: np.ndarray, low: np.ndarray, high: np.ndarray, asked: np.ndarray, best: np.ndarray
) -> None:
    """Write the k smallest squared distances of each row of ``asked`` (n, d) into ``best`` (n, k), rising.

    The m blocks (m, d, BLOCK) hold the reference rows in columns, infinite where there are fewer; their rows
    lie between ``low`` and ``high`` (d, m). A block no nearer than the k-th row so far is left out: its bound
    is summed in the order of the distances, so that rounding cannot put it above one of them.
    """
    m, d, _ = blocks.shape
    k = best.shape[1]
    bound, distance = np.empty(m), np.empty(BLOCK)
    for a in range(len(asked)):
        bound[:] = 0.0
        for j in range(d):
            value = asked[a, j]
            for b in range(m):
                gap = max(max(low[j, b] - value, value - high[j, b]), 0.0)
                bound[b] += gap * gap
        found = best[a]
        found[:] = np.inf
        first = int(np.argmin(bound))
        for step in range(m):
            # the nearest block first, the others in their order
            b = first if step == 0 else (step - 1 if step <= first else step)
            if bound[b] >= found[k - 1]:
                continue
            block = blocks[b]
            distance[:] = 0.0
            for j in range(d):
                value = asked[a, j]
                for i in range(BLOCK):
                    gap = block[j, i] - value
                    distance[i] += gap * gap
            for i in range(BLOCK):
                if distance[i] < found[k - 1]:
                    insert(found, distance[i])


@njit(cache=True)
def by_products(
    reference: np.ndarray,
    asked: np.ndarray,
    products: np.ndarray,
    norms: np.ndarray,
    margin: np.ndarray,
    best: np.ndarray,
) -> None:
    """Write the k smallest squared distances of each row of ``asked`` (b, d) into ``best`` (b, k), rising.

    Parameters
    ----------
    reference : ndarray of float64, shape (n, d)
    asked : ndarray of float64, shape (b, d)
    products : ndarray of float32, shape (b, n)
        Minus two times the inner products.
    norms : ndarray of float32, shape (n,)
        Squared norms of the reference rows. A distance is about the sum of both, up to what is the same for
        all reference rows.
    margin : ndarray of float32, shape (b,)
        Twice the largest error of that sum: only rows within it of the k-th smallest can be among the
        nearest, and only for these are distances computed.
    best : ndarray of float64, shape (b, k)
    """
    n, d = reference.shape
    k = best.shape[1]
    smallest = np.empty(k, dtype=np.float32)
    rough = np.empty(n, dtype=np.float32)
    group = np.empty(n // BLOCK + 1, dtype=np.float32)
    whole = d - d % 4
    for a in range(len(asked)):
        for i in range(n):
            rough[i] = products[a, i] + norms[i]
        smallest[:] = np.inf
        for g in range(len(group)):
            least = np.float32(np.inf)
            for i in range(g * BLOCK, min((g + 1) * BLOCK, n)):
                least = min(least, rough[i])
            group[g] = least
            if least < smallest[k - 1]:
                for i in range(g * BLOCK, min((g + 1) * BLOCK, n)):
                    if rough[i] < smallest[k - 1]:
                        insert(smallest, rough[i])
        enough = smallest[k - 1] + margin[a]
        found = best[a]
        found[:] = np.inf
        for g in range(len(group)):
            if group[g] > enough:
                continue
            for i in range(g * BLOCK, min((g + 1) * BLOCK, n)):
                if rough[i] > enough:
                    continue
                # four sums, so that additions do not wait for each other
                one, two, three, four = 0.0, 0.0, 0.0, 0.0
                for j in range(0, whole, 4):
                    one += (reference[i, j] - asked[a, j]) ** 2
                    two += (reference[i, j + 1] - asked[a, j + 1]) ** 2
                    three += (reference[i, j + 2] - asked[a, j + 2]) ** 2
                    four += (reference[i, j + 3] - asked[a, j + 3]) ** 2
                for j in range(whole, d):
                    one += (reference[i, j] - asked[a, j]) ** 2
                total = (one + two) + (three + four)
                if total < found[k - 1]:
                    insert(found, total)
