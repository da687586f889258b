"""Shards of a grid: a part of its bundles for each machine of a job array, dealt by what they are."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mlopsim.core.digest import digest_bytes
from mlopsim.core.errors import ConfigError
from mlopsim.core.track import Cell, Track

#: numbers of shards that a text lists
SHOWN = 12


@dataclass(frozen=True, kw_only=True, order=True)
class Shard:
    """One of several parts of a grid, numbered from 1.

    Whole bundles are dealt (the cells of one World run on one machine, so methods that are compared by
    pairs stand on one platform), by the digest of their name alone: where a bundle goes depends neither on
    the order of the cells, nor on what else is compared, nor on what is done already.

    Parameters
    ----------
    number : int
        From 1 to ``of``.
    of : int
        How many there are.

    Raises
    ------
    ConfigError
        If there is no such shard.

    Examples
    --------
    >>> str(Shard.parse("3/16")), Shard.parse("1/1").holds("anything")
    ('3/16', True)
    >>> Shard.parse("17/16")
    Traceback (most recent call last):
    ...
    mlopsim.core.errors.ConfigError: there is no shard 17 of 16
      remedy: they are numbered 1/16 to 16/16; where an array counts from 0, add 1
    """

    number: int
    of: int

    def __post_init__(self) -> None:
        if self.of < 1:
            raise ConfigError(
                f"a grid cannot be dealt to {self.of} shards",
                remedy="write shard=3/16 for the third of sixteen",
            )
        if not 1 <= self.number <= self.of:
            raise ConfigError(
                f"there is no shard {self.number} of {self.of}",
                remedy=f"they are numbered 1/{self.of} to {self.of}/{self.of}; "
                "where an array counts from 0, add 1",
            )

    @classmethod
    def parse(cls, text: object) -> Shard:
        """Read ``"3/16"``."""
        if isinstance(text, Shard):
            return text
        found = re.fullmatch(r"\s*(\d{1,9})\s*/\s*(\d{1,9})\s*", str(text), flags=re.ASCII)
        if found is None:
            raise ConfigError(
                f"shard must be NUMBER/COUNT, got '{text}'",
                remedy="write shard=3/16 for the third of sixteen",
            )
        return cls(number=int(found.group(1)), of=int(found.group(2)))

    def __str__(self) -> str:
        """Return it as it is written."""
        return f"{self.number}/{self.of}"

    def holds(self, bundle: str) -> bool:
        """Tell whether a bundle belongs to this shard."""
        return place(bundle, self.of) == self.number

    def deal(self, cells: Iterable[Cell], track: Track) -> list[Cell]:
        """Return its cells, in their order."""
        return [cell for cell in cells if self.holds(track.bundle(cell))]


def place(bundle: str, of: int) -> int:
    """Return the number of the shard, from 1, that a bundle goes to.

    Examples
    --------
    >>> [place(f"world {n}", 4) for n in range(6)]
    [2, 4, 3, 2, 1, 4]
    """
    # 96 bits: the remainder is as good as uniform
    return int(digest_bytes(bundle.encode()), 16) % of + 1


def sizes(cells: Iterable[Cell], track: Track, of: int) -> list[int]:
    """Return how many cells each shard has."""
    counts = Counter(place(track.bundle(cell), of) for cell in cells)
    return [counts[number] for number in range(1, of + 1)]


def of_runs(runs: Iterable[Mapping[str, Any]], grid: str) -> list[Shard]:
    """Return the shards that runs of a grid were, each once, in order.

    Parameters
    ----------
    runs : iterable of mapping
        From :meth:`mlopsim.bench.ledger.Ledger.runs`.
    grid : str
        Digest of the grid.
    """
    found = {run["record"].get("shard") for run in runs if run["grid"] == grid}
    return sorted(Shard.parse(text) for text in found - {None})


def absent(present: Sequence[Shard]) -> str:
    """Say which shards are not among those that are there, or nothing.

    Examples
    --------
    >>> absent([Shard.parse("1/4"), Shard.parse("3/4")]), absent([Shard.parse("1/1")]), absent([])
    ('shards 2, 4 of 4', '', '')
    """
    said = []
    for of in sorted({shard.of for shard in present}):
        lost = sorted(set(range(1, of + 1)) - {shard.number for shard in present if shard.of == of})
        if lost:
            shown = ", ".join(map(str, lost[:SHOWN])) + (
                f" and {len(lost) - SHOWN} more" if len(lost) > SHOWN else ""
            )
            said.append(f"shard{'s' if len(lost) > 1 else ''} {shown} of {of}")
    return ", ".join(said)
