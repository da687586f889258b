"""A stream that is one of several, as the seed has it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from mlopsim.core.errors import ConfigError
from mlopsim.core.registry import register
from mlopsim.core.spec import make, part
from mlopsim.core.track import Attribute
from mlopsim.streams.layout import branch
from mlopsim.streams.stream import Stream

#: branch of the seed that draws which one; no stream draws from it
WHICH = 1000


@register("stream", "one_of")
@dataclass(kw_only=True)
class OneOf:
    """Each scenario is one of several streams, all equally likely; name one twice to make it likelier.

    The rows are those that the drawn stream gives for the same seed alone, to the bit, with all truth about
    them. Meant for what is trained on many kinds of scenarios.

    Parameters
    ----------
    streams : list of specs of streams, default a population that stays and one whose rule changes
        Of equal size, features, classes and groups.

    Examples
    --------
    >>> source = OneOf()
    >>> seeds = [np.random.SeedSequence(k) for k in range(4)]
    >>> [source.which(seed) for seed in seeds]
    [0, 1, 0, 1]
    >>> alone = source.drawn(seeds[1]).generate(seeds[1])
    >>> bool((source.generate(seeds[1]).X == alone.X).all())
    True
    """

    streams: list[Any] = part("stream", ["population", {"population": {"rule": "abrupt"}}], many=True)

    def __post_init__(self) -> None:
        if not self.streams:
            raise ConfigError("stream/one_of.streams is empty", remedy="name at least one")
        members = [make("stream", spec) for spec in self.streams]
        for member in members[1:]:
            for name in ("windows", "warmup"):
                sizes = [getattr(_clean_part(one), name, None) for one in (members[0], member)]
                if None not in sizes and sizes[0] != sizes[1]:
                    raise ConfigError(
                        f"stream/one_of: its streams differ in {name}: {sizes[0]} and {sizes[1]}",
                        remedy="streams of equal size",
                    )

    @property
    def real(self) -> bool:
        """Whether rows of one of them are given, not drawn from a known law."""
        return any(bool(getattr(make("stream", spec), "real", False)) for spec in self.streams)

    def facts(self) -> dict[str, Attribute]:
        """Return how many there are.

        Examples
        --------
        >>> OneOf().facts()
        {'scenario': 'one of 2'}
        """
        return {"scenario": f"one of {len(self.streams)}"}

    def content(self) -> dict[str, Any]:
        """Return what identifies the rows of those that have such."""
        members = [make("stream", spec) for spec in self.streams]
        return {
            str(number): member.content()
            for number, member in enumerate(members)
            if hasattr(member, "content")
        }

    def which(self, seed: np.random.SeedSequence) -> int:
        """Return the number of the stream that a seed draws."""
        return int(np.random.default_rng(branch(seed, WHICH)).integers(len(self.streams)))

    def drawn(self, seed: np.random.SeedSequence) -> Any:
        """Return the stream that a seed draws."""
        return make("stream", self.streams[self.which(seed)])

    def clean(self, seed: np.random.SeedSequence) -> Stream:
        """Draw the rows without errors that were put in, as the drawn stream has them."""
        source = self.drawn(seed)
        found: Stream = source.clean(seed) if hasattr(source, "clean") else source.generate(seed)
        return found

    def generate(self, seed: np.random.SeedSequence) -> Stream:
        """Draw which stream, and its rows.

        Parameters
        ----------
        seed : numpy.random.SeedSequence
            Of the scenario.

        Returns
        -------
        Stream
        """
        found: Stream = self.drawn(seed).generate(seed)
        return found


def _clean_part(source: Any) -> Any:
    """Return the stream that says how large it is."""
    while hasattr(source, "uncorrupted") or isinstance(source, OneOf):
        source = make("stream", source.streams[0] if isinstance(source, OneOf) else source.uncorrupted())
    return source
