"""What a World is made from: its address."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from mlopsim.core.digest import digest
from mlopsim.core.errors import ConfigError
from mlopsim.core.seeds import Axis, Split, seed_sequence
from mlopsim.core.spec import Spec, canonical
from mlopsim.core.versions import VERSIONS


@dataclass(frozen=True, kw_only=True)
class WorldSpec:
    """Everything that the entries of a World depend on.

    Parameters
    ----------
    stream, learner, training : dict
        Canonical parts (kind, name, version, all parameters; see :func:`mlopsim.core.spec.canonical`).
    split : str, default "test"
        ``train``, ``validation`` or ``test``: disjoint branches of the seed tree.
    index : int, default 0
        Number of the scenario within its split.
    root : int, default 0
        Root entropy of the whole study.

    Raises
    ------
    ConfigError
        For an unknown split, a negative index, or a part of the wrong kind.
    """

    stream: dict[str, Any]
    learner: dict[str, Any]
    training: dict[str, Any]
    split: str = "test"
    index: int = 0
    root: int = 0

    def __post_init__(self) -> None:
        for kind in ("stream", "learner", "training"):
            found = getattr(self, kind)
            if not isinstance(found, Mapping) or found.get("kind") != kind:
                raise ConfigError(
                    f"WorldSpec.{kind} must be the canonical part of a {kind}, got {found!r}",
                    remedy="use WorldSpec.of(stream, learner, training), which completes specs",
                )
        object.__setattr__(self, "split", Split.parse(self.split).name.lower())
        if self.index < 0:
            raise ConfigError(f"WorldSpec.index must be >= 0, got {self.index}")

    @classmethod
    def of(
        cls,
        stream: Spec,
        learner: Spec = "ridge",
        training: Spec = "last",
        *,
        split: str = "test",
        index: int = 0,
        root: int = 0,
    ) -> WorldSpec:
        """Complete and check specs as a user writes them.

        Parameters
        ----------
        stream, learner, training : spec
            ``name``, ``{name: {param: value}}``, a part or an instance.
        split, index, root
            See the class.

        Raises
        ------
        ConfigError
            For unknown names or parameters and for values out of range.
        """
        return cls(
            stream=canonical("stream", stream),
            learner=canonical("learner", learner),
            training=canonical("training", training),
            split=split,
            index=index,
            root=root,
        )

    def at(self, index: int, *, split: str | None = None) -> WorldSpec:
        """Return the same with another index (and split), without checking the parts again.

        Much faster than :meth:`of` where thousands of scenarios of one family are wanted.
        """
        return replace(self, index=index, split=self.split if split is None else split)

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> WorldSpec:
        """Read what :meth:`as_dict` wrote."""
        return cls(
            **{name: content[name] for name in ("stream", "learner", "training", "split", "index", "root")}
        )

    def as_dict(self) -> dict[str, Any]:
        """Return JSON types."""
        return {
            "stream": self.stream,
            "learner": self.learner,
            "training": self.training,
            "split": self.split,
            "index": self.index,
            "root": self.root,
        }

    @cached_property
    def key(self) -> str:
        """Content address: 24 hexadecimal digits over all fields and the builder's version."""
        return digest({"world": VERSIONS["world"], **self.as_dict()})

    def __hash__(self) -> int:
        return hash(self.key)

    @property
    def scenario_seed(self) -> np.random.SeedSequence:
        """Seed of the stream: the same for every learner and every method."""
        return seed_sequence(Axis.SCENARIO, Split.parse(self.split), self.index, root=self.root)

    def learner_seed(self, version: int) -> np.random.SeedSequence:
        """Return the seed that version ``version`` is trained with."""
        return seed_sequence(Axis.LEARNER, Split.parse(self.split), self.index, version, root=self.root)
