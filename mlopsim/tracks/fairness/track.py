"""The fairness track: which release test finds which bias, how soon, and how often it blocks a fair model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

from mlopsim.core.digest import digest, plain
from mlopsim.core.errors import ConfigError, nearest
from mlopsim.core.registry import find, register
from mlopsim.core.spec import canonical, check_range, label, make, params_of, part_of, split_spec
from mlopsim.core.track import Attribute, Cell, Curves, FitJob, FitResult, Method, Metric, Outcome, Task
from mlopsim.core.versions import versions
from mlopsim.fairness.audit import Audit
from mlopsim.fairness.batteries import Battery
from mlopsim.fairness.deployment import unbiased
from mlopsim.fairness.explaining import Explaining
from mlopsim.learners.base import takes_weights
from mlopsim.streams.biases.base import Bias
from mlopsim.streams.sources.population import Population
from mlopsim.tracks.base import check_entry, distinct, name_fits, stream_facts
from mlopsim.tracks.fairness.controls import CONTROLS
from mlopsim.tracks.fairness.fits import Calibration
from mlopsim.tracks.fairness.metrics import METRICS

#: parts of a task
PARTS = {"stream": "population", "learner": "ridge"}
KEYS = ("name", *PARTS, "every", "first_only", "guard", "label_delay", "explain", "strengths")
#: conditions of a deployment beside its people that limits depend on
LAW = ("learner", "every", "first_only", "label_delay")
#: violations up to which a model does no harm
TOLERATED = {"treatment": 0.05, "impact": 0.2, "errors": 0.1}


@register("track", "fairness")
@dataclass(kw_only=True)
class FairnessTrack:
    r"""Audits and batteries compared at the same rate of blocking a fair deployment.

    A task is a population with a bias and a learner; with ``strengths`` it stands for one task a strength.
    ``every`` says how many windows lie between trainings (0: the first model stays), ``first_only`` that
    audits know the first of two attributes only, ``guard`` that the method decides what serves,
    ``label_delay`` how many windows labels are late (audits that use labels wait for them, others do not),
    and ``explain`` changes settings of explanations for this task (``{rows: 600}``: LIME explains as many
    rows as there are).

    The limit of a method is such that the largest of its positions over the windows of a fair deployment
    exceeds it with probability :math:`\alpha` = ``calibration.alpha``.

    Parameters
    ----------
    calibration : dict
        ``alpha``, ``runs``, ``checks``, ``lime_runs``, ``lime_checks``: see
        :class:`mlopsim.tracks.fairness.fits.Calibration`.
    explain : dict
        ``background``, ``rows``, ``samples``: see :class:`mlopsim.fairness.explaining.Explaining`.
    tolerated : dict
        Violations up to which a model does no harm: ``treatment`` (share of decisions that the group
        changes), ``impact`` (1 less the ratio, lowest by highest acceptance rate), ``errors`` (the larger
        spread, largest less smallest rate of a group, of both error rates).
    rules : bool, default True
        Whether the customary rule of thumb of each audit is a method, too.

    Examples
    --------
    >>> track = FairnessTrack()
    >>> [m.name for m in track.methods(["four_fifths"])]
    ['four_fifths', 'four_fifths @rule', 'never', 'always', 'oracle']
    """

    metrics: ClassVar[Sequence[Metric]] = METRICS
    #: what `mlopsim check` runs
    smallest: ClassVar[Mapping[str, Any]] = {
        "settings": {
            "calibration": {"alpha": 0.2, "runs": 10, "checks": 10, "lime_runs": 10, "lime_checks": 10}
        },
        # a bias and a fair difference with the same features, guarded: there is something for each section
        "tasks": [
            {
                "name": bias,
                "stream": {
                    "population": {
                        "windows": 6,
                        "warmup": 2,
                        "per_group": 40,
                        "bias": bias,
                        "timing": {"step": {"at": 3}},
                    }
                },
                "every": 2,
                "guard": True,
                "label_delay": late,
                "strengths": [1.0, 2.0],
            }
            for bias, late in (("proxy", 0), ("unequal_base_rate", 0), ("label_bias", 1))
        ],
        "methods": [
            "four_fifths",
            {"arm": {"audits": ["demographic_parity"]}},
            {"arm": {"audits": ["four_fifths", "shap_gap"]}},
        ],
    }
    parts: ClassVar[Mapping[str, Any]] = PARTS
    #: what `fairness-guarding` draws, and the truth; where a method stands in each window, which no section
    #: reads, is nine tenths of all bytes
    compared_curves: ClassVar[Sequence[str]] = (
        *("treatment", "impact", "errors", "accuracy"),
        *("served_treatment", "served_impact", "served_errors", "served_accuracy"),
    )
    score: ClassVar[Metric] = Metric(name="power", unit="1", direction="max", primary=True, text="power")
    calibration: dict[str, Any] = field(default_factory=lambda: Calibration().settings())
    explain: dict[str, Any] = field(default_factory=lambda: Explaining().settings())
    tolerated: dict[str, Any] = field(default_factory=lambda: dict(TOLERATED))
    rules: bool = True

    def __post_init__(self) -> None:
        self.calibration = Calibration.of(self.calibration).settings()
        self.explain = Explaining.of(self.explain).settings()
        for name, value in self.tolerated.items():
            if name not in TOLERATED:
                raise ConfigError(
                    f"fairness.tolerated has no '{name}'{nearest(str(name), list(TOLERATED))}",
                    remedy=f"it has: {', '.join(TOLERATED)}",
                )
            if not isinstance(value, int | float) or isinstance(value, bool):
                raise ConfigError(f"fairness.tolerated.{name} must be a number, got {value!r}")
            check_range(f"fairness.tolerated.{name}", value, 0.0, 1.0)
        self.tolerated = {name: float(self.tolerated.get(name, value)) for name, value in TOLERATED.items()}

    # -- what is compared ------------------------------------------------------------------------

    def tasks(self, entries: Sequence[Any]) -> list[Task]:
        """Resolve task entries ``{name, stream, learner, every, first_only, guard, strengths}``."""
        return [task for number, entry in enumerate(entries) for task in self._tasks(number, entry)]

    def _tasks(self, number: int, entry: Any) -> list[Task]:
        check_entry(number, entry, KEYS)
        content: dict[str, Any] = {
            kind: canonical(kind, entry.get(kind, default)) for kind, default in PARTS.items()
        }
        source = make("stream", content["stream"])
        if not isinstance(source, Population):
            raise ConfigError(
                f"task {number}: of {source.full_name} the truth about bias is not known",
                remedy="stream: {population: {bias: ..., strength: ...}}",
            )
        if source.drifts:
            raise ConfigError(
                f"task {number}: audits are scored in populations whose rule and merits stay",
                remedy="leave out rule and merits; drift and bias together: deployment/governed",
            )
        content["every"] = _whole(number, "every", entry.get("every", 0))
        for name in ("first_only", "guard"):
            content[name] = entry.get(name, False)
            if not isinstance(content[name], bool):
                raise ConfigError(f"task {number}: {name} must be true or false, got {content[name]!r}")
        if content["first_only"] and source.attributes != 2:
            raise ConfigError(
                f"task {number}: first_only needs a population with two attributes", remedy="attributes: 2"
            )
        if content["guard"] and not takes_weights(make("learner", content["learner"])):
            raise ConfigError(
                f"task {number}: {label('learner', content['learner'])} cannot count rows by weights, as "
                "reweighing needs",
                remedy="guard: false, or a learner whose fit takes weight=",
            )
        late = _whole(number, "label_delay", entry.get("label_delay", 0))
        if late >= source.windows - source.warmup:
            raise ConfigError(
                f"task {number}: labels that are {late} windows late are never there: "
                f"{source.windows - source.warmup} windows are audited",
                remedy=f"label_delay: 0 to {source.windows - source.warmup - 1}",
            )
        if late:
            # where labels are there at once nothing says so: keys stay what they were
            content["label_delay"] = late
        given = entry.get("explain", {})
        if not isinstance(given, Mapping):
            raise ConfigError(f"task {number}: explain must be settings, e.g. {{rows: 600}}, got {given!r}")
        explain = Explaining.of({**self.explain, **given}).settings()
        content |= {"explain": explain, "tolerated": self.tolerated, "versions": versions("fairness")}
        name = str(entry.get("name") or _name(source, content))
        if "strengths" not in entry:
            return [Task(name=name, part=content, attributes=_facts(name, source, content))]
        strengths = entry["strengths"]
        if not isinstance(strengths, Sequence) or isinstance(strengths, str) or not strengths:
            raise ConfigError(f"task {number}: strengths must be a list of numbers, got {strengths!r}")
        found = []
        for strength in strengths:
            stronger = replace(source, strength=float(strength))
            part = {**content, "stream": part_of(stronger)}
            facts = _facts(name, stronger, part)
            found.append(Task(name=f"{name}, s = {float(strength):g}", part=part, attributes=facts))
        return found

    def methods(self, entries: Sequence[Any]) -> list[Method]:
        """Resolve audits and batteries, and their rules of thumb; controls always belong to the table."""
        found = [method for entry in entries for method in self._methods(entry)]
        usual = {"audit": None, "rule": False, "arm": False}
        found += [
            Method(name=name, part={**usual, "control": name}, attributes=control.facts())
            for name, control in CONTROLS.items()
        ]
        return distinct(found)

    def _methods(self, entry: Any) -> list[Method]:
        name, given = split_spec("audit", entry)
        cls = find("audit", name)
        content = canonical("audit", {cls.name: given})
        audit: Audit = make("audit", content)
        shown = label("audit", {cls.name: given})
        # the keys of a part enter digests and stay what they were
        part = {"audit": content, "rule": False, "arm": isinstance(audit, Battery), "control": None}
        part["calibration"] = plain(self.calibration)
        facts = {**audit.facts(), "limit": "calibrated"}
        found = [Method(name=shown, part=part, attributes=facts)]
        if self.rules and audit.thumb:
            given = {**facts, "limit": "given"}
            found.append(Method(name=f"{shown} @rule", part={**part, "rule": True}, attributes=given))
        return found

    # -- fits --------------------------------------------------------------------------------------

    def fits(self, cells: Sequence[Cell]) -> tuple[list[Cell], list[FitJob]]:
        """Name the limit that each cell needs: once per audit and law without bias."""
        nulls: dict[str, dict[str, Any]] = {}
        done, jobs = name_fits(cells, lambda cell: self._job(cell, nulls))
        return done, sorted(jobs, key=self.fit_bundle)

    def _job(self, cell: Cell, nulls: dict[str, dict[str, Any]]) -> FitJob | None:
        """Return the fit of a cell; ``nulls`` keeps the stream without bias of each task."""
        if cell.method.part["audit"] is None:
            return None
        conditions = cell.task.part
        if cell.task.digest not in nulls:
            nulls[cell.task.digest] = part_of(unbiased(conditions["stream"]))
        law = {
            "stream": nulls[cell.task.digest],
            **{name: conditions[name] for name in LAW if name in conditions},
        }
        part = {
            "audit": cell.method.part["audit"],
            "law": law,
            "explain": conditions["explain"],
            "calibration": cell.method.part["calibration"],
            "root": cell.root,
            "versions": versions("fairness"),
        }
        name = label("audit", part["audit"])
        return FitJob(track=cell.track, label=f"calibrate {name} for {cell.task.name}", part=part)

    def fit(self, job: FitJob, done: Mapping[str, FitResult]) -> FitResult:
        """Calibrate an audit or a battery on deployments without bias, and check it on fresh ones."""
        return self.fit_many([job], done)[0]

    def fit_bundle(self, job: FitJob) -> str:
        """Fits of one law read the same deployments."""
        return digest([job.part[name] for name in ("law", "explain", "calibration", "root")])

    def fit_many(self, jobs: Sequence[FitJob], done: Mapping[str, FitResult]) -> list[FitResult]:
        """Calibrate on one law; each deployment is drawn once."""
        from mlopsim.tracks.fairness.fits import make_fits

        return make_fits([job.part for job in jobs])

    # -- cells -------------------------------------------------------------------------------------

    def bundle(self, cell: Cell) -> str:
        """Cells of one scenario run together."""
        return digest([cell.task.digest, cell.split, cell.seed, cell.root])

    def run(self, cells: Sequence[Cell], fits: Mapping[str, FitResult]) -> list[Outcome]:
        """Run the audits of the cells."""
        from mlopsim.tracks.fairness.run import run_cells

        return run_cells(cells, fits)

    # -- report --------------------------------------------------------------------------------------

    def by_task(self, table: Any, curves: Curves) -> Any:
        """Return the score of each method on each task."""
        from mlopsim.tracks.fairness.compare import by_task

        return by_task(table)

    def compare(self, table: Any, a: str, b: str) -> Any:
        """Return the power of a less that of b, by task and pooled, with interval and n."""
        from mlopsim.tracks.fairness.compare import compare

        return compare(table, a, b)

    def leaderboard(self, table: Any) -> Any:
        """One row a method: power by norm, false blocks, delay, blame; each with interval and n."""
        from mlopsim.tracks.fairness.analysis import leaderboard

        return leaderboard(table)


def _facts(name: str, source: Population, content: Mapping[str, Any]) -> dict[str, Attribute]:
    """Return the facts about a task, for the columns of its cells.

    ``features`` is the same for tasks of which somebody who sees no labels sees the same: those with the same
    people, the same features given the group, the same learner and the same trainings. ``conditions`` is the
    same for tasks that differ in the label delay and in settings of explanations only.
    """
    bias: Bias = make("bias", source.bias)
    conditions = {key: content[key] for key in (*LAW, "guard", "explain") if key in content}
    seen = {bias.twin or bias.name: params_of(bias)}
    fixed = {key: content[key] for key in ("stream", "learner", "every", "first_only", "guard")}
    return {
        "scenario": name,
        **stream_facts(content["stream"]),
        "learner": str(content["learner"]["name"]),
        **{key: conditions[key] for key in ("every", "first_only", "guard")},
        "label_delay": content.get("label_delay", 0),
        "lime_rows": content["explain"]["rows"],
        "conditions": digest(fixed)[:12],
        "features": digest({**conditions, "stream": part_of(replace(source, bias=seen))})[:12],
    }


def _whole(number: int, name: str, value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise ConfigError(f"task {number}: {name} must be a whole number from 0, got {value!r}")
    return value


def _name(source: Population, content: Mapping[str, Any]) -> str:
    bias = label("bias", source.bias)
    models = f"retrained every {content['every']}" if content["every"] else "frozen"
    late = f", labels {content['label_delay']} late" if "label_delay" in content else ""
    return f"{bias} / {label('learner', content['learner'])} / {models}{late}"
