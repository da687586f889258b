"""Counterfactuals: which single quantity would have had to be how different for another answer.

Every counterfactual that is returned was verified: the policy was run on the changed observation, after its
true past, and gave the other answer; and on the neighbouring admissible value it still gave its own.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from mlopsim.governance.explained.consistent import Quantity, quantities
from mlopsim.governance.explained.history import History

#: values of a quantity that are tried before the search narrows down
POINTS = 64


@dataclass(frozen=True, kw_only=True)
class Counterfactual:
    """A change of one quantity, all else equal, with which the policy answers otherwise.

    Parameters
    ----------
    quantity : Quantity
        What changes.
    value : float
        Admissible value with the other answer.
    still : float
        The neighbouring value, on the side of the present one, with the same answer as now.
    answer : int
        The other answer, carried out (0 where it is impossible).
    how : str
        ``closed form``: nearest by the lines of an affine score; ``leaf boxes``: nearest by a tree's
        thresholds; ``bisection``: nearest of what was tried, an island between two points may be missed.
    """

    quantity: Quantity
    value: float
    still: float
    answer: int
    how: str

    @property
    def move(self) -> float:
        """Size of the change as a share of all that is admissible."""
        width = max(self.quantity.high - self.quantity.low, 1e-12)
        return abs(self.value - self.quantity.value) / width


@dataclass(kw_only=True)
class _Side:
    """The search on one side of the present value: positions on the grid, near ones first."""

    quantity: Quantity
    grid: np.ndarray
    how: str
    tried: list[int]
    inner: int = -1
    outer: int = -1
    answer: int = -1


def counterfactuals(history: History, step: int, points: int = POINTS) -> list[Counterfactual]:
    """Return the nearest change of each quantity that can change alone, the smallest first.

    Parameters
    ----------
    history : History
        The deployment as the policy met it.
    step : int
        Number of the decision.
    points : int
        Values that are tried on either side where there is no closed form.

    Returns
    -------
    list of Counterfactual
        At most one for each side of each quantity. Quantities made of labels are left out for a policy that
        reads errors row by row, and all for one that reads raw inputs: it would see the same rows still.
    """
    policy = history.policy
    if getattr(policy, "uses_inputs", False):
        return []
    obs = history.views[step].obs[0]
    interface = history.interface
    found = quantities(interface.names, obs, interface.deployment)
    if getattr(policy, "uses_errors", True):
        found = [quantity for quantity in found if not quantity.of_labels]
    own = int(history.ask(step, obs[None, :])[0][0])
    sides = [side for quantity in found for side in _sides(history, step, quantity, own, points)]
    _try(history, step, obs, own, sides)
    _narrow(history, step, obs, own, sides)
    result = [
        Counterfactual(
            quantity=side.quantity,
            value=float(side.grid[side.outer]),
            still=float(side.grid[side.inner]) if side.inner >= 0 else side.quantity.value,
            answer=side.answer,
            how=side.how,
        )
        for side in sides
        if side.outer >= 0
    ]
    return sorted(result, key=lambda each: (each.move, each.quantity.name))


def _sides(history: History, step: int, quantity: Quantity, own: int, points: int) -> list[_Side]:
    """Choose the values to be tried below and above the present one."""
    grid = quantity.grid()
    below, above = grid[grid < quantity.value][::-1], grid[grid > quantity.value]
    how, breaks = _breaks(history, step, quantity, own)
    sides = []
    for values in (below, above):
        if not len(values):
            continue
        if breaks is None:
            tried = np.unique(np.linspace(0, len(values) - 1, min(points, len(values))).astype(np.int64))
        else:
            # the last value before a break and the first after it, whatever the rounding of the grid
            near = (
                np.abs(values[:, None] - breaks[None, :]).argmin(axis=0) if len(breaks) else np.zeros(0, int)
            )
            around = (near[:, None] + np.arange(-2, 3)).ravel()
            tried = np.unique(np.clip(np.concatenate([[0], around]), 0, len(values) - 1))
        sides.append(_Side(quantity=quantity, grid=values, how=how, tried=tried.tolist()))
    return sides


def _breaks(history: History, step: int, quantity: Quantity, own: int) -> tuple[str, np.ndarray | None]:
    """Return where the answer can change with a quantity, if the policy can tell."""
    policy = history.policy
    thresholds: Callable[[int], np.ndarray] | None = getattr(policy, "thresholds", None)
    if thresholds is not None:
        at = [(thresholds(column) - offset) / factor for column, offset, factor in quantity.columns]
        return "leaf boxes", np.unique(np.concatenate(at))
    if getattr(policy, "affine", False):
        return "closed form", _crossings(history, step, quantity, own)
    return "bisection", None


def _crossings(history: History, step: int, quantity: Quantity, own: int) -> np.ndarray:
    """Return where the line of another score meets that of the answer: two points give every line."""
    view = history.views[step]
    ends = np.array([quantity.low, quantity.high])
    believed = history.ask(step, quantity.change(view.obs[0], ends))[1]
    assert believed is not None
    possible = view.mask[0, : believed.shape[1]] & np.isfinite(believed).all(axis=0)
    over = believed[:, possible] - believed[:, [own]]
    slope = (over[1] - over[0]) / (ends[1] - ends[0])
    moves = np.abs(slope) > 1e-12
    return np.asarray(ends[0] - over[0][moves] / slope[moves])


def _try(history: History, step: int, obs: np.ndarray, own: int, sides: Sequence[_Side]) -> None:
    """Ask at all values to be tried, at once, and keep the nearest with another answer."""
    if not sides:
        return
    asked = np.concatenate([side.quantity.change(obs, side.grid[side.tried]) for side in sides])
    answers = history.ask(step, asked)[0]
    at = 0
    for side in sides:
        mine = answers[at : at + len(side.tried)]
        at += len(side.tried)
        other = np.flatnonzero(mine != own)
        if len(other):
            first = int(other[0])
            side.outer, side.answer = side.tried[first], int(mine[first])
            side.inner = side.tried[first - 1] if first else -1


def _narrow(history: History, step: int, obs: np.ndarray, own: int, sides: Sequence[_Side]) -> None:
    """Halve what lies between the two answers until they are neighbours on the grid."""
    while open_ := [side for side in sides if side.outer - side.inner > 1 and side.outer >= 0]:
        middles = [(side.inner + side.outer) // 2 for side in open_]
        asked = [
            side.quantity.change(obs, side.grid[[middle]])
            for side, middle in zip(open_, middles, strict=True)
        ]
        answers = history.ask(step, np.concatenate(asked))[0]
        for side, middle, answer in zip(open_, middles, answers.tolist(), strict=True):
            if answer == own:
                side.inner = middle
            else:
                side.outer, side.answer = middle, answer
