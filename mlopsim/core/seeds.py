"""Seeds per axis: every method meets the same scenarios, no method sees another's numbers."""

from __future__ import annotations

from enum import IntEnum

import numpy as np

from mlopsim.core.errors import ConfigError


class Axis(IntEnum):
    """What a seed is for; each axis is a separate branch of the seed tree."""

    SCENARIO = 1
    LEARNER = 2
    METHOD = 3
    REPETITION = 4
    OBSERVATION = 5
    CORRUPTION = 6
    CALIBRATION = 7
    BOOTSTRAP = 8


class Split(IntEnum):
    """Which part of the scenarios: the three branches are disjoint by construction."""

    TRAIN = 1
    VALIDATION = 2
    TEST = 3

    @classmethod
    def parse(cls, name: str | Split) -> Split:
        """Return the split of that name.

        Examples
        --------
        >>> Split.parse("test").name
        'TEST'
        """
        if isinstance(name, Split):
            return name
        try:
            return cls[name.upper()]
        except KeyError:
            known = ", ".join(split.name.lower() for split in cls)
            raise ConfigError(f"unknown split '{name}'", remedy=f"one of: {known}") from None


def seed_sequence(axis: Axis, split: Split, index: int, *extra: int, root: int = 0) -> np.random.SeedSequence:
    """Return the seed of one axis, split and index.

    Parameters
    ----------
    axis : Axis
        Scenario, learner, method, ...
    split : Split
        Training, validation or test.
    index : int
        Number of the seed, from 0.
    *extra : int
        Further keys (for a method: the words of its identity, see :mod:`mlopsim.core.identity`).
    root : int, default 0
        Root entropy of the whole study.

    Returns
    -------
    numpy.random.SeedSequence
        Its ``spawn_key`` is (axis, split, index, *extra).

    Examples
    --------
    >>> seed_sequence(Axis.SCENARIO, Split.TEST, 3).spawn_key
    (1, 3, 3)
    """
    if index < 0:
        raise ConfigError(f"a seed index must be >= 0, got {index}")
    return np.random.SeedSequence(root, spawn_key=(int(axis), int(split), int(index), *extra))


def digest_words(text: str) -> tuple[int, int]:
    """Turn a hexadecimal digest into two 32-bit words for a spawn key.

    Examples
    --------
    >>> digest_words("0000000100000002ffff")
    (1, 2)
    """
    return int(text[:8], 16), int(text[8:16], 16)


def seed_int(sequence: np.random.SeedSequence) -> int:
    """Return one 32-bit integer for libraries that take nothing better.

    Examples
    --------
    >>> seed_int(np.random.SeedSequence(0)) == seed_int(np.random.SeedSequence(0))
    True
    """
    return int(sequence.generate_state(1)[0])
