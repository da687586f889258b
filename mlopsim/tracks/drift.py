"""The drift track: which detector tells a real change soonest without crying wolf."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, ClassVar

from mlopsim.core.digest import digest, plain
from mlopsim.core.errors import ConfigError
from mlopsim.core.registry import find, register
from mlopsim.core.spec import canonical, check_range, label, make, split_spec
from mlopsim.core.track import Cell, FitJob, FitResult, Method, Metric, Outcome, Section, Task
from mlopsim.core.versions import versions
from mlopsim.drift.detector import Detector
from mlopsim.drift.law import Law
from mlopsim.drift.scenario import Source
from mlopsim.drift.signal import Told
from mlopsim.tracks._drift_fits import Calibration
from mlopsim.tracks._drift_run import BY_RATE, bundle_of, channel_of, told_laws
from mlopsim.tracks._tasks import check_entry, name_fits, pinned

#: parts of a task; ``deployment`` is left out where the worth of alarms is not asked for
PARTS = {"signal": "model", "stream": "synthetic", "learner": "ridge", "training": "last", "deployment": None}
#: always in the table
CONTROLS = ("never", "always", "random", "periodic", "clairvoyant")


@register("track", "drift")
@dataclass(kw_only=True)
class DriftTrack:
    """Detectors compared at equal false-alarm behaviour.

    Parameters
    ----------
    calibration : dict
        ``arl0``, ``horizon``, ``runs``, ``checks``, ``curve``: see
        :class:`mlopsim.tracks._drift_fits.Calibration`. A detector whose own limit is given
        (``{cusum: {h: 5}}``) keeps it: it is checked, not calibrated.
    tolerance : int
        Rows after the end of a change within which an alarm counts for it.
    wait : int
        In tasks with a deployment: windows between an alarm and the retrain that it triggers.

    Examples
    --------
    >>> track = DriftTrack(calibration={"arl0": 5000})
    >>> [m.name for m in track.methods(["adwin", {"cusum": {"k": 0.25}}])][:3]
    ['adwin', 'cusum(k=0.25)', 'never']
    """

    metrics: ClassVar[Sequence[Metric]] = (
        Metric(
            name="restricted_delay",
            unit="rows",
            direction="min",
            primary=True,
            text="delay, a missed change counting its whole window",
        ),
        Metric(name="delay", unit="rows", direction="min", text="mean delay of the changes found"),
        Metric(name="recall", unit="share", direction="max", text="changes found in time"),
        Metric(name="precision", unit="share", direction="max", text="hits among hits and false alarms"),
        Metric(name="f1", unit="share", direction="max", text="harmonic mean of recall and precision"),
        Metric(
            name="episode_recall", unit="share", direction="max", text="recall of touching changes as one"
        ),
        Metric(name="false_per_1000", unit="a 1000 rows", direction="min", text="false alarms"),
        Metric(name="extra", unit="count", direction="none", text="further alarms within a change's window"),
        Metric(name="alarms", unit="count", direction="none", text="all alarms"),
        Metric(
            name="chance_recall", unit="share", direction="none", text="recall of as many alarms at random"
        ),
        Metric(
            name="alarm_before",
            unit="flag",
            direction="min",
            text="an alarm before anything changes",
        ),
        Metric(name="rows_before", unit="rows", direction="none", text="rows before anything changes"),
        Metric(name="mtfa", unit="rows", direction="max", text="mean time between false alarms"),
        Metric(name="mtd", unit="rows", direction="min", text="mean time to detection"),
        Metric(name="mdr", unit="share", direction="min", text="missed detection rate"),
        Metric(name="mtr", unit="ratio", direction="max", text="MTFA / MTD (1 - MDR)"),
        Metric(name="harmless_alarmed", unit="share", direction="min", text="harmless changes alarmed on"),
        Metric(name="risk_change", unit="share", direction="none", text="error rate after less before"),
        Metric(name="target", unit="share", direction="none", text="P(alarm within H) asked"),
        Metric(name="share", unit="share", direction="none", text="P(alarm within H) on fresh signals"),
        Metric(name="share_low", unit="share", direction="none", text="lower end of its 95 % interval"),
        Metric(name="share_high", unit="share", direction="none", text="upper end of its 95 % interval"),
        Metric(name="restricted_mean", unit="ticks", direction="none", text="mean of min(run length, H)"),
        Metric(name="censored", unit="share", direction="none", text="fresh signals without an alarm"),
        Metric(name="early", unit="share", direction="none", text="alarm within the first 1000 ticks"),
        Metric(name="met", unit="flag", direction="none", text="whether fresh signals show what was asked"),
        Metric(name="exact", unit="flag", direction="none", text="limit computed, not simulated"),
        Metric(name="told", unit="code", direction="none", text="0 nothing, 1 p0, 2 p0 and p1"),
        Metric(name="real", unit="flag", direction="none", text="whether limits come from a warm-up"),
        Metric(name="given", unit="flag", direction="none", text="whether its limit is the user's own"),
        Metric(name="control", unit="flag", direction="none", text="whether it ignores the signal"),
        Metric(name="return", unit="reward a window", direction="max", text="R as the trigger of retraining"),
        Metric(name="upper", unit="reward a window", direction="none", text="U (clairvoyant only)"),
        Metric(name="retrains", unit="count", direction="none", text="retrains that it triggered"),
    )
    calibration: dict[str, Any] = field(default_factory=lambda: Calibration().settings())
    tolerance: int = 2000
    wait: int = 4

    def __post_init__(self) -> None:
        check_range("drift.tolerance", self.tolerance, 1, 10**9)
        check_range("drift.wait", self.wait, 0, 10**6)
        self.calibration = Calibration.of(self.calibration).settings()

    @property
    def _settings(self) -> Calibration:
        return Calibration.of(self.calibration)

    # -- what is compared ------------------------------------------------------------------------

    def tasks(self, entries: Sequence[Any], pins: Mapping[str, Any]) -> list[Task]:
        """Resolve task entries ``{name, signal, stream, learner, training, deployment}``."""
        return [self._task(number, entry, pins) for number, entry in enumerate(entries)]

    def _task(self, number: int, entry: Any, pins: Mapping[str, Any]) -> Task:
        check_entry(number, entry, ["name", *PARTS])
        specs = {kind: pinned(kind, entry.get(kind, default), pins) for kind, default in PARTS.items()}
        content: dict[str, Any] = {"signal": canonical("signal", specs["signal"])}
        source: Source = make("signal", content["signal"])
        if not source.reads_stream:
            # a signal that the command line pins takes the place of the task's stream, too
            asked = pins if "signal" in pins else entry
            given = [kind for kind in PARTS if kind != "signal" and kind in asked]
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
            content["versions"] |= versions("dynamics")
        name = entry.get("name") or " / ".join(
            label(kind, content[kind]) for kind in ("signal", "stream", "learner") if content[kind]
        )
        return Task(name=str(name), part=content)

    def methods(self, entries: Sequence[Any]) -> list[Method]:
        """Resolve detectors; the controls always belong to the table."""
        listed = list(entries)
        names = [split_spec("detector", entry)[0].split("/")[-1] for entry in listed]
        listed += [name for name in CONTROLS if name not in names]
        chosen: dict[str, Method] = {}
        for entry in listed:
            method = self._method(entry)
            if method.name in chosen:
                raise ConfigError(f"the method {method.name} is listed twice", remedy="keep one of them")
            chosen[method.name] = method
        return list(chosen.values())

    def _method(self, entry: Any) -> Method:
        name, given = split_spec("detector", entry)
        cls = find("detector", name)
        content = canonical("detector", {cls.name: given})
        made: Detector = make("detector", content)
        for key in given:
            if key in cls.told_by and made.is_told is not Told.NOTHING:
                raise ConfigError(
                    f"{cls.full_name}.{key} is what the task tells it: your value would be overwritten",
                    remedy="leave it out; a task with another law tells another value",
                )
        # a given limit stays what it is; any other is what calibration sets, so that its default is no matter
        kept = not {cls.limit, "limit"}.isdisjoint(given) or not cls.limit
        part: dict[str, Any] = {"detector": content, "given": kept}
        if cls.name in BY_RATE and cls.control and not kept:
            part["rate"] = plain(self._settings.all_arl0)
        settings = self._settings
        part["arl0"], part["curve"] = settings.arl0, list(settings.curve)
        return Method(name=label("detector", {cls.name: given}), part=part)

    # -- fits --------------------------------------------------------------------------------------

    def fits(self, cells: Sequence[Cell]) -> tuple[list[Cell], list[FitJob]]:
        """Name the calibration that each cell needs: once per detector and drift-free law."""
        done, jobs = name_fits(cells, self._job)
        # detectors of one law one after the other: they share its signals
        order = sorted(jobs, key=lambda job: str(job.part.get("law", "")))
        return done, order

    def _job(self, cell: Cell) -> FitJob | None:
        content = cell.method.part["detector"]
        detector: Detector = make("detector", content)
        if detector.name == "clairvoyant":
            return self._references(cell)
        if detector.control and (detector.name in BY_RATE or not detector.limit):
            return None
        conditions = cell.task.part
        source: Source = make("signal", conditions["signal"])
        channel, reason = channel_of(detector, source)
        if reason:
            return None
        settings = self._settings
        laws = told_laws(detector, source)
        if isinstance(laws, str):
            return None
        law = source.null(conditions["stream"], conditions["learner"], channel, settings.horizon)
        part = {
            "method": content,
            "given": cell.method.part["given"],
            "told": laws,
            "law": {**law, "channel": channel, "horizon": settings.horizon, "root": cell.root},
            "arl0": settings.all_arl0,
            "runs": settings.runs,
            "checks": settings.checks,
            "versions": versions("signal", "calibration")
            | (versions("world") if source.reads_stream else {}),
        }
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
            from mlopsim.tracks._drift_evidence import references

            return references(job.part["references"], job.part["arl0"])
        from mlopsim.tracks._drift_fits import make_fit

        return make_fit(job.part)

    def fit_bundle(self, job: FitJob) -> str:
        """Calibrations on one law read the same signals; a floor is found alone."""
        if "references" in job.part:
            return job.key
        return digest([job.part["law"], job.part["runs"], job.part["checks"]])

    def fit_many(self, jobs: Sequence[FitJob], done: Mapping[str, FitResult]) -> list[FitResult]:
        """Calibrate detectors on one law; each signal is drawn once."""
        from mlopsim.tracks._drift_fits import make_fits

        return make_fits([job.part for job in jobs])

    # -- cells -------------------------------------------------------------------------------------

    def bundle(self, cell: Cell) -> str:
        """Cells of one scenario run together."""
        return bundle_of(cell)

    def run(self, cells: Sequence[Cell], fits: Mapping[str, FitResult]) -> list[Outcome]:
        """Run the detectors of the cells."""
        from mlopsim.tracks._drift_run import run_cells

        return run_cells(cells, fits, self._settings, self.tolerance, self.wait)

    # -- report --------------------------------------------------------------------------------------

    def leaderboard(self, table: Any) -> Any:
        """One row a method: delay, recall, false alarms, attained behaviour; each with interval and n."""
        from mlopsim.tracks._drift_report import leaderboard

        return leaderboard(table)

    def sections(self, table: Any, curves: Any) -> list[Section]:
        """Leaderboard, calibration, delay against false alarms, ranks, harmless changes, worth, words."""
        from mlopsim.tracks._drift_sections import sections

        return sections(table, curves, self._settings, self.tolerance)
