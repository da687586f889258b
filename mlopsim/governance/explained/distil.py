"""Distilling a policy into a tree: DAgger with VIPER's weights, from exact values.

DAgger (Ross, Gordon, Bagnell, AISTATS 2011): the tree walks, the teacher says what it would have done there,
and a new tree learns from all decisions so far. VIPER (Bastani, Pu, Solar-Lezama, NeurIPS 2018) weighs a
decision by what the worst action there would lose. Implementations take log-probabilities for values; here
values are walked (see :mod:`mlopsim.governance.explained.forks`): exact, in hindsight, and so one noisy draw.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, Protocol

import numpy as np

from mlopsim.core.errors import ConfigError
from mlopsim.core.seeds import seed_int
from mlopsim.delivery.selector import Interface, View
from mlopsim.governance.explained.forks import fork
from mlopsim.governance.explained.scene import Scene, narrowed
from mlopsim.governance.explained.tree import Tree, grow

#: share of the training scenarios that the choice among the rounds' trees keeps, and of the steps
HELD_BACK = 0.2


class Weights(Enum):
    """How much a decision counts: by what the worst action would lose there, or all alike."""

    VIPER = "viper"
    UNIFORM = "uniform"


class Student(Protocol):
    """What distilling reads of the selector that is to hold the tree, and walks with it."""

    depth: int
    leaves: int | None
    least: int
    weights: Weights
    rounds: int
    states: int
    decisions: int

    def hold(self, tree: Tree) -> None:
        """Take a tree."""
        ...


class Taught:
    """Lets an actor walk, asks a teacher at every step, keeps some of the decisions.

    Parameters
    ----------
    actor : Selector
        Its answers are carried out.
    teacher : Selector
        Its answers are kept; it observes along and is not told what was done.
    keep : ndarray of bool, shape (N, S)
        Decisions whose observations are kept.
    """

    full_name = "selector/taught"
    #: what is possible is kept whole
    can_suspend = True

    def __init__(self, actor: Any, teacher: Any, keep: np.ndarray) -> None:
        self.actor, self.teacher, self.keep = actor, teacher, keep
        both = (actor, teacher)
        self.uses_errors = any(bool(getattr(one, "uses_errors", True)) for one in both)
        self.uses_inputs = any(bool(getattr(one, "uses_inputs", False)) for one in both)

    def reset(self, n: int, interface: Interface, seeds: Sequence[np.random.SeedSequence]) -> None:
        """Start both."""
        self.step = 0
        self.interface = interface
        #: row, step, observation, possible actions, and what the teacher's answer comes to
        self.kept: list[tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]] = []
        #: teacher and actor agree in what they come to, by step (N,)
        self.agree: list[np.ndarray] = []
        for one in {id(self.actor): self.actor, id(self.teacher): self.teacher}.values():
            one.reset(n, interface, seeds)

    def act(self, view: View) -> np.ndarray:
        """Return the actor's answers."""
        own = self.actor.act(narrowed(view, self.actor))
        wanted = own if self.teacher is self.actor else self.teacher.act(narrowed(view, self.teacher))
        row = np.arange(len(own))
        done, label = (np.where(view.mask[row, a], a, 0) for a in (own, wanted))
        self.agree.append(done == label)
        some = np.flatnonzero(self.keep[:, self.step])
        at = np.full(len(some), self.step)
        self.kept.append((some, at, view.obs[some], view.mask[some], label[some]))
        self.step += 1
        return np.asarray(own)


@dataclass(frozen=True, kw_only=True)
class Distilled:
    """A tree and how it came about.

    Parameters
    ----------
    tree : Tree
        That of the round with the highest mean return on scenarios that none of the trees learned from.
    steps_used : int
        Environment steps, walks, forks and the choice together.
    rounds : list of dict
        One entry a round: ``states`` so far, ``agreement`` of who walked with the teacher on that walk's
        states (1 in the first, where the teacher walks), ``leaves`` and ``depth`` of the new tree, and its
        ``score``, the mean return a window in the choice.
    """

    tree: Tree
    steps_used: int
    rounds: list[dict[str, Any]]


