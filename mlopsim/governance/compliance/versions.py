"""The versions of a deployment: trained when on what, said of them, served when, retired why."""

from __future__ import annotations

from dataclasses import dataclass, field

from mlopsim.governance.compliance.breaches import runs
from mlopsim.governance.compliance.case import Case


@dataclass(kw_only=True)
class Story:
    """What became of one version.

    Parameters
    ----------
    version : int
    trained_on : tuple of int
        First and last window.
    rows : int
        Rows of these windows, as they came.
    decided : int or None
        Window at whose end its training was decided; None: it was there from the start.
    by : str
        Who decided that.
    parent : int or None
        What served then (served last, while suspended).
    verdicts : list of str
        What was said of it when it left the pipeline, in words.
    passed : bool or None
        Whether all of that was for it; None: nothing was said.
    out : int or None
        Window at whose start it left the pipeline; None: not before the end.
    arrived : int or None
        The same if it entered the registry.
    approved_by : str or None
    served : list of (int, int)
        Intervals, first and last window; beside another one, too (canary).
    evicted : int or None
        Window at whose start it left the registry.
    """

    version: int
    trained_on: tuple[int, int]
    rows: int
    decided: int | None = None
    by: str = ""
    parent: int | None = None
    verdicts: list[str] = field(default_factory=list)
    passed: bool | None = None
    out: int | None = None
    arrived: int | None = None
    approved_by: str | None = None
    served: list[tuple[int, int]] = field(default_factory=list)
    evicted: int | None = None

    @property
    def windows_served(self) -> int:
        """How many windows it served."""
        return sum(last - first + 1 for first, last in self.served)

    def short(self, end: int) -> str:
        """Say in few words what became of it by the last window, ``end``."""
        if self.decided is not None and self.out is None:
            return "not ready"
        if self.decided is not None and self.arrived is None:
            return "denied" if any(word.startswith("denied") for word in self.verdicts) else "blocked"
        return f"served {self.windows_served}" if self.served else "let in, never served"

    def fate(self, end: int) -> str:
        """Say what became of it by the last window, ``end``."""
        if self.decided is not None and self.out is None:
            return "not ready when it ended"
        if self.decided is not None and self.arrived is None:
            return "stopped"
        if self.served and self.served[-1][1] == end:
            return "serves at the end"
        return "held at the end" if self.evicted is None else f"evicted at {self.evicted}"


def stories_of(case: Case) -> list[Story]:
    """Return what became of each version, in their order."""
    pool, world = case.deployed.pool, case.deployed.world
    v0, bounds = case.first - 1, pool.bounds[world]
    start = int(pool.start[world, v0])
    found = {v0: Story(version=v0, trained_on=(start, v0), rows=int(bounds[v0 + 1] - bounds[start]))}
    for event in case.events:
        told = event.content
        if event.kind == "retrain":
            found[told["version"]] = Story(
                version=told["version"],
                trained_on=(told["trained_on"][0], told["trained_on"][1]),
                rows=told["rows"],
                decided=event.window,
                by=event.trigger,
                parent=told["parent"],
            )
        elif event.kind == "approval":
            who = str(told["by"]).removeprefix("reviewer/")
            _say(found[told["version"]], event.window, f"{told['verdict']} by {who}")
            found[told["version"]].passed &= told["verdict"] == "approved"
        elif event.kind == "gate":
            beside = f" beside {told['against']}" if "against" in told else ""
            kind = "audits" if told["gate"] == "absolute" else "gates"
            _say(found[told["version"]], event.window, f"{kind}{beside} {told['verdict']}")
            found[told["version"]].passed &= told["verdict"] == "passed"
        elif event.kind == "arrival":
            story = found[told["version"]]
            story.out = story.arrived = event.window
            story.approved_by = told["approved_by"]
        elif event.kind == "evict":
            found[told["version"]].evicted = event.window
    for version, story in found.items():
        serves = (case.served == version) | (case.candidate == version)
        story.served = [(case.first + a, case.first + b) for a, b in runs(serves)]
    return [found[version] for version in sorted(found)]


def _say(story: Story, window: int, words: str) -> None:
    story.out = window
    story.passed = story.passed is not False
    story.verdicts.append(words)
