"""The contract of biases: how one group comes to be treated, served or measured unlike another."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from mlopsim.streams.stream import Norm


@dataclass(frozen=True, kw_only=True)
class People:
    """Rows before any bias: who they are, and the random numbers that any bias may need.

    The same seed gives the same people whatever the bias and its strength.

    Parameters
    ----------
    first, second : ndarray of int64, shape (n,)
        Values 0 and 1 of the two protected attributes; the second is 0 where there is one only.
    merit : ndarray of float64, shape (n, d)
        The features that labels depend on, as they really are.
    noise : ndarray of float64, shape (n,)
        Standard normal: what labels depend on beside the merits.
    strength : ndarray of float64, shape (n,)
        Strength of the bias when the row is drawn, 0 and more; 0: there is none.
    u, v : ndarray of float64, shape (n,)
        Uniform in [0, 1), independent of all else.
    """

    first: np.ndarray
    second: np.ndarray
    merit: np.ndarray
    noise: np.ndarray
    strength: np.ndarray
    u: np.ndarray
    v: np.ndarray

    def __len__(self) -> int:
        return len(self.noise)


@dataclass(kw_only=True)
class Bias:
    """Base of all biases (kind ``bias``). At strength 0 none of them changes anything.

    A subclass overrides what it changes, in this order: merits before labels are drawn, the rule of
    the labels, the labels that are written down, the features that are measured, and which rows reach
    the training data. Methods are pure functions and change nothing that they are given.

    Attributes
    ----------
    norm : Norm
        The norm that it violates.
    two_attributes : bool
        Whether it needs a second protected attribute.
    twin : str
        Name of a bias under which, with the same parameters and people, the features are the same while the
        labels are not; empty: there is none.
    fools : bool
        Whether the model is built to deceive explanations: the bias is in the model, not in the rows.
    """

    norm: ClassVar[Norm]
    two_attributes: ClassVar[bool] = False
    twin: ClassVar[str] = ""
    fools: ClassVar[bool] = False
    full_name: ClassVar[str]
    name: ClassVar[str]

    def hit(self, people: People) -> np.ndarray:
        """Return who is affected, bool (n,): by default those whose first attribute is 1."""
        found: np.ndarray = people.first == 1
        return found

    def move(self, people: People) -> np.ndarray:
        """Return the merits, float64 (n, d), from which labels are drawn."""
        return people.merit

    def direction(self, people: People, weights: np.ndarray) -> np.ndarray:
        """Return what labels weigh merits with, float64 (d,) or (n, d), each of length 1.

        ``weights`` are those of everybody, (d,), or (n, d) where the rule itself changes.
        """
        return weights

    def record(self, people: People, margin: np.ndarray) -> np.ndarray:
        """Return the labels that are written down, int64 (n,), given by how much rows clear the bar, (n,).

        The true label is 1 where the margin, noise included, is above 0.
        """
        found: np.ndarray = (margin > 0.0).astype(np.int64)
        return found

    def measure(self, people: People, merit: np.ndarray) -> np.ndarray:
        """Return the features as they are measured, float64 (n, d), NaN where missing; not in place."""
        return merit

    def kept(self, people: People) -> np.ndarray:
        """Return which rows can be trained on, bool (n,)."""
        return np.ones(len(people), dtype=np.bool_)

    def check(self, features: tuple[str, ...]) -> None:
        """Raise ConfigError if the bias cannot work with these features."""

    def responsible(self, features: tuple[str, ...]) -> tuple[int, ...]:
        """Return the places of the features through which a model takes the bias on; there may be none."""
        return ()


def place_of(features: tuple[str, ...]) -> tuple[int, ...]:
    """Return the place of the feature that tells the group, if there is one.

    Examples
    --------
    >>> place_of(("m0", "place")), place_of(("m0",))
    ((1,), ())
    """
    return tuple(j for j, name in enumerate(features) if name == "place")


def turned(weights: np.ndarray, degrees: np.ndarray, first: int = 0) -> np.ndarray:
    """Turn a direction towards that of one feature less the next.

    Parameters
    ----------
    weights : ndarray of float64, shape (d,) or (n, d)
        Of length 1, those of the two features being equal.
    degrees : ndarray of float64, shape (n,)
    first : int, default 0
        Place of the first of the two features.

    Returns
    -------
    ndarray of float64, shape (n, d)
        Of length 1; where the angle is 0, the weights to the bit.

    Examples
    --------
    >>> turned(np.array([1.0, 1.0]) / np.sqrt(2), np.array([0.0, 45.0, 90.0])).round(3)
    array([[ 0.707,  0.707],
           [ 1.   ,  0.   ],
           [ 0.707, -0.707]])
    """
    side = np.zeros(weights.shape[-1])
    side[first : first + 2] = np.sqrt(0.5), -np.sqrt(0.5)
    angle = np.radians(degrees)[:, None]
    found: np.ndarray = np.where(angle == 0.0, weights, np.cos(angle) * weights + np.sin(angle) * side)
    return found
