"""Fits of the fairness track: limits at which audits and batteries block a fair deployment equally rarely."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from mlopsim.core.errors import ConfigError
from mlopsim.core.identity import identity_words
from mlopsim.core.seeds import Axis, Split, seed_sequence
from mlopsim.core.spec import canonical, check_range, make, read_settings
from mlopsim.core.track import FitResult
from mlopsim.fairness.audit import Audit, Findings, Source
from mlopsim.fairness.batteries import Battery
from mlopsim.fairness.calibration import Limit, exact_limit, limit_of
from mlopsim.fairness.deployment import Deployment, Views, deploy
from mlopsim.fairness.explaining import Explaining
from mlopsim.stats.proportions import wilson
from mlopsim.streams.sources.population import Population

#: standard errors between what was asked and what fresh deployments show, above which a limit is missed
TOLERATED = 3.0


@dataclass(frozen=True, kw_only=True)
class Calibration:
    """What limits are asked to do, and how many fair deployments they are found and checked with.

    Parameters
    ----------
    alpha : float, default 0.05
        Share of fair deployments in which an audit, or a battery as a whole, blocks at least once.
    runs, checks : int, default 2000 and 1000
        Deployments without bias that a limit is found with, and fresh ones that it is checked with.
    lime_runs, lime_checks : int, default 500 and 250
        The same for audits and batteries that need LIME.

    Examples
    --------
    >>> Calibration.of({"runs": 100}).runs
    100
    """

    alpha: float = 0.05
    runs: int = 2000
    checks: int = 1000
    lime_runs: int = 500
    lime_checks: int = 250

    def __post_init__(self) -> None:
        check_range("fairness.calibration.alpha", self.alpha, 1e-6, 0.5)
        for name in ("runs", "checks", "lime_runs", "lime_checks"):
            check_range(f"fairness.calibration.{name}", getattr(self, name), 1, 10**7)
        for name in ("runs", "lime_runs"):
            if getattr(self, name) * self.alpha < 1.0:
                raise ConfigError(
                    f"fairness.calibration.{name}: {getattr(self, name)} deployments cannot show a rate of "
                    f"{self.alpha:g}",
                    remedy=f"use {math.ceil(1.0 / self.alpha)} or more",
                )

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> Calibration:
        """Read the settings ``fairness.calibration``.

        Raises
        ------
        ConfigError
            For an unknown name or a value out of range.
        """
        return read_settings(cls, given, "fairness.calibration")

    def settings(self) -> dict[str, Any]:
        """Return all settings."""
        return asdict(self)

    def sizes(self, needs: frozenset[Source]) -> tuple[int, int]:
        """Return how many deployments find and check the limit of an audit."""
        if Source.LIME in needs:
            return self.lime_runs, self.lime_checks
        return self.runs, self.checks


def members_of(content: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the parts of the audits of a battery; of a single audit, the audit itself."""
    audit: Audit = make("audit", content)
    if isinstance(audit, Battery):
        return [canonical("audit", spec) for spec in audit.members()]
    return [dict(content)]


def audit_rng(content: Mapping[str, Any], split: Split, index: int, root: int) -> np.random.Generator:
    """Return the generator of an audit in a scenario; it depends on no other audit."""
    words = identity_words(content)
    return np.random.default_rng(seed_sequence(Axis.METHOD, split, index, *words, root=root))


def open_deployment(
    law: Mapping[str, Any], split: Split, index: int, root: int, explaining: Explaining
) -> Deployment:
    """Draw the deployment of a scenario."""
    return deploy(
        law,
        seed_sequence(Axis.SCENARIO, split, index, root=root),
        seed_sequence(Axis.LEARNER, split, index, root=root),
        explaining,
    )


def examine(
    contents: Sequence[Mapping[str, Any]], views: Views, split: Split, index: int, root: int
) -> list[Findings]:
    """Return what single audits find, each with random numbers of its own."""
    found = []
    for content in contents:
        audit: Audit = make("audit", content)
        found.append(audit.examine(views.of(audit), audit_rng(content, split, index, root)))
    return found


@dataclass(kw_only=True)
class _Null:
    """Scores and rules of audits in fair deployments, drawn once and read by all fits of one law."""

    contents: list[dict[str, Any]]
    scores: dict[Split, np.ndarray]
    rules: dict[Split, np.ndarray]
    #: whether a feature gives the group away: what a model learns of it by chance treats groups unequally
    given_away: bool
    #: windows from rows to their labels
    label_delay: int

    def place(self, content: Mapping[str, Any]) -> int:
        """Return the number of an audit."""
        return self.contents.index(dict(content))

    def exact(self, audit: Audit) -> bool:
        """Say whether the law of the p-value of an audit is known."""
        return audit.exact and not self.given_away

    def windows(self, audit: Audit) -> int:
        """Return how many windows an audit has rows of: whoever needs labels has none of the first."""
        everything = next(iter(self.scores.values())).shape[2]
        return int(everything - (self.label_delay if audit.waits else 0))


