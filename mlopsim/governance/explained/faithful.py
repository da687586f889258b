"""How faithful a stand-in is: on the states that it leads to itself, weighed by what a difference costs."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from mlopsim.governance.explained.distil import Taught
from mlopsim.governance.explained.forks import exact_return, fork
from mlopsim.governance.explained.scene import Scene


@dataclass(frozen=True, kw_only=True)
class Faithful:
    """A stand-in beside its teacher.

    Parameters
    ----------
    agreement : float
        Share of decisions at which both come to the same, on the walks of the stand-in. (Agreement on the
        teacher's own walks flatters: a stand-in leads elsewhere.)
    decisions : int
        Number of these decisions.
    lost : float
        Value that a decision loses on average where they differ, exact in hindsight; NaN without forks or
        where they never differ.
    differ : int
        Number of the decisions that were forked and at which they differ.
    identity : float
        Largest difference over deployments of R(stand-in) - R(teacher) and the sum of the exact differences
        of Q at all decisions of the stand-in (performance difference lemma); NaN without forks.
    """

    agreement: float
    decisions: int
    lost: float
    differ: int
    identity: float


def faithful(scene: Scene, stand_in: Any, teacher: Any, forked: int = 0) -> Faithful:
    """Compare a stand-in with its teacher.

    Parameters
    ----------
    scene : Scene
        Deployments.
    stand_in, teacher : Selector
        Ready to walk.
    forked : int, default 0
        How many of the deployments are forked at every decision.

    Returns
    -------
    Faithful
    """
    taught = Taught(stand_in, teacher, np.zeros((len(scene), scene.steps), dtype=bool))
    walked = scene.walk(taught)
    agree = np.stack(taught.agree, axis=1)
    lost, identity, differ = math.nan, math.nan, 0
    if forked:
        part = scene.of(np.arange(min(forked, len(scene))))
        found = fork(part, teacher, forced=walked.executed[: len(part)])
        gains = found.lost_by_done
        own = exact_return(walked, found.unit)[: len(part)] - exact_return(part.walk(teacher), found.unit)
        identity = float(np.abs(own - np.bincount(found.row, gains, minlength=len(part))).max())
        other = ~agree[: len(part)].ravel()
        differ = int(other.sum())
        lost = float(-gains[other].mean()) if differ else math.nan
    return Faithful(
        agreement=float(agree.mean()), decisions=agree.size, lost=lost, differ=differ, identity=identity
    )
