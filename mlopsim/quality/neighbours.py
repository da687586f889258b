"""An index of reference rows that gives the distances to the nearest ones."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

#: columns above which products by the linear algebra library are faster than blocks
MANY = 6
#: rows that are asked for at a time where products are used: bounds the memory
CHUNK = 256


@dataclass(frozen=True, kw_only=True)
class Neighbours:
    """Reference rows, prepared for questions; build it with :meth:`of`.

    The distances to a row do not depend on which other rows are asked for with it.

    Parameters
    ----------
    rows : ndarray of float64, shape (n, d)
        Finite, below 1e15 in size.
    blocks, low, high : ndarray of float64
        See :func:`mlopsim.quality.kernels.neighbours.by_blocks`; empty with many columns.

    Examples
    --------
    >>> index = Neighbours.of(np.array([[0.0, 0.0], [3.0, 4.0], [6.0, 8.0]]))
    >>> index.distances(np.array([[0.0, 0.0], [3.0, 5.0]]), 2).round(3)
    array([[0.   , 5.   ],
           [1.   , 4.243]])
    """

    rows: np.ndarray
    blocks: np.ndarray
    low: np.ndarray
    high: np.ndarray

    @classmethod
    def of(cls, rows: np.ndarray) -> Neighbours:
        """Build an index of rows (n, d), n > 0."""
        from mlopsim.quality.kernels.neighbours import BLOCK

        n, d = rows.shape
        rows = np.ascontiguousarray(rows)
        if d > MANY:
            return cls(rows=rows, blocks=np.empty(0), low=np.empty(0), high=np.empty(0))
        leaves, left = [], [np.arange(n)]
        while left:
            places = left.pop()
            if len(places) <= BLOCK:
                leaves.append(places)
                continue
            some = rows[places]
            widest = int(np.argmax(some.max(axis=0) - some.min(axis=0))) if d else 0
            # whole blocks on the left, so that few places stay empty
            middle = BLOCK * max(1, round(len(places) / (2 * BLOCK)))
            order = np.argpartition(some[:, widest], middle) if d else np.arange(len(places))
            left += [places[order[middle:]], places[order[:middle]]]
        blocks = np.full((len(leaves), d, BLOCK), np.inf)
        low, high = np.empty((d, len(leaves))), np.empty((d, len(leaves)))
        for b, places in enumerate(leaves):
            some = rows[places].T
            blocks[b, :, : len(places)] = some
            low[:, b], high[:, b] = some.min(axis=1), some.max(axis=1)
        return cls(rows=rows, blocks=blocks, low=low, high=high)

    def distances(self, asked: np.ndarray, k: int) -> np.ndarray:
        """Return the distances to the k nearest reference rows, rising, float64 (len(asked), k); k <= n."""
        from mlopsim.quality.kernels.neighbours import by_blocks

        asked = np.ascontiguousarray(asked)
        best = np.empty((len(asked), k))
        if self.rows.shape[1] > MANY:
            self._by_products(asked, best)
        else:
            by_blocks(self.blocks, self.low, self.high, asked, best)
        return np.sqrt(best, out=best)

    def _by_products(self, asked: np.ndarray, best: np.ndarray) -> None:
        from mlopsim.quality.kernels.neighbours import by_products

        d = self.rows.shape[1]
        centre = self.rows.mean(axis=0)
        theirs = (self.rows - centre).astype(np.float32)
        norms = np.einsum("ij,ij->i", theirs, theirs)
        largest = float(np.sqrt(norms.max()))
        columns = np.ascontiguousarray(theirs.T)
        for start in range(0, len(asked), CHUNK):
            chunk = asked[start : start + CHUNK]
            ours = (chunk - centre).astype(np.float32)
            length = np.sqrt(np.einsum("ij,ij->i", ours, ours)).astype(np.float64)
            # twice the bound (d + 8) half units of single precision, doubled as the lengths are rounded, too;
            # the last term is for numbers too small for single precision
            margin = 4.0 * (d + 8) * 2.0**-24 * (length + largest) ** 2 + 1e-36
            ours *= np.float32(-2.0)
            by_products(
                self.rows,
                chunk,
                ours @ columns,
                norms,
                margin.astype(np.float32),
                best[start : start + CHUNK],
            )
