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

#: branch of the seed that draws which one; no other stream draws from it or those behind it
WHICH = 1000


@register("stream", "one_of")
@dataclass(kw_only=True)
class OneOf:
    """Each scenario is one of several streams, all equally likely; name one twice to make it likelier.

    The rows are those that the drawn stream gives for the same seed alone, to the bit, with all truth about
    them. Meant for what is trained on many kinds of scenarios. Streams of this kind may be among them: what
    these draw does not hang on what was drawn before.

    Of S streams each has the probability :math:`1 / S`.

    Parameters
    ----------
    streams : list of specs of streams, default a population that stays and one whose rule changes
        Of equal size, features, classes and groups.

    Attributes
    ----------
    height : int
        How many such choices there are at most behind this one.

    Notes
    -----
    Use it for training scenarios of several kinds; not for a task, whose scenarios would differ in kind.

    Examples
    --------
    >>> source = OneOf()
    >>> seeds = [np.random.SeedSequence(k) for k in range(4)]
    >>> [source.which(seed) for seed in seeds]
    [1, 0, 0, 1]
    >>> alone = source.drawn(seeds[1]).generate(seeds[1])
    >>> bool((source.generate(seeds[1]).X == alone.X).all())
    True
    """

    streams: list[Any] = part("stream", ["population", {"population": {"rule": "abrupt"}}], many=True)

    def __post_init__(self) -> None:
        if not self.streams:
            raise ConfigError("stream/one_of.streams is empty", remedy="name at least one")
        self._members = [make("stream", spec) for spec in self.streams]
        self.height = max(_height(member) for member in self._members)
        for member in self._members[1:]:
            for name in ("windows", "warmup"):
                sizes = [getattr(_clean_part(one), name, None) for one in (self._members[0], member)]
                if None not in sizes and sizes[0] != sizes[1]:
                    raise ConfigError(
                        f"stream/one_of: its streams differ in {name}: {sizes[0]} and {sizes[1]}",
                        remedy="streams of equal size",
                    )

    @property
    def real(self) -> bool:
        """Whether rows of one of them are given, not drawn from a known law."""
        return any(bool(getattr(member, "real", False)) for member in self._members)

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
        return {
            str(number): member.content()
            for number, member in enumerate(self._members)
            if hasattr(member, "content")
        }

    def which(self, seed: np.random.SeedSequence) -> int:
        """Return the number of the stream that a seed draws."""
        rng = np.random.default_rng(branch(seed, WHICH + self.height))
        return int(rng.integers(len(self.streams)))

    def drawn(self, seed: np.random.SeedSequence) -> Any:
        """Return the stream that a seed draws, which may draw one itself."""
        return self._members[self.which(seed)]

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


def _height(source: Any) -> int:
    """Return how many choices a stream makes at most, one behind the other."""
    if isinstance(source, OneOf):
        return 1 + source.height
    return _height(source.innermost) if hasattr(source, "innermost") else 0


def _clean_part(source: Any) -> Any:
    """Return the stream that says how large it is."""
    while hasattr(source, "innermost") or isinstance(source, OneOf):
        source = source._members[0] if isinstance(source, OneOf) else source.innermost
    return source