def make_fits(parts: Sequence[Mapping[str, Any]]) -> list[FitResult]:
    """Calibrate audits and batteries on one law; each deployment is drawn once.

    Parameters
    ----------
    parts : sequence of dict
        Of fit jobs that share ``law``, ``explain``, ``calibration`` and ``root``.
    """
    settings = Calibration.of(parts[0]["calibration"])
    null = _simulate(parts, settings)
    return [_fit(part, settings, null) for part in parts]


def _simulate(parts: Sequence[Mapping[str, Any]], settings: Calibration) -> _Null:
    law, root = parts[0]["law"], parts[0]["root"]
    explaining = Explaining.of(parts[0]["explain"])
    contents: list[dict[str, Any]] = []
    sizes: list[tuple[int, int]] = []
    for part in parts:
        for content in members_of(part["audit"]):
            # a member of a battery is looked at as often as alone
            if content not in contents:
                contents.append(content)
                sizes.append(settings.sizes(make("audit", content).needs))
    source: Population = make("stream", law["stream"])
    null = _Null(
        contents=contents,
        scores={},
        rules={},
        given_away=source.place is not None,
        label_delay=law.get("label_delay", 0),
    )
    for which, split in enumerate((Split.TRAIN, Split.VALIDATION)):
        most = max(pair[which] for pair in sizes)
        windows = source.windows - source.warmup
        null.scores[split] = np.full((len(contents), most, windows), np.nan)
        null.rules[split] = np.zeros((len(contents), most, windows), dtype=np.bool_)
        for index in range(most):
            deployment = open_deployment(law, split, index, root, explaining)
            views = deployment.views(deployment.train())
            for k, content in enumerate(contents):
                if index >= sizes[k][which]:
                    continue
                (found,) = examine([content], views, split, index, root)
                null.scores[split][k, index] = found.score
                if found.rule is not None:
                    null.rules[split][k, index] = found.rule
    return null


def _fit(part: Mapping[str, Any], settings: Calibration, null: _Null) -> FitResult:
    audit: Audit = make("audit", part["audit"])
    exact = null.exact(audit)
    runs, checks = settings.sizes(audit.needs)
    members = members_of(part["audit"])
    limits = [_own_limit(content, settings, null) for content in members]
    rng = np.random.default_rng(seed_sequence(Axis.CALIBRATION, Split.VALIDATION, 0, root=part["root"]))
    info: dict[str, Any] = {"audits": members, "limits": [asdict(limit) for limit in limits]}
    if isinstance(audit, Battery):
        positions = {
            split: audit.combine(
                np.array(
                    [
                        limit.position(null.scores[split][null.place(content), :size])
                        for content, limit in zip(members, limits, strict=True)
                    ]
                )
            )
            for split, size in ((Split.TRAIN, runs), (Split.VALIDATION, checks))
        }
        limit = limit_of(positions[Split.TRAIN], settings.alpha)
        fresh = positions[Split.VALIDATION]
    else:
        limit = limits[0]
        fresh = null.scores[Split.VALIDATION][null.place(members[0]), :checks]
        rule = null.rules[Split.VALIDATION][null.place(members[0]), :checks]
        if audit.thumb:
            info["rule"] = _rate(np.asarray(rule.any(axis=1)))
    alarms = limit.alarms(fresh, rng.random(fresh.shape))
    rate = _rate(np.asarray(alarms.any(axis=1)))
    error = math.sqrt(settings.alpha * (1.0 - settings.alpha) * (1.0 / checks + (not exact) / runs))
    met = abs(rate[0] - settings.alpha) <= TOLERATED * error
    info |= {
        "limit": asdict(limit),
        "rate": rate,
        "exact": exact,
        "met": met,
        "runs": 0 if exact else runs,
        "missing": float(np.isnan(fresh).mean()),
    }
    return FitResult(info=info)


def _own_limit(content: Mapping[str, Any], settings: Calibration, null: _Null) -> Limit:
    """Return the limit of an audit alone."""
    audit: Audit = make("audit", content)
    scores = null.scores[Split.TRAIN][null.place(content)]
    if null.exact(audit):
        return exact_limit(settings.alpha, null.windows(audit))
    return limit_of(scores[: settings.sizes(audit.needs)[0]], settings.alpha)


def _rate(flags: np.ndarray) -> list[float]:
    """Return a share with its 95 % interval and n."""
    found = wilson(int(flags.sum()), len(flags))
    return [found.value, found.low, found.high, float(found.n)]


def limit_from(info: Mapping[str, Any]) -> Limit:
    """Return the limit of a fit."""
    return Limit(**info["limit"])
