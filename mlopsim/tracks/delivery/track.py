"""The delivery track: which model version should serve, and when to retrain, under drift."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from mlopsim.core.digest import digest
from mlopsim.core.errors import ConfigError
from mlopsim.core.registry import find, register
from mlopsim.core.spec import added, as_given, canonical, check_range, label, make, part, split_spec
from mlopsim.core.track import Cell, Curves, FitJob, FitResult, Method, Metric, Outcome, Task
from mlopsim.core.versions import versions
from mlopsim.delivery.search_space import space_of
from mlopsim.delivery.selector import selector_facts
from mlopsim.tracks.base import (
    always_listed,
    check_entry,
    distinct,
    name_fits,
    run_by_setting,
    stream_facts,
)
from mlopsim.tracks.delivery.controls import CONTROLS
from mlopsim.tracks.delivery.metrics import METRICS

PARTS = {"stream": "procedural", "learner": "ridge", "training": "last", "deployment": "standard"}


@register("track", "delivery")
@dataclass(kw_only=True)
class DeliveryTrack:
    r"""Selectors compared on paired scenarios with the clairvoyant optimum.

    With the return R of a method, that of ``never`` and the clairvoyant optimum U of the same scenarios i,
    the normalised score is

    .. math:: \mathrm{NS} = \frac{\sum_i (R_i - R_{i, \mathrm{never}})}{\sum_i (U_i - R_{i, \mathrm{never}})}

    Parameters
    ----------
    steps : int
        Environment steps that each fit may use, rules and learning agents alike; everything counts
        (search, training, choice among checkpoints). 0 switches tuning off: rules keep their defaults.
    scenarios : int
        Number of training scenarios.
    tunings : int
        How often each rule is tuned, by seeds of its own: ``periodic``, ``periodic#1``, ... What one search
        finds is luck in part, as what one training of an agent does; two-level intervals resample both.
    train_stream : spec
        The family of streams that fits are made from, whatever the task's own stream is.
    reaction : int
        A drift event counts as detected if a retrain or rollback is decided within so many windows
        after its start (of a slow change: until so many windows after its end).
    ladder : bool
        Whether the reference policies with hindsight join the table: latest-only optimum, known change
        points, best fixed period.
    origins : int
        Starts on a real stream, so that ``never`` is not one lucky or unlucky model: each serves a block of
        windows of its own, the seeds take them in turn (see :mod:`mlopsim.tracks.delivery.origins`). Fewer
        where the stream is too short; 1: one deployment over the whole stream, without an interval.
    overlap : float
        Share of a block's windows that the next one has, too.
    record : bool
        Whether the heads of each deployment's record are facts about its cell (``mlopsim audit-log``).

    Examples
    --------
    >>> track = DeliveryTrack(steps=0)
    >>> [m.name for m in track.methods(["never", {"periodic": {"every": 5}}])][:2]
    ['never', 'periodic(every=5)']
    """

    metrics: ClassVar[Sequence[Metric]] = METRICS
    #: what `mlopsim check` runs
    smallest: ClassVar[Mapping[str, Any]] = {
        "settings": {"steps": 0},
        "tasks": [{"stream": {"synthetic": {"windows": 16, "rows": 20, "warmup": 4, "schedule": "abrupt"}}}],
        "methods": ["periodic"],
    }
    parts: ClassVar[Mapping[str, Any]] = PARTS
    score: ClassVar[Metric] = Metric(name="ns", unit="1", direction="max", primary=True, text="NS")
    steps: int = 1_000_000
    scenarios: int = 2500
    tunings: int = 1
    train_stream: Any = part("stream", "procedural")
    reaction: int = 10
    ladder: bool = False
    origins: int = 7
    overlap: float = 0.5
    record: bool = added(False)
    #: facts about a cell whose value depends on the platform
    per_platform: ClassVar[Sequence[str]] = ("evidence_root",)

    def __post_init__(self) -> None:
        check_range("delivery.steps", self.steps, 0, 10**9)
        check_range("delivery.scenarios", self.scenarios, 2, 10**6)
        check_range("delivery.tunings", self.tunings, 1, 1000)
        check_range("delivery.reaction", self.reaction, 1, 10**6)
        check_range("delivery.origins", self.origins, 1, 10_000)
        check_range("delivery.overlap", self.overlap, 0.0, 0.99)

    # -- what is compared ------------------------------------------------------------------------

    def tasks(self, entries: Sequence[Any]) -> list[Task]:
        """Resolve task entries ``{name, stream, learner, training, deployment}``."""
        tasks = []
        for number, entry in enumerate(entries):
            check_entry(number, entry, ["name", *PARTS])
            content: dict[str, Any] = {
                kind: canonical(kind, entry.get(kind, default)) for kind, default in PARTS.items()
            }
            content["reaction"] = self.reaction
            content["versions"] = versions("world", "dynamics", "features", "outcome")
            name = str(entry.get("name") or self._task_name(content))
            deployment = make("deployment", content["deployment"])
            # NS needs its optimum: said before work starts
            deployment.unguarded()
            stream = stream_facts(content["stream"])
            if stream["real"] and self.origins > 1:
                content["origins"] = {"count": self.origins, "overlap": self.overlap}
            if self.record:
                content["record"] = True
            facts = {
                **stream,
                **{kind: make(kind, content[kind]).name for kind in ("learner", "training", "deployment")},
                **deployment.facts(),
                "conditions": self._conditions(content),
            }
            tasks.append(Task(name=name, part=content, attributes=facts))
        return tasks

    @staticmethod
    def _conditions(content: Mapping[str, Any]) -> str:
        """Identify a task without its feedback: tasks that share this differ in nothing else."""
        deployment = dict(content["deployment"])
        deployment["params"] = {k: v for k, v in deployment["params"].items() if k != "feedback"}
        return digest({**content, "deployment": deployment})[:16]

    @staticmethod
    def _task_name(content: Mapping[str, Any]) -> str:
        words = [label("stream", content["stream"]), label("learner", content["learner"])]
        if content["deployment"]["params"] != canonical("deployment", "standard")["params"]:
            words.append(label("deployment", content["deployment"]))
        return " / ".join(words)

    def methods(self, entries: Sequence[Any]) -> list[Method]:
        """Resolve selectors; ``never`` and the oracle always belong to the table."""
        listed = list(entries)
        selectors = [split_spec("selector", entry)[0].split("/")[-1] for entry in listed]
        listed[:0] = [name for name in always_listed("selector") if name not in selectors]
        references = [name for name, control in CONTROLS.items() if control.always_listed or self.ladder]
        listed += [name for name in references if name not in entries]
        return distinct(repeated for entry in listed for repeated in self._repeated(self._method(entry)))

    def _repeated(self, method: Method) -> list[Method]:
        """Return a method as often as it is tuned; the first is what it is where it is tuned once."""
        if self.tunings == 1 or "free" not in method.part:
            return [method]
        return [
            Method(
                name=f"{method.name}#{number}" if number else method.name,
                part={**method.part, "tuning": number} if number else method.part,
                attributes={**method.attributes, "tuning": number},
            )
            for number in range(self.tunings)
        ]

    def _method(self, entry: Any) -> Method:
        if isinstance(entry, str) and entry in CONTROLS:
            own = f"control/{entry}"
            content = {"kind": "control", "name": entry, "versions": versions(own), "params": {}}
            return Method(name=entry, part=content, attributes=CONTROLS[entry].facts())
        name, given = split_spec("selector", entry)
        cls = find("selector", name)
        content = canonical("selector", {cls.name: given})
        space = space_of(make("selector", {cls.name: given}))
        if self.steps > 0 and not getattr(cls, "agent", False):
            free = sorted(set(space) - set(given))
            if free:
                content = {**content, "free": free}
        if getattr(cls, "agent", False) and self.steps == 0:
            raise ConfigError(f"{cls.full_name} must be trained", remedy="set delivery.steps above 0")
        facts = selector_facts(make("selector", {cls.name: given}))
        return Method(name=label("selector", {cls.name: given}), part=content, attributes=facts)

    # -- fits --------------------------------------------------------------------------------------

    def fits(self, cells: Sequence[Cell]) -> tuple[list[Cell], list[FitJob]]:
        """Name the tuning or training that each cell needs, once per (method, learner, deployment)."""
        stream = canonical("stream", self.train_stream)
        below: dict[str, FitJob] = {}
        done, jobs = name_fits(cells, lambda cell: self._job(cell, stream, below))
        return done, list({**below, **{job.key: job for job in jobs}}.values())

    @staticmethod
    def _check(cell: Cell) -> None:
        """Refuse a selector that cannot be rolled out in the task's deployment.

        Parameters that are free have their defaults, which tuning starts with and always compares.
        """
        selector = make("selector", {key: cell.method.part[key] for key in ("kind", "name", "params")})
        check = getattr(selector, "check", None)
        if not callable(check):
            return
        try:
            check(make("deployment", cell.task.part["deployment"]))
        except ConfigError as error:
            raise ConfigError(
                f"{cell.method.name} in the task '{cell.task.name}': {error.message}", remedy=error.remedy
            ) from error

    def _job(self, cell: Cell, stream: Mapping[str, Any], below: dict[str, FitJob]) -> FitJob | None:
        """Return the fit of a cell; those that it stands on are added to ``below``, by key."""
        content = cell.method.part
        if content["kind"] != "selector":
            return None
        self._check(cell)
        cls = find("selector", content["name"])
        agent = getattr(cls, "agent", False)
        if not agent and not content.get("free"):
            return None
        conditions = cell.task.part
        spec = {
            "method": content,
            "stream": stream,
            **{kind: conditions[kind] for kind in ("learner", "training", "deployment")},
            "scenarios": self.scenarios,
            "steps": self.steps,
            "root": cell.root,
            "versions": versions("world", "dynamics", "features", "training" if agent else "tuning"),
        }
        needs: tuple[str, ...] = ()
        if hasattr(cls, "stands_on"):
            selector = make("selector", {key: content[key] for key in ("kind", "name", "params")})
            teacher = self._method(as_given("selector", selector.stands_on()))
            spec["teacher"] = teacher.part
            job = self._job(replace(cell, method=teacher), stream, below)
            if job is not None:
                below[job.key] = job
                needs = (job.key,)
        verb = "train" if agent else "tune"
        where = label("learner", conditions["learner"])
        return FitJob(track=cell.track, label=f"{verb} {cell.method.name} on {where}", part=spec, needs=needs)

    def fit(self, job: FitJob, done: Mapping[str, FitResult]) -> FitResult:
        """Tune a rule or train an agent, from training scenarios only."""
        from mlopsim.tracks.delivery.fits import make_fit

        return make_fit(job.part, done[job.needs[0]] if job.needs else None)

    # -- cells -------------------------------------------------------------------------------------

    def bundle(self, cell: Cell) -> str:
        """Cells of one World run together."""
        conditions = {kind: cell.task.part[kind] for kind in ("stream", "learner", "training")}
        return digest([conditions, cell.split, cell.seed, cell.root])

    def run(self, cells: Sequence[Cell], fits: Mapping[str, FitResult]) -> list[Outcome]:
        """Roll the methods out over the cells' Worlds."""
        from mlopsim.tracks.delivery.run import run_cells

        # a sweep may bring cells of other settings than the track's own
        return run_by_setting(
            cells,
            lambda cell: cell.task.part["reaction"],
            lambda some, reaction: run_cells(some, fits, reaction=reaction),
        )

    def redeploy(
        self,
        cell: Cell,
        fits: Mapping[str, FitResult],
        *,
        overrides: Sequence[Any] = (),
        taken: Mapping[int, int] | None = None,
    ) -> Any:
        """Compute the deployment of a cell again (:class:`mlopsim.core.track.Redeploys`)."""
        from mlopsim.tracks.delivery.rolling import redeploy

        return redeploy(cell, fits, overrides=overrides, taken=taken)

    # -- report --------------------------------------------------------------------------------------

    def by_task(self, table: Any, curves: Curves) -> Any:
        """Return the score of each method on each task."""
        from mlopsim.tracks.delivery.compare import by_task

        return by_task(table)

    def compare(self, table: Any, a: str, b: str) -> Any:
        """Return NS(a) - NS(b), by task and pooled, with interval and n."""
        from mlopsim.tracks.delivery.compare import compare

        return compare(table, a, b)

    def leaderboard(self, table: Any) -> Any:
        """One row a method: NS, regret, IQM, probability of improvement, means; each with interval and n."""
        from mlopsim.tracks.delivery.analysis import leaderboard

        return leaderboard(table)
