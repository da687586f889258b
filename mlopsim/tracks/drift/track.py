"""The drift track: which detector tells a real change soonest without crying wolf."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, ClassVar

from mlopsim.core.digest import digest, plain
from mlopsim.core.errors import ConfigError
from mlopsim.core.identity import identity_words
from mlopsim.core.registry import find, register
from mlopsim.core.spec import canonical, check_range, label, make, split_spec
from mlopsim.core.track import Attribute, Cell, Curves, FitJob, FitResult, Method, Metric, Outcome, Task
from mlopsim.core.versions import versions
from mlopsim.drift.detector import Detector
from mlopsim.drift.law import Law
from mlopsim.drift.scenario import Source
from mlopsim.drift.signal import Known
from mlopsim.tracks.base import check_entry, distinct, name_fits, run_by_setting, stream_facts
from mlopsim.tracks.drift.controls import follows_rate, knows_changes, with_controls
from mlopsim.tracks.drift.fits import FIRST_ALARM, Calibration
from mlopsim.tracks.drift.metrics import METRICS
from mlopsim.tracks.drift.run import bundle_of, channel_of, known_laws
from mlopsim.tracks.drift.tuning import Tuning, candidates
from mlopsim.tracks.drift.wait_tuning import WAITS, check_waits, is_wait, tune_wait, wait_job

#: parts of a task; ``deployment`` is left out where the worth of alarms is not asked for
PARTS = {"signal": "model", "stream": "synthetic", "learner": "ridge", "training": "last", "deployment": None}


@register("track", "drift")
@dataclass(kw_only=True)
class DriftTrack:
    r"""Detectors compared at equal false-alarm behaviour.

    Limits are such that every detector alarms within the H = ``horizon`` drift-free rows before a change with
    the same probability

    .. math:: P(T \le H) = 1 - \exp(-H / \mathrm{arl0})

    Parameters
    ----------
    calibration : dict
        ``arl0``, ``horizon``, ``runs``, ``checks``, ``curve``, ``match``, ``rate_rows``, ``rate_runs``: see
        :class:`mlopsim.tracks.drift.fits.Calibration`. A detector whose own limit is given
        (``{cusum: {h: 5}}``) keeps it: it is checked, not calibrated.
    tuning : dict
        ``budget``, ``seeds``, ``runs``: see :class:`mlopsim.tracks.drift.tuning.Tuning`. With a budget above
        0 every calibrated method whose detector names a ``space`` gets the setting that does best on training
        scenarios of the task; parameters that are given, and its side, stay.
    tolerance : int
        Rows after the end of a change within which an alarm counts for it.
    wait : int or None
        In tasks with a deployment: windows between an alarm and the retrain that it triggers. None: tuned for
        each method, controls included, at each arl0 on the same training scenarios.
    waits, wait_seeds : list of int, int
        Windows that tuning tries, and on how many training scenarios.

    Examples
    --------
    >>> track = DriftTrack(calibration={"arl0": 5000})
    >>> [m.name for m in track.methods(["adwin", {"cusum": {"k": 0.25}}])][:3]
    ['adwin', 'cusum(k=0.25)', 'never']
    """

    metrics: ClassVar[Sequence[Metric]] = METRICS
    #: what `mlopsim check` runs
    smallest: ClassVar[Mapping[str, Any]] = {
        "settings": {
            "calibration": {
                "arl0": 500,
                "horizon": 250,
                "runs": 50,
                "checks": 50,
                "curve": [500],
                "rate_rows": 1000,
                "rate_runs": 20,
            }
        },
        "tasks": [{"signal": {"iid": {"p": 0.1, "p1": 0.5, "ticks": 600, "change": 300}}}],
        "methods": ["ddm"],
    }
    parts: ClassVar[Mapping[str, Any]] = PARTS
    score: ClassVar[Metric] = Metric(
        name="restricted_delay", unit="rows", direction="min", primary=True, text="restricted delay"
    )
    calibration: dict[str, Any] = field(default_factory=lambda: Calibration().settings())
    tuning: dict[str, Any] = field(default_factory=lambda: Tuning().settings())
    tolerance: int = 2000
    wait: int | None = None
    waits: list[int] = field(default_factory=lambda: list(WAITS))
    wait_seeds: int = 10

    def __post_init__(self) -> None:
        check_range("drift.tolerance", self.tolerance, 1, 10**9)
        if self.wait is not None:
            check_range("drift.wait", self.wait, 0, 10**6)
        check_waits(self.waits, self.wait_seeds)
        self.calibration = Calibration.of(self.calibration).settings()
        self.tuning = Tuning.of(self.tuning).settings()

    @property
    def _settings(self) -> Calibration:
        return Calibration.of(self.calibration)

    # -- what is compared ------------------------------------------------------------------------

    def tasks(self, entries: Sequence[Any]) -> list[Task]:
        """Resolve task entries ``{name, signal, stream, learner, training, deployment}``."""
        return [self._task(number, entry) for number, entry in enumerate(entries)]

    def _task(self, number: int, entry: Any) -> Task:
        check_entry(number, entry, ["name", *PARTS])
        specs = {kind: entry.get(kind, default) for kind, default in PARTS.items()}
        content: dict[str, Any] = {"signal": canonical("signal", specs["signal"])}
        source: Source = make("signal", content["signal"])
        if not source.reads_stream:
            given = [kind for kind in PARTS if kind != "signal" and kind in entry]
            if given:
                raise ConfigError(
                    f"task {number}: {source.full_name} has no {given[0]}", remedy="leave it out"
                )
            content |= {"stream": {}, "learner": {}, "training": {}, "deployment": None}
        else:
            for kind in ("stream", "learner", "training"):
                content[kind] = canonical(kind, specs[kind])
            worth = specs["deployment"]
            content["deployment"] = None if worth is None else canonical("deployment", worth)
        content["tolerance"] = self.tolerance
        content["versions"] = versions("signal", "drift_outcome")
        if source.reads_stream:
            # a model that is updated on the way takes its errors from a World
            content["versions"] |= versions("world")
        if content["deployment"] is not None:
            content["wait"] = self.wait
            content["versions"] |= versions("dynamics", "control/oracle")
            if self.wait is None:
                content |= {"waits": list(self.waits), "wait_seeds": self.wait_seeds}
                content["versions"] |= versions("drift_wait")
        name = entry.get("name") or " / ".join(
            label(kind, content[kind]) for kind in ("signal", "stream", "learner") if content[kind]
        )
        return Task(name=str(name), part=content, attributes=_task_facts(source, content))

    def methods(self, entries: Sequence[Any]) -> list[Method]:
        """Resolve detectors; the controls always belong to the table."""
        return distinct(self._method(entry) for entry in with_controls(entries))

    def _method(self, entry: Any) -> Method:
        name, given = split_spec("detector", entry)
        cls = find("detector", name)
        content = canonical("detector", {cls.name: given})
        made: Detector = make("detector", content)
        for key in given:
            if key in cls.known_by and made.known is not Known.NOTHING:
                raise ConfigError(
                    f"{cls.full_name}.{key} is known of the task: your value would be overwritten",
                    remedy="leave it out; it follows from the task's law",
                )
        # a given limit stays what it is; any other is what calibration sets, so that its default is no matter
        kept = not {cls.limit, "limit"}.isdisjoint(given) or not cls.limit
        part: dict[str, Any] = {"detector": content, "given": kept}
        if follows_rate(made) and not kept:
            part["rate"] = plain(self._settings.all_arl0)
        settings = self._settings
        part["arl0"], part["curve"] = settings.arl0, list(settings.curve)
        matched = not kept and not made.control
        if matched and settings.match != FIRST_ALARM:
            part["match"] = settings.match
        facts = made.facts() | {"limit": "none" if not cls.limit else "given" if kept else "calibrated"}
        facts["match"] = settings.match.replace("_", " ") if matched else None
        budget = Tuning.of(self.tuning).budget
        tried = candidates(made, list(given), budget, identity_words(content)) if matched and budget else []
        if len(tried) > 1:
            part["tuning"] = {**self.tuning, "settings": tried}
            facts["parameters"] = "tuned"
        else:
            facts["parameters"] = "given" if given else "as they come"
        return Method(name=label("detector", {cls.name: given}), part=part, attributes=facts)

    # -- fits --------------------------------------------------------------------------------------

    def fits(self, cells: Sequence[Cell]) -> tuple[list[Cell], list[FitJob]]:
        """Name the calibration that each cell needs: once per detector and drift-free law."""
        bases: dict[str, FitJob] = {}

        def job_of(cell: Cell) -> FitJob | None:
            base = self._job(cell)
            if not self._tunes_wait(cell):
                return base
            if base is not None:
                bases[base.key] = base
            # a sweep may bring methods of other settings than the track's own
            arl0 = sorted({cell.method.part["arl0"], *cell.method.part["curve"]})
            return wait_job(cell, base, arl0, versions("drift_wait", "dynamics", "world", "signal"))

        done, named = name_fits(cells, job_of)
        jobs = list({job.key: job for job in [*bases.values(), *named]}.values())
        # detectors of one law one after the other: they share its signals
        order = sorted(jobs, key=lambda job: str(job.part.get("law", "")))
        return done, order

    def _tunes_wait(self, cell: Cell) -> bool:
        """Say whether the task asks for a wait to be tuned, and the method reads something there."""
        from mlopsim.tracks.drift.run import reader_of

        part = cell.task.part
        return part["deployment"] is not None and part["wait"] is None and not reader_of(cell, {}).reason

    def _job(self, cell: Cell) -> FitJob | None:
        content = cell.method.part["detector"]
        detector: Detector = make("detector", content)
        if knows_changes(detector):
            return self._references(cell)
        if detector.control and (follows_rate(detector) or not detector.limit):
            return None
        conditions = cell.task.part
        source: Source = make("signal", conditions["signal"])
        channel, reason = channel_of(detector, source)
        if reason:
            return None
        settings = self._settings
        laws = known_laws(detector, source)
        if isinstance(laws, str):
            return None
        laws_of = {
            rows: source.null(conditions["stream"], conditions["learner"], channel, rows)
            | {"channel": channel, "horizon": rows, "root": cell.root}
            for rows in (settings.horizon, settings.rate_rows)
        }
        part = {
            "method": content,
            "given": cell.method.part["given"],
            "told": laws,
            "law": laws_of[settings.horizon],
            "long_law": laws_of[settings.rate_rows],
            # a sweep may bring methods of other settings than the track's own
            "arl0": sorted({cell.method.part["arl0"], *cell.method.part["curve"]}),
            "main": cell.method.part["arl0"],
            "match": cell.method.part.get("match", FIRST_ALARM),
            "runs": settings.runs,
            "checks": settings.checks,
            "rate_runs": settings.rate_runs,
            "versions": versions("signal", "calibration")
            | (versions("world") if source.reads_stream else {}),
        }
        tuned = cell.method.part.get("tuning")
        if tuned:
            part["tuning"] = {
                "settings": tuned["settings"],
                "seeds": tuned["seeds"],
                "runs": tuned["runs"],
                "task": {name: conditions[name] for name in ("signal", "stream", "learner")}
                | {"root": cell.root},
                "channel": channel,
                "tolerance": conditions["tolerance"],
            }
            part["versions"] |= versions("drift_outcome")
        verb = "check" if cell.method.part["given"] else "calibrate"
        return FitJob(track=cell.track, label=f"{verb} {cell.method.name} for {cell.task.name}", part=part)

    def _references(self, cell: Cell) -> FitJob | None:
        """Name what can be attained on the task by who knows its laws; the clairvoyant's cells hold it."""
        source: Source = make("signal", cell.task.part["signal"])
        laws: tuple[Law, Law] | None = getattr(source, "laws", None)
        if laws is None or laws[0] == laws[1] or getattr(source, "change", None) is None:
            return None
        part = {
            "references": [asdict(law) for law in laws],
            "arl0": self._settings.all_arl0,
            "versions": versions("calibration"),
        }
        return FitJob(track=cell.track, label=f"floor of {cell.task.name}", part=part)

    def fit(self, job: FitJob, done: Mapping[str, FitResult]) -> FitResult:
        """Calibrate a detector on drift-free signals, and check it on fresh ones; or find the floor."""
        if "references" in job.part:
            from mlopsim.tracks.drift.evidence import references

            return references(job.part["references"], job.part["arl0"])
        if is_wait(job):
            return tune_wait(job, done, self._at(job.part["wait_of"]))
        from mlopsim.tracks.drift.fits import make_fit

        return make_fit(job.part)

    def _at(self, method: Mapping[str, Any]) -> Calibration:
        """Return the settings with the run lengths at which a method is run."""
        return Calibration.of({**self.calibration, "arl0": method["arl0"], "curve": list(method["curve"])})

    def fit_bundle(self, job: FitJob) -> str:
        """Calibrations on one law read the same signals; a floor is found alone."""
        if "references" in job.part or is_wait(job):
            return job.key
        names = ("law", "long_law", "runs", "checks", "rate_runs", "match")
        return digest([*(job.part[name] for name in names), job.part.get("tuning", {}).get("runs")])

    def fit_many(self, jobs: Sequence[FitJob], done: Mapping[str, FitResult]) -> list[FitResult]:
        """Calibrate detectors on one law; each signal is drawn once."""
        if any(is_wait(job) or "references" in job.part for job in jobs):
            return [self.fit(job, done) for job in jobs]
        from mlopsim.tracks.drift.fits import make_fits

        return make_fits([job.part for job in jobs])

    # -- cells -------------------------------------------------------------------------------------

    def bundle(self, cell: Cell) -> str:
        """Cells of one scenario run together."""
        return bundle_of(cell)

    def run(self, cells: Sequence[Cell], fits: Mapping[str, FitResult]) -> list[Outcome]:
        """Run the detectors of the cells."""
        from mlopsim.tracks.drift.run import run_cells

        def setting(cell: Cell) -> tuple[Any, ...]:
            task, method = cell.task.part, cell.method.part
            return task["tolerance"], task.get("wait", self.wait), method["arl0"], tuple(method["curve"])

        def run_some(some: Sequence[Cell], values: tuple[Any, ...]) -> list[Outcome]:
            tolerance, wait, arl0, curve = values
            calibration = Calibration.of({**self.calibration, "arl0": arl0, "curve": list(curve)})
            return run_cells(some, fits, calibration, tolerance, wait)

        # a sweep may bring cells of other settings than the track's own
        return run_by_setting(cells, setting, run_some)

    # -- report --------------------------------------------------------------------------------------

    def by_task(self, table: Any, curves: Curves) -> Any:
        """Return the score of each method on each task."""
        from mlopsim.tracks.drift.compare import by_task

        return by_task(table)

    def compare(self, table: Any, a: str, b: str) -> Any:
        """Return the restricted delay of a less that of b, by task and pooled, with interval and n."""
        from mlopsim.tracks.drift.compare import compare

        return compare(table, a, b)

    def leaderboard(self, table: Any) -> Any:
        """One row a method: delay, recall, false alarms, attained behaviour; each with interval and n."""
        from mlopsim.tracks.drift.analysis import leaderboard

        return leaderboard(table)


def _task_facts(source: Source, content: Mapping[str, Any]) -> dict[str, Attribute]:
    """Return what a task is, for tables: what is read, what makes it, how its change comes."""
    facts: dict[str, Attribute] = {"signal": source.name, "scenario": source.name, **source.facts()}
    if content["deployment"] is not None:
        # delays in windows, costs; `label_delay` is the signal's, in rows
        own: dict[str, Attribute] = getattr(make("deployment", content["deployment"]), "facts", dict)()
        facts |= {name: value for name, value in own.items() if name not in facts}
    names = {kind: content[kind]["name"] if content[kind] else None for kind in ("learner", "deployment")}
    if not source.reads_stream:
        return facts | {"stream": None, "real": False} | names
    # a stream may know better than by its name how its change comes
    return facts | {"scenario": content["stream"]["name"]} | stream_facts(content["stream"]) | names
