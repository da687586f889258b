"""A small tree that stands in for another selector."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from mlopsim.core.errors import CacheError, ConfigError
from mlopsim.core.registry import register
from mlopsim.core.spec import check_range, part
from mlopsim.core.track import Attribute, FitResult
from mlopsim.delivery.selector import Interface, View
from mlopsim.governance.explained.distil import Weights

if TYPE_CHECKING:
    from mlopsim.governance.explained.tree import Tree


@register("selector", "surrogate_tree")
@dataclass(kw_only=True)
class SurrogateTree:
    r"""A decision tree distilled from another selector, its teacher, that people can read.

    Grown by DAgger on training scenarios: the trees walk, the teacher says what it would have done. Decisions
    count by what the worst action there would lose (VIPER), by exact values in hindsight, or all alike. It is
    a method of its own, so that it is seen what is lost by reading the tree instead of the teacher. In a leaf
    it takes the possible action with the most training weight.

    With the value :math:`Q(s, a)` of action a by the teacher's policy from there on, a decision counts by
    (``viper``)

    .. math:: \max_a Q(s, a) - \min_a Q(s, a)

    Parameters
    ----------
    teacher : spec of a selector, default maskable_ppo
        What is distilled; trained or tuned first, as where it is listed itself. Of a rule, all that can be
        tuned and has its default is.
    depth : int, default 5
        Questions on the longest way down, at most.
    leaves : int or None, default None
        Leaves, at most.
    weights : Weights, default viper
        ``viper`` or ``uniform``.
    rounds : int, default 5
        Rounds of DAgger; in the first the teacher walks.
    decisions : int, default 10
        Decisions of each walk that are learned from.
    states : int, default 50000
        Decisions that are learned from in all, at most.
    least : int, default 10
        Decisions in a leaf, at least.
    train_seed : int, default 0
        Number of the training run: the repetition axis.

    Notes
    -----
    Use it where decisions must be read by people; what is lost against the teacher stands in the table.

    References
    ----------
    .. [1] O. Bastani, Y. Pu and A. Solar-Lezama, "Verifiable reinforcement learning via policy extraction",
       NeurIPS, 2018. arXiv:1805.08328
    .. [2] S. Ross, G. J. Gordon and J. A. Bagnell, "A reduction of imitation learning and structured
       prediction to no-regret online learning", AISTATS, 2011. arXiv:1011.0686

    Examples
    --------
    >>> from mlopsim.core.spec import make
    >>> make("selector", "surrogate_tree", depth=3, teacher="greedy").stands_on()
    'greedy'
    """

    teacher: Any = part("selector", "maskable_ppo")
    depth: int = 5
    leaves: int | None = None
    weights: Weights = Weights.VIPER
    rounds: int = 5
    decisions: int = 10
    states: int = 50_000
    least: int = 10
    train_seed: int = 0

    full_name: ClassVar[str]
    agent: ClassVar[bool] = True
    family: ClassVar[str] = "surrogate"
    reads: ClassVar[str] = "observation"
    uses_errors: ClassVar[bool] = False
    memoryless: ClassVar[bool] = True
    believes: ClassVar[str] = "shares of the training weight in its leaf"

    def __post_init__(self) -> None:
        where = "selector/surrogate_tree"
        self.weights = Weights(self.weights)
        check_range(f"{where}.depth", self.depth, 1, 64)
        if self.leaves is not None:
            check_range(f"{where}.leaves", self.leaves, 2, 1_000_000)
        for name in ("rounds", "decisions", "states", "least"):
            check_range(f"{where}.{name}", getattr(self, name), 1, 10**8)
        check_range(f"{where}.train_seed", self.train_seed, 0, 2**31)
        self._tree: Tree | None = None
        self._teacher: Any = None
        self._teacher_steps = 0

    def stands_on(self) -> Any:
        """Return the spec of the selector whose fit must be made before this one."""
        return self.teacher

    def teach(self, teacher: Any, steps: int = 0) -> None:
        """Take the teacher, ready to walk; ``steps`` is what its own training or tuning took."""
        self._teacher, self._teacher_steps = teacher, steps

    @property
    def tree(self) -> Tree:
        """The tree.

        Raises
        ------
        ConfigError
            If there is none yet.
        """
        if self._tree is None:
            raise ConfigError(f"{self.full_name} has not been trained", remedy="train() it, or load() a fit")
        return self._tree

    @property
    def can_suspend(self) -> bool:
        """Whether its teacher knew the action suspend."""
        if self._tree is None:
            return False
        slots = sum(name.startswith("slot") and name.endswith("_filled") for name in self._tree.names)
        return self._tree.outputs > slots + 2

    def hold(self, tree: Tree) -> None:
        """Take a tree."""
        self._tree = tree

    def train(self, pool: Any, deployment: Any, steps: int, seed: np.random.SeedSequence) -> FitResult:
        """Distil the teacher, in so many environment steps.

        Parameters
        ----------
        pool : WorldPool
            Training scenarios.
        deployment : component
            The deployment.
        steps : int
            Environment steps, those of the teacher not counted.
        seed : SeedSequence
            Of everything random.

        Returns
        -------
        FitResult
            For :meth:`load`; ``info["steps_used"]`` counts the teacher's steps, too.

        Raises
        ------
        ConfigError
            Without a teacher.
        """
        from mlopsim.core.threads import one_thread
        from mlopsim.governance.explained.distil import distil

        if self._teacher is None:
            raise ConfigError(f"{self.full_name} has no teacher yet", remedy="teach() it first")
        with one_thread():
            found = distil(self, self._teacher, pool, deployment, steps, seed)
        self.hold(found.tree)
        info = {
            "steps_used": found.steps_used + self._teacher_steps,
            "teacher_steps": self._teacher_steps,
            "rounds": found.rounds,
            **found.tree.info(),
        }
        facts: dict[str, Attribute] = {
            "teacher_steps": self._teacher_steps,
            "tree_leaves": found.tree.leaves,
            "tree_depth": found.tree.depth,
        }
        return FitResult(arrays=found.tree.arrays(), info=info, attributes=facts)

    def load(self, fit: FitResult) -> None:
        """Take the tree of a finished fit."""
        from mlopsim.governance.explained.tree import Tree

        self.hold(Tree.read(fit.arrays, fit.info))

    def reset(self, n: int, interface: Interface, seeds: Sequence[np.random.SeedSequence]) -> None:
        """Check that the tree fits the deployment."""
        if self.tree.names != interface.names:
            raise CacheError(
                f"{self.full_name} was grown on other observations",
                remedy="train it for a deployment with as many slots",
            )

    def act(self, view: View) -> np.ndarray:
        """Return the possible action with the most training weight in the leaf; keep if none has any."""
        self.believed = self.tree.weight[self.tree.leaf(view.obs)]
        return np.asarray(np.where(view.mask, self.believed, -1.0).argmax(axis=1), dtype=np.int64)

    def thresholds(self, column: int) -> np.ndarray:
        """Return where the answer can change with a column of the observation, float64."""
        return self.tree.thresholds(column)

    @classmethod
    def untrained(cls, interface: Interface, rng: np.random.Generator) -> FitResult:
        """Return a fit with a random tree: what the contract is checked with."""
        from mlopsim.governance.explained.tree import grow

        obs = rng.uniform(-1.0, 2.0, (200, len(interface.names))).astype(np.float32)
        actions = interface.slots + 2
        labels = rng.integers(actions, size=200)
        tree = grow(obs, labels, rng.random(200), interface.names, actions, depth=4)
        return FitResult(arrays=tree.arrays(), info=tree.info())
