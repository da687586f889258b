"""The governance track: which parts of the closed loop are worth what, alone and together."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from mlopsim.core.digest import digest
from mlopsim.core.errors import ConfigError
from mlopsim.core.registry import find, register
from mlopsim.core.spec import as_given, canonical, check_range, label, make, part, split_spec
from mlopsim.core.track import (
    Attribute,
    Cell,
    Curves,
    FitJob,
    FitResult,
    Front,
    Method,
    Metric,
    Outcome,
    Task,
)
from mlopsim.core.versions import versions
from mlopsim.delivery.search_space import space_of
from mlopsim.delivery.selector import selector_facts
from mlopsim.governance.constraint import Over
from mlopsim.tracks.base import always_listed, check_entry, distinct, name_fits, stream_facts
from mlopsim.tracks.governance.arms import ARMS, FIT_SEED, PARTS, SEARCH, Arm, all_arms, arm_of, read_arm
from mlopsim.tracks.governance.controls import CONTROLS
from mlopsim.tracks.governance.fitted import FITTED, RIVAL, conditions_of_fits, played_elsewhere
from mlopsim.tracks.governance.limit_facts import limit_facts
from mlopsim.tracks.governance.metrics import METRICS
from mlopsim.tracks.governance.worlds import trained

DEPLOYMENT: dict[str, Any] = {
    "governed": {
        "fallback": 0.6,
        "release": ["accuracy_drop"],
        "audits": ["demographic_parity"],
        "trigger": "ks",
        "constraints": ["accuracy_floor"],
    }
}
#: parts of a task, with their defaults
TASK_PARTS: dict[str, Any] = {
    "stream": "population",
    "learner": "ridge",
    "training": "last",
    "gate": "iqr",
    "deployment": DEPLOYMENT,
}
ONE, EACH = "one", "each"
#: a selector that every table has beside those of all tracks: the front needs it
ALWAYS = ("suspend_always",)


@register("track", "governance")
@dataclass(kw_only=True)
class GovernanceTrack:
    """The closed loop in all combinations of its parts, with references, on paired scenarios.

    An arm is a method with some of five parts on: data gate, drift trigger, release audits, learned selector,
    rollback (:mod:`mlopsim.tracks.governance.arms`). ``arms`` in a list of methods stands for all 32;
    ``gate+trigger``, ``none``, ``all``, or ``{arm: [gate, trigger]}``, for one. Other selectors have all
    that the task has.

    Parameters
    ----------
    steps : int
        Environment steps that each fit may use, rules and agents alike; everything counts. 0 switches tuning
        off: rules keep their defaults, and there is no learned arm.
    scenarios : int
        Number of training scenarios; each has one World behind the data gate and one without it.
    train_stream : spec
        The family of streams that fits are made from, whatever the task's own stream is.
    learned : spec of a selector
        Decides in arms that learn; it has a parameter ``arms``, as ``ppo_lagrangian`` has.
    alarm : spec of a selector
        Decides in arms with a trigger that do not learn; with rollback in ``with_rollback``, and in
        ``with_suspension`` if it does not suspend by itself.
    schedule : spec of a selector
        Decides in arms with neither, likewise.
    agents : str
        ``one``: one agent serves all arms that learn; what is on is drawn for each episode of its training,
        and observed. ``each``: one agent for each of them, with as many steps.
    fit_seeds : int
        Fits of each arm, each with a seed of its own: trainings of those that learn, searches of those whose
        rule is tuned. With more than one an arm is as many methods, ``all #0``, ``all #1``, ...: what it is
        worth hangs on the luck of its fit, too.
    chosen_on : int or None
        Scenarios on which the parameters of a rule are chosen in the end, of the fifth that is kept back, as
        many of each family; None: all of it. As many as an agent's snapshots are judged on make the two
        choices alike: with more, the same limits are shown to be kept more easily.
    prices : list of float
        Of cost, ascending from 0, at which the optimum is bracketed.
    record : bool
        Whether the heads of each deployment's record are facts about its cell (``mlopsim audit-log``).

    Examples
    --------
    >>> track = GovernanceTrack(steps=0)
    >>> [m.name for m in track.methods(["none", "gate+rollback"])]
    ['never', 'suspend_always', 'none', 'gate+rollback', 'optimum']
    """

    metrics: ClassVar[Sequence[Metric]] = METRICS
    #: what `mlopsim check` runs
    smallest: ClassVar[Mapping[str, Any]] = {
        "settings": {"steps": 0, "prices": [0.0, 0.2]},
        "tasks": [{"stream": {"population": {"windows": 16, "per_group": 40, "warmup": 4}}}],
        "methods": ["none", "gate+trigger+audits+rollback"],
    }
    parts: ClassVar[Mapping[str, Any]] = TASK_PARTS
    score: ClassVar[Metric] = Metric(
        name="front", unit="1", direction="max", primary=True, text="front score"
    )
    #: bounds of the optimum, and costs of single constraints, are series of cells
    reads_curves: ClassVar[bool] = True
    steps: int = 300_000
    scenarios: int = 200
    train_stream: Any = part("stream", "population")
    learned: Any = part("selector", "ppo_lagrangian")
    alarm: Any = part("selector", "observed_alarm")
    schedule: Any = part("selector", "periodic")
    agents: str = ONE
    fit_seeds: int = 1
    chosen_on: int | None = None
    prices: list[float] = field(default_factory=lambda: [0.0, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5])
    record: bool = False
    #: facts about a cell whose value depends on the platform
    per_platform: ClassVar[Sequence[str]] = ("evidence_root",)

    def __post_init__(self) -> None:
        check_range("governance.steps", self.steps, 0, 10**9)
        check_range("governance.scenarios", self.scenarios, 2, 10**6)
        if self.agents not in (ONE, EACH):
            raise ConfigError(
                f"governance.agents must be one or each, got {self.agents!r}", remedy="agents=one"
            )
        check_range("governance.fit_seeds", self.fit_seeds, 1, 1000)
        if self.chosen_on is not None:
            check_range("governance.chosen_on", self.chosen_on, 1, 10**6)
        for price in self.prices:
            check_range("governance.prices", price, 0.0, 1e6)
        if not self.prices or self.prices[0] != 0.0 or sorted(set(self.prices)) != list(self.prices):
            raise ConfigError(
                f"governance.prices must ascend from 0, got {self.prices}", remedy="prices=[0, 0.1, 0.5]"
            )

    # -- what is compared ------------------------------------------------------------------------

    def tasks(self, entries: Sequence[Any]) -> list[Task]:
        """Resolve task entries ``{name, scenario, stream, learner, training, gate, deployment, fitted}``.

        ``scenario`` says to which family of streams a task belongs, where its stream does not say better;
        ``fitted`` names the task under whose conditions its fits are made.
        """
        found = [self._task(number, entry) for number, entry in enumerate(entries)]
        named = {task.name: task for task in found}
        return [
            task if entry.get(FITTED) is None else played_elsewhere(task, entry[FITTED], named)
            for task, entry in zip(found, entries, strict=True)
        ]

    def _task(self, number: int, entry: Any) -> Task:
        check_entry(number, entry, ["name", "scenario", *TASK_PARTS, FITTED])
        specs = {kind: entry.get(kind, default) for kind, default in TASK_PARTS.items()}
        content: dict[str, Any] = {
            kind: None if kind == "gate" and spec is None else canonical(kind, spec)
            for kind, spec in specs.items()
        }
        deployment = make("deployment", content["deployment"])
        if not hasattr(deployment, "mechanisms"):
            raise ConfigError(
                f"task {number}: {deployment.full_name} has no parts that could be on or off",
                remedy="deployment: governed",
            )
        if deployment.has_canary:
            raise ConfigError(
                f"task {number}: the optimum under limits knows no canaries", remedy="canary_windows: 0"
            )
        # that there is such a gate, and that the training policy may be guarded, is said before work starts
        trained(content, True)
        content["versions"] = versions("world", "dynamics", "features", "governance")
        if self.record:
            content["record"] = True
        stream = stream_facts(content["stream"])
        name = str(entry.get("name") or self._task_name(content))
        scenario = entry.get("scenario", stream.get("scenario"))
        if scenario is not None and not isinstance(scenario, str):
            raise ConfigError(f"task {number}: scenario must be a text, got {scenario!r}")
        facts: dict[str, Attribute] = {
            **stream,
            "scenario": scenario,
            **{kind: make(kind, content[kind]).name for kind in ("learner", "training", "deployment")},
            "data_gate": None if content["gate"] is None else make("gate", content["gate"]).name,
            **deployment.facts(),
            **limit_facts(deployment),
            **_review_facts(content),
            **dict.fromkeys((FITTED, RIVAL)),
        }
        return Task(name=name, part=content, attributes=facts)

    @staticmethod
    def _task_name(content: Mapping[str, Any]) -> str:
        words = [label("stream", content["stream"]), label("learner", content["learner"])]
        if content["deployment"] != canonical("deployment", DEPLOYMENT):
            words.append(label("deployment", content["deployment"]))
        return " / ".join(words)

    def methods(self, entries: Sequence[Any]) -> list[Method]:
        """Resolve arms, selectors and references; never, suspend_always and the optimum always belong."""
        listed: list[Any] = []
        for entry in entries:
            listed += all_arms() if entry == ARMS else [entry]
        named = [entry for entry in listed if isinstance(entry, str)]
        listed[:0] = [name for name in (*always_listed("selector"), *ALWAYS) if name not in named]
        listed += [name for name in CONTROLS if name not in named]
        return distinct(method for entry in listed for method in self._each(entry))

    def _each(self, entry: Any) -> list[Method]:
        """Return the methods of an entry: one, or one for each seed of the fit of an arm that has one."""
        method = self._method(entry)
        arm = entry if isinstance(entry, Arm) else read_arm(entry)
        if arm is None or self.fit_seeds == 1 or not (arm.learned or "free" in method.part):
            return [method]
        return [self._arm(arm, number) for number in range(self.fit_seeds)]

    def _method(self, entry: Any) -> Method:
        if isinstance(entry, str) and entry in CONTROLS:
            own = f"control/{entry}"
            params = CONTROLS[entry].params(self.prices)
            content = {"kind": "control", "name": entry, "versions": versions(own), "params": params}
            return Method(name=entry, part=content, attributes={**CONTROLS[entry].facts(), **_no_arm()})
        arm = entry if isinstance(entry, Arm) else read_arm(entry)
        if arm is None:
            content, facts = self._selector(entry)
            name, given = split_spec("selector", entry)
            named = label("selector", {find("selector", name).name: given})
            return Method(name=named, part=content, attributes={**facts, **_no_arm()})
        return self._arm(arm)

    def _arm(self, arm: Arm, number: int | None = None) -> Method:
        """Return the method of an arm, ``number``: by which of several fits."""
        spec = self._decides(arm)
        if number and arm.learned:
            name, given = split_spec("selector", spec)
            # the first is the agent that there would be alone
            spec = {name: {**given, "train_seed": int(given.get("train_seed", 0)) + number}}
        content, facts = self._selector(spec)
        if arm.learned and "arms" not in _params_of(content):
            raise ConfigError(
                f"selector/{content['name']} does not learn with parts on and off (arm {arm.name})",
                remedy="governance.learned=ppo_lagrangian",
            )
        if arm.learned and "arms" in split_spec("selector", spec)[1]:
            raise ConfigError(
                "governance.learned cannot say its arms: these are all that learn",
                remedy="leave them out; methods are arms",
            )
        content = {**content, "arm": arm.content()}
        if number and not arm.learned:
            content[SEARCH] = number
        facts |= {"role": "method", **arm.content()}
        if number is None:
            return Method(name=arm.name, part=content, attributes=facts)
        return Method(name=f"{arm.name} #{number}", part=content, attributes={**facts, FIT_SEED: number})

    def _decides(self, arm: Arm) -> Any:
        """Return the spec of the selector of an arm."""
        if arm.learned:
            return _given(self.learned)
        rule = _given(self.alarm if arm.trigger else self.schedule)
        if not arm.trigger and getattr(make("selector", rule), "uses_inputs", False):
            raise ConfigError(
                f"governance.schedule is {label('selector', rule)}, which watches inputs: the arm {arm.name} "
                "has no trigger",
                remedy="a schedule, such as periodic; what alarms is governance.alarm",
            )
        # what learns decides on rollbacks itself; to a rule that retrains somebody must tell when to go back
        rule = {"with_rollback": {"rule": rule}} if arm.rollback else rule
        # what learns may suspend and knows the limits: else `learned` would be worth that, too
        suspends = getattr(make("selector", rule), "can_suspend", False)
        return rule if suspends else {"with_suspension": {"rule": rule}}

    def _selector(self, spec: Any) -> tuple[dict[str, Any], dict[str, Attribute]]:
        """Return the part of a selector, with what is free in it, and its attributes."""
        name, given = split_spec("selector", spec)
        cls = find("selector", name)
        built = make("selector", {cls.name: given})
        content = canonical("selector", {cls.name: given})
        agent = getattr(cls, "agent", False)
        if hasattr(cls, "stands_on"):
            raise ConfigError(
                f"{cls.full_name} is made from another fit, which this track does not make",
                remedy="compare it in the delivery track",
            )
        if agent and self.steps == 0:
            raise ConfigError(f"{cls.full_name} must be trained", remedy="set governance.steps above 0")
        if self.steps > 0 and not agent:
            free = sorted(set(space_of(built)) - set(given))
            if free:
                content = {**content, "free": free}
        return content, selector_facts(built)

    # -- fits --------------------------------------------------------------------------------------

    def fits(self, cells: Sequence[Cell]) -> tuple[list[Cell], list[FitJob]]:
        """Name the tuning or training that each cell needs; refuse limits that nothing can meet."""
        from mlopsim.tracks.governance.reach import refuse_unreachable

        stream = canonical("stream", self.train_stream)
        named = name_fits(cells, lambda cell: self._job(cell, stream))
        refuse_unreachable(cells)
        return named

    @staticmethod
    def _check(cell: Cell) -> None:
        """Refuse an arm that switches on what the task has not, and a selector that cannot be rolled out."""
        content, task = cell.method.part, cell.task
        deployment = make("deployment", task.part["deployment"])
        if "arm" in content:
            lacking = arm_of(content).missing(deployment, task.part["gate"])
            if lacking:
                where = {"gate": "gate", "audits": "deployment.governed.audits, or .release"}
                name = where.get(lacking[0], f"deployment.governed.{lacking[0]}")
                raise ConfigError(
                    f"the arm {cell.method.name} switches on what the task '{task.name}' has not: "
                    f"{', '.join(lacking)}",
                    remedy=f"give the task {name}, or leave the arm out",
                )
        if content["kind"] != "selector":
            return
        selector = make("selector", {key: content[key] for key in ("kind", "name", "params")})
        if hasattr(selector, "arms"):
            for one in (make("constraint", spec) for spec in deployment.constraints):
                if one.over is not Over.MEAN:
                    raise ConfigError(
                        f"{cell.method.name} in the task '{task.name}': agents learn limits on the mean "
                        f"cost, {one.full_name} has one over {one.over.value}",
                        remedy="over: mean",
                    )
        check = getattr(selector, "check", None)
        # a control without a place in a task has undefined cells there
        if callable(check) and not getattr(selector, "control", False):
            try:
                check(deployment)
            except ConfigError as error:
                raise ConfigError(
                    f"{cell.method.name} in the task '{task.name}': {error.message}", remedy=error.remedy
                ) from error

    def _job(self, cell: Cell, stream: Mapping[str, Any]) -> FitJob | None:
        self._check(cell)
        content = cell.method.part
        if content["kind"] != "selector":
            return None
        cls = find("selector", content["name"])
        agent = bool(getattr(cls, "agent", False))
        if not agent and not content.get("free"):
            return None
        conditions = conditions_of_fits(cell.task.part)
        deployment = make("deployment", conditions["deployment"])
        arm, gated = arm_of(content), conditions["gate"] is not None
        one = self.agents == ONE and agent and "arm" in content
        arms = [each for each in all_arms() if each.learned] if one else [arm]
        arms = [each for each in arms if not each.missing(deployment, conditions["gate"])]
        spec = {
            "method": {key: value for key, value in content.items() if key != "arm"},
            "stream": stream,
            "learner": conditions["learner"],
            # both for every fit, so that they share their Worlds
            "training": [trained(conditions, gate) for gate in ((True, False) if gated else (False,))],
            "worlds": sorted({0 if each.gate or not gated else 1 for each in arms}),
            "deployment": conditions["deployment"],
            "arms": sorted({each.switches(deployment) for each in arms}),
            "scenarios": self.scenarios,
            "steps": self.steps,
            "root": cell.root,
            "versions": versions(
                "world", "dynamics", "features", "governance", "training" if agent else "tuning"
            ),
        }
        if not agent:
            spec["chosen_on"] = self.chosen_on
        name = label("selector", {content["name"]: {}}) if one else cell.method.name
        where = label("learner", conditions["learner"])
        text = f"{'train' if agent else 'tune'} {name} on {where}"
        return FitJob(track=cell.track, label=text, part=spec)

    def fit(self, job: FitJob, done: Mapping[str, FitResult]) -> FitResult:
        """Tune a rule or train an agent, from training scenarios only."""
        from mlopsim.tracks.governance.fits import make_fit

        return make_fit(job.part)

    # -- cells -------------------------------------------------------------------------------------

    def bundle(self, cell: Cell) -> str:
        """Cells of one World run together."""
        conditions = [cell.task.part[kind] for kind in ("stream", "learner", "training")]
        gate = trained(cell.task.part, arm_of(cell.method.part).gate)
        return digest([conditions, gate, cell.split, cell.seed, cell.root])

    def run(self, cells: Sequence[Cell], fits: Mapping[str, FitResult]) -> list[Outcome]:
        """Roll the methods out over the cells' Worlds."""
        from mlopsim.tracks.governance.run import run_cells

        return run_cells(cells, fits)

    def redeploy(
        self,
        cell: Cell,
        fits: Mapping[str, FitResult],
        *,
        overrides: Sequence[Any] = (),
        taken: Mapping[int, int] | None = None,
    ) -> Any:
        """Compute the deployment of a cell again (:class:`mlopsim.core.track.Redeploys`)."""
        from mlopsim.tracks.governance.rolling import redeploy

        return redeploy(cell, fits, overrides=overrides, taken=taken)

    # -- report --------------------------------------------------------------------------------------

    def leaderboard(self, table: Any, curves: Curves | None = None) -> Any:
        """One row a method: front score, return, cost, limits met, means; each with interval and n."""
        from mlopsim.tracks.governance.analysis import leaderboard

        return leaderboard(table, curves)

    def by_task(self, table: Any, curves: Curves) -> Any:
        """Return the score of each method on each task."""
        from mlopsim.tracks.governance.analysis import by_task

        return by_task(table, curves)

    def compare(self, table: Any, a: str, b: str, curves: Curves | None = None) -> Any:
        """Return the front score of a less that of b, by task and pooled, with interval and n."""
        from mlopsim.tracks.governance.analysis import compare

        return compare(table, a, b, curves)

    def front(self, table: Any, curves: Curves) -> Front:
        """Return the front of each task and the places of the methods."""
        from mlopsim.tracks.governance.pictures import front_of

        return front_of(table, curves)


def _review_facts(content: Mapping[str, Any]) -> dict[str, Attribute]:
    """Return who reviews, and what is the same in tasks that differ in nothing else."""
    deployment = dict(content["deployment"])
    deployment["params"] = {k: v for k, v in deployment["params"].items() if k != "reviewer"}
    reviewer = content["deployment"]["params"].get("reviewer")
    # whose fits are played is no condition: a task with those of another reviewer belongs to the same group
    return {
        "review": "nobody" if reviewer is None else label("reviewer", reviewer),
        "conditions": digest({**content, "deployment": deployment})[:16],
    }


def _no_arm() -> dict[str, Attribute]:
    """Return the attributes of what is no arm."""
    return dict.fromkeys(PARTS)


def _given(spec: Any) -> Any:
    """Return a selector's spec with what was given; of a completed part what differs from the defaults."""
    whole = isinstance(spec, Mapping) and {"kind", "name", "params"} <= set(spec)
    return as_given("selector", spec) if whole else spec


def _params_of(content: Mapping[str, Any]) -> list[str]:
    return [entry.name for entry in dataclasses.fields(find("selector", content["name"]))]
