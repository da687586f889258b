"""A Suite: the frozen, versioned grid that a paper would cite."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from mlopsim.core.errors import ConfigError
from mlopsim.core.seeds import Split
from mlopsim.core.track import Method, Task


@dataclass(kw_only=True)
class Suite:
    """Tasks, methods and seeds of one track, and how they combine to cells.

    Parameters
    ----------
    name : str
        Name without the version.
    version : int, default 1
        Raised when the frozen content changes.
    modified : bool, default False
        Whether something was overridden; shown in the title.
    track : mapping
        Canonical part of the track (``core.spec.part_of(track)``).
    tasks, methods : list
        What is compared, from ``Track.tasks`` and ``Track.methods``.
    seeds : list of int
        Scenario numbers, from 0.
    split : str, default "test"
        ``train``, ``validation`` or ``test``.
    root : int, default 0
        Root entropy of the study.
    cells : list of mappings, optional
        Which combinations are cells (grammar in :mod:`mlopsim.bench.grid`); all when empty.
    plugins : list of str
        Plug-in files that every worker loads.
    config : mapping
        The resolved configuration that it came from; stored for the record, enters no key.

    Raises
    ------
    ConfigError
        For an empty list, a bad seed, root or version, an unknown split.

    Examples
    --------
    >>> task, method = Task(name="t", part={"a": 1}), Method(name="m", part={"b": 1})
    >>> suite = Suite(name="quick", track={}, tasks=[task], methods=[method], seeds=[0, 1])
    >>> suite.title
    'quick-v1'
    >>> suite.modified = True
    >>> suite.title
    'quick-v1 (modified)'
    """

    name: str
    version: int = 1
    modified: bool = False
    track: Mapping[str, Any]
    tasks: list[Task]
    methods: list[Method]
    seeds: list[int]
    split: str = "test"
    root: int = 0
    cells: Sequence[Mapping[str, Any]] = ()
    plugins: Sequence[str] = ()
    config: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Check what does not need the track."""
        for what, values in (("tasks", self.tasks), ("methods", self.methods), ("seeds", self.seeds)):
            if not values:
                raise ConfigError(f"suite {self.name} has no {what}", remedy=f"list at least one in {what}")
        for seed in self.seeds:
            if isinstance(seed, bool) or not isinstance(seed, int) or seed < 0:
                raise ConfigError(
                    f"seeds must be whole numbers from 0, got {seed!r}",
                    remedy="seeds=N for 0..N-1, or seeds=[0,3,7]",
                )
        if isinstance(self.root, bool) or not isinstance(self.root, int) or self.root < 0:
            raise ConfigError(
                f"root must be a whole number from 0, got {self.root!r}", remedy="write root=0, or any above"
            )
        if isinstance(self.version, bool) or not isinstance(self.version, int) or self.version < 0:
            raise ConfigError(
                f"the version of a suite is a whole number from 0, got {self.version!r}",
                remedy="write suite_version: 1",
            )
        Split.parse(self.split)

    @property
    def title(self) -> str:
        """Name, version and whether it was changed."""
        return f"{self.name}-v{self.version}" + (" (modified)" if self.modified else "")
