"""The data-quality track: which gate notices corrupted data, and what that is worth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from mlopsim.core.digest import digest
from mlopsim.core.errors import ConfigError, nearest
from mlopsim.core.registry import find, register
from mlopsim.core.spec import canonical, check_range, label, make, split_spec
from mlopsim.core.track import Attribute, Cell, Curves, FitJob, FitResult, Method, Metric, Outcome, Task
from mlopsim.core.versions import versions
from mlopsim.learners.base import takes_weights
from mlopsim.quality.gate import NOTHING, Action, Gate, Stage
from mlopsim.quality.train_gate import TrainGate
from mlopsim.tracks.base import always_listed, check_entry, distinct, stream_facts
from mlopsim.tracks.quality.metrics import METRICS

#: parts of a task
PARTS = {"stream": "corrupted", "learner": "ridge", "training": "last", "deployment": "standard"}
#: stages as they are given, and as they are called in tables
STAGES = {"preprocess": "entry", "train": "training", "test": "release", "all": "all"}
#: gates that stand at the other stages where all stages work together
PARTNERS: Mapping[str, str] = {"train": "confident", "test": "accuracy_drop"}


@register("track", "quality")
@dataclass(kw_only=True)
class QualityTrack:
    r"""Gates compared by what they find and by what the deployment gains.

    Each gate stands at every stage that it can: before training it drops or repairs rows as they arrive, at
    training it leaves rows out, after training it stops versions; ``all``: a gate before training together
    with label checks at training and a release test. What serves is judged on the clean rows.

    With the accuracy S on clean rows, over tasks and seeds i in which something is lost, a gate recovers the
    share

    .. math::

        \frac{\sum_i (S_{i, \mathrm{gate}} - S_{i, \mathrm{none}})}{\sum_i (S_{i, \mathrm{clean}} - S_{i,
        \mathrm{none}})}

    Parameters
    ----------
    stages : list of str
        Of ``preprocess``, ``train``, ``test``, ``all``: those that are compared.
    every : int, default 2
        Windows from one retrain to the next.
    floor : float, default 0.005
        Accuracy. In tasks that lose less than this without a gate there is nothing to recover: shares of
        such losses would be quotients of noise.

    Examples
    --------
    >>> track = QualityTrack(stages=["preprocess"])
    >>> [m.name for m in track.methods(["zscore"])]
    ['zscore', 'clean', 'none', 'random', 'oracle']
    """

    metrics: ClassVar[Sequence[Metric]] = METRICS
    #: what `mlopsim check` runs
    smallest: ClassVar[Mapping[str, Any]] = {
        "tasks": [
            {
                "stream": {
                    "corrupted": {
                        "base": {"synthetic": {"windows": 16, "rows": 40, "warmup": 6, "concept": "sea"}},
                        "timing": {"step": {"at": 8}},
                    }
                }
            }
        ],
        "methods": ["zscore"],
    }
    parts: ClassVar[Mapping[str, Any]] = PARTS
    score: ClassVar[Metric] = Metric(
        name="recovered", unit="1", direction="max", primary=True, text="recovered share"
    )
    stages: list[str] = field(default_factory=lambda: ["preprocess", "train", "test"])
    every: int = 2
    floor: float = 0.005

    def __post_init__(self) -> None:
        check_range("quality.every", self.every, 1, 10**6)
        check_range("quality.floor", self.floor, 0.0, 1.0)
        for name in self.stages:
            if name not in STAGES:
                raise ConfigError(
                    f"quality.stages has no '{name}'{nearest(str(name), STAGES)}",
                    remedy=f"stages: {', '.join(STAGES)}",
                )

    # -- what is compared ------------------------------------------------------------------------

    def tasks(self, entries: Sequence[Any]) -> list[Task]:
        """Resolve task entries ``{name, stream, learner, training, deployment}``."""
        return [self._task(number, entry) for number, entry in enumerate(entries)]

    def _task(self, number: int, entry: Any) -> Task:
        check_entry(number, entry, ["name", *PARTS])
        content: dict[str, Any] = {
            kind: canonical(kind, entry.get(kind, default)) for kind, default in PARTS.items()
        }
        source = make("stream", content["stream"])
        if not hasattr(source, "clean"):
            raise ConfigError(
                f"task {number}: {source.full_name} has no clean rows to compare with",
                remedy="stream: {corrupted: {base: ..., injector: ...}}",
            )
        content["every"] = self.every
        content["versions"] = versions("quality")
        name = entry.get("name") or " / ".join(label(kind, content[kind]) for kind in ("stream", "learner"))
        facts = {**stream_facts(content["stream"]), "learner": make("learner", content["learner"]).name}
        return Task(name=str(name), part=content, attributes=facts)

    def methods(self, entries: Sequence[Any]) -> list[Method]:
        """Resolve gates, each at every stage that it can stand at; controls always belong to the table.

        Controls stand there under their plain names, by which the analysis finds the ends of the scale: one
        with parameters of its own does not take their place.
        """
        listed = list(entries)
        names = [_label(entry) for entry in listed]
        # what knows the truth comes last
        always = sorted(always_listed("gate"), key=lambda name: find("gate", name).known != NOTHING)
        known = [method for name in always if name not in names for method in self._at_stages(name)]
        return distinct([*(m for entry in listed for m in self._at_stages(entry)), _clean(), *known])

    def _at_stages(self, entry: Any) -> list[Method]:
        name, given = split_spec("gate", entry)
        cls = find("gate", name)
        content = canonical("gate", {cls.name: given})
        gate: Gate = make("gate", content)
        shown = _label(entry)
        part = {"gate": content, "control": cls.control}

        def method(stage: str, suffix: str = "", **more: Any) -> Method:
            facts = {**gate.facts(), "stage": STAGES[stage]}
            if stage == "test":
                # versions are held back, whatever is done with rows elsewhere
                facts["action"] = Action.HOLD.value
            if any(make("gate", partner).uses_labels for partner in more.values()):
                facts["needs"] = "labels"
            return Method(name=shown + suffix, part={**part, **more, "stage": stage}, attributes=facts)

        if cls.control and Stage.PREPROCESS in gate.stages:
            return [method("preprocess")]
        found = []
        for stage in self.stages:
            if stage == "all":
                if Stage.PREPROCESS not in gate.stages:
                    continue
                partners = {place: canonical("gate", other) for place, other in PARTNERS.items()}
                found.append(method(stage, " @all", **partners))
            elif stage == "test" and gate.action is not None:
                # a version is stopped there, whatever is done with rows elsewhere
                continue
            elif Stage(stage) in gate.stages:
                found.append(method(stage, "" if stage == "preprocess" else f" @{stage}"))
        return found

    # -- fits and cells ----------------------------------------------------------------------------

    def fits(self, cells: Sequence[Cell]) -> tuple[list[Cell], list[FitJob]]:
        """Name no fits: limits come from the warm-up of each scenario. Gates that cannot run are refused."""
        seen: set[tuple[str, str]] = set()
        for cell in cells:
            part = cell.method.part
            place = cell.method.digest, cell.task.digest
            if part["gate"] is None or place in seen:
                continue
            seen.add(place)
            gate, learner = make("gate", part["gate"]), cell.task.part["learner"]
            if isinstance(gate, TrainGate):
                gate.check_learner(learner)
            if gate.action is Action.WEIGHT and not takes_weights(make("learner", learner)):
                raise ConfigError(
                    f"{label('learner', learner)} cannot count rows by weights, as {cell.method.name} needs",
                    remedy="action: drop, or a learner whose fit takes weight=",
                )
        return list(cells), []

    def fit(self, job: FitJob, done: Mapping[str, FitResult]) -> FitResult:
        """Refuse: there are no fits."""
        raise ConfigError("the quality track makes no fits")

    def bundle(self, cell: Cell) -> str:
        """Cells of one scenario run together."""
        return digest([cell.task.digest, cell.split, cell.seed, cell.root])

    def run(self, cells: Sequence[Cell], fits: Mapping[str, FitResult]) -> list[Outcome]:
        """Run the gates of the cells."""
        from mlopsim.tracks.quality.run import run_cells

        return run_cells(cells)

    # -- report --------------------------------------------------------------------------------------

    def by_task(self, table: Any, curves: Curves) -> Any:
        """Return the score of each method on each task."""
        from mlopsim.tracks.quality.compare import by_task

        return by_task(table, self.floor)

    def compare(self, table: Any, a: str, b: str) -> Any:
        """Return the recovered share of a less that of b, by task and pooled, with interval and n."""
        from mlopsim.tracks.quality.compare import compare

        return compare(table, a, b, self.floor)

    def leaderboard(self, table: Any) -> Any:
        """One row a method: recovered share, detection, rows thrown away; each with interval and n."""
        from mlopsim.tracks.quality.analysis import leaderboard

        return leaderboard(table, self.floor)


def _label(entry: Any) -> str:
    name, given = split_spec("gate", entry)
    return label("gate", {find("gate", name).name: given})


def _clean() -> Method:
    """Return the control without errors."""
    facts: dict[str, Attribute] = {
        "family": "reference",
        "role": "control",
        "reads": "nothing",
        "needs": "none",
        "known": "the truth",
        "limit": "none",
        "asked_rate": None,
        "level": None,
        "action": None,
        "stage": None,
    }
    return Method(name="clean", part={"gate": None, "stage": "clean", "control": True}, attributes=facts)
