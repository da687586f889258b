"""The versions of a deployment in words: trained when on what, said of them, served when, and then."""

from __future__ import annotations

from dataclasses import dataclass

from mlopsim.governance.compliance.case import Case
from mlopsim.governance.lineage.passage import Passage
from mlopsim.governance.lineage.training_rows import training_of
from mlopsim.governance.lineage.version import Training


@dataclass(frozen=True, kw_only=True)
class VersionHistory:
    """What became of one version.

    Parameters
    ----------
    passage : Passage
        What became of it.
    training : Training
        What it was trained on.
    """

    passage: Passage
    training: Training

    @property
    def version(self) -> int:
        """Its number."""
        return self.passage.number

    @property
    def new(self) -> bool:
        """Whether it was trained in the deployment."""
        return self.passage.decided is not None

    @property
    def out(self) -> int | None:
        """Window at whose start it left the pipeline; None: not before the end, or it was there before."""
        passage = self.passage
        if not self.new:
            return None
        if passage.arrived is not None:
            return passage.arrived
        return None if passage.left is None else passage.left.window

    @property
    def traffic(self) -> list[tuple[int, int]]:
        """First and last windows of its traffic, also of that beside another version."""
        spans = sorted((s.first, s.last) for s in [*self.passage.served, *self.passage.canary])
        found: list[tuple[int, int]] = []
        for first, last in spans:
            if found and found[-1][1] == first - 1:
                found[-1] = (found[-1][0], last)
            else:
                found.append((first, last))
        return found

    @property
    def verdicts(self) -> list[str]:
        """What was said of it when it left the pipeline, in words."""
        review, words = self.passage.review, list[str]()
        if review is not None:
            words.append(f"{review.verdict} by {review.by.removeprefix('reviewer/')}")
        for said in self.passage.gates:
            kind = "audits" if said["gate"] == "absolute" else f"gates beside {said['against']}"
            words.append(f"{kind} {said['verdict']}")
        return words

    @property
    def trained_on(self) -> str:
        """Its windows and rows, and how many rows were kept away from it, in words."""
        training = self.training
        removed = sum(entry.rows for entry in training.removed)
        without = f", {removed:,} removed" if removed else ""
        return f"{training.first} to {training.last} ({training.rows:,} rows{without})"

    @property
    def short(self) -> str:
        """Say in few words what became of it."""
        if self.new and self.passage.arrived is None:
            return "not ready" if self.out is None else self.passage.state
        windows = sum(last - first + 1 for first, last in self.traffic)
        return f"served {windows}" if windows else "let in, never served"

    @property
    def then(self) -> str:
        """Say where it was at the end, and since when."""
        left, state = self.passage.left, self.passage.state
        return state if left is None else f"{state} at {left.window}"


def version_histories(case: Case) -> list[VersionHistory]:
    """Return the versions of a deployment, in their order."""
    source = case.lineage.world.source
    return [
        VersionHistory(passage=passage, training=training_of(source, number))
        for number, passage in case.lineage.passages.items()
    ]