def distil(
    student: Student, teacher: Any, pool: Any, deployment: Any, steps: int, seed: np.random.SeedSequence
) -> Distilled:
    """Distil a teacher into a tree, on training scenarios, within a budget of environment steps.

    Parameters
    ----------
    student : Student
        Holds the settings, and walks with the trees.
    teacher : Selector
        Any policy; what the tree learns is what its answers come to (0 where one is impossible).
    pool : WorldPool
        Training scenarios; a fifth is kept for the choice among the rounds' trees.
    deployment : component of kind ``deployment``
        The dynamics.
    steps : int
        Environment steps that may be taken.
    seed : SeedSequence
        Of scenarios, decisions and the teacher's draws.

    Returns
    -------
    Distilled

    Raises
    ------
    ConfigError
        If there are fewer than two scenarios, or too few steps for one walk a round and one in the choice.

    Notes
    -----
    A round walks ``states / (rounds * decisions)`` scenarios and learns from ``decisions`` of each, drawn at
    random: fewer walks, and with VIPER's weights fewer decisions, where the steps do not suffice, as each of
    these takes a walk for every possible action.
    """
    if len(pool) < 2:
        raise ConfigError("a tree needs at least 2 training scenarios", remedy="draw more of them")
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(pool))
    held = max(1, round(HELD_BACK * len(pool)))
    places, judged = order[held:], order[:held]
    final = min(len(judged), int(HELD_BACK * steps) // (student.rounds * pool.steps))
    a_round = (steps - final * student.rounds * pool.steps) // student.rounds
    viper = student.weights is Weights.VIPER
    # with forks: the walk, the teacher's walk along it, and one for each possible action, of which there are
    # about half
    per_walk = 2 + student.decisions * (deployment.slots + 2) / 2 if viper else 1
    walks = int(a_round / (per_walk * pool.steps))
    if viper and a_round >= (2 + deployment.slots + 3) * pool.steps:
        # one walk, and all that is possible at one of its decisions at least
        walks = max(walks, 1)
    if final < 1 or walks < 1:
        raise ConfigError(
            f"a tree learns nothing in {steps} steps: a walk takes {pool.steps}",
            remedy="raise the steps, or lower its rounds or decisions",
        )
    walks = min(walks, max(1, student.states // (student.rounds * student.decisions)))
    walker: Any = student
    learned: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []
    trees: list[Tree] = []
    rounds: list[dict[str, Any]] = []
    used = 0
    for number in range(student.rounds):
        scene = Scene(
            pool=pool,
            deployment=deployment,
            which=rng.choice(places, walks, replace=walks > len(places)),
            seeds=np.random.SeedSequence(seed.entropy, spawn_key=(*seed.spawn_key, number)).spawn(walks),
        )
        keep = np.zeros((walks, pool.steps), dtype=bool)
        drawn = np.asarray(rng.random(keep.shape))
        some = drawn.argsort(axis=1)[:, : student.decisions]
        np.put_along_axis(keep, some, True, axis=1)
        actor = walker if trees else teacher
        taught = Taught(actor, teacher, keep)
        walked = scene.walk(taught)
        used += walks * pool.steps
        row, step, obs, mask, label = (np.concatenate(part) for part in zip(*taught.kept, strict=True))
        knows = bool(getattr(teacher, "can_suspend", False))
        actions = mask.shape[1] if knows else taught.interface.slots + 2
        weight = np.ones(len(row))
        if viper:
            # the decisions of each walk are in the order of time: take them in a random one
            shuffled = rng.permutation(len(row))
            # the teacher walks along once more
            left = a_round - 2 * walks * pool.steps
            paid = np.cumsum(mask[shuffled].sum(axis=1)) * pool.steps <= left
            chosen = np.sort(shuffled[paid])
            row, step, obs, label = row[chosen], step[chosen], obs[chosen], label[chosen]
            forks = fork(scene, teacher, np.stack([row, step], axis=1), forced=walked.executed)
            used += forks.steps_used
            # what the teacher does not know the tree cannot do
            weight = forks.of_chosen - np.nanmin(forks.values[:, :actions], axis=1)
        learned.append((obs, label, weight))
        states, labels, weights = (np.concatenate(part) for part in zip(*learned, strict=True))
        tree = grow(
            states,
            labels,
            weights,
            taught.interface.names,
            actions,
            depth=student.depth,
            leaves=student.leaves,
            least=student.least,
            seed=seed_int(seed),
        )
        trees.append(tree)
        student.hold(tree)
        rounds.append(
            {
                "states": len(states),
                "agreement": float(np.mean(taught.agree)),
                "leaves": tree.leaves,
                "depth": tree.depth,
            }
        )
    judge = Scene(
        pool=pool,
        deployment=deployment,
        which=judged[:final],
        seeds=np.random.SeedSequence(seed.entropy, spawn_key=(*seed.spawn_key, student.rounds)).spawn(final),
    )
    for tree, entry in zip(trees, rounds, strict=True):
        student.hold(tree)
        entry["score"] = float(judge.walk(walker).returns.mean()) / pool.steps
        used += final * pool.steps
    best = int(np.argmax([entry["score"] for entry in rounds]))
    return Distilled(tree=trees[best], steps_used=used, rounds=rounds)
