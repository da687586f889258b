"""The lineage of a deployment: what served when, and the record of each version."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from mlopsim.core.errors import ConfigError
from mlopsim.core.fingerprint import fingerprint, fingerprint_digest
from mlopsim.core.spec import canonical, label, part_of
from mlopsim.core.versions import VERSIONS
from mlopsim.governance.lineage.measured import measured_of
from mlopsim.governance.lineage.passage import Passage, passages_of
from mlopsim.governance.lineage.traffic import Traffic, traffic_of
from mlopsim.governance.lineage.training_rows import bits_of, training_of
from mlopsim.governance.lineage.version import SCHEMA, Judged, VersionRecord
from mlopsim.governance.loop.release import AuditTests, audit_tests, gate_verdicts
from mlopsim.governance.record.deployed import Deployed
from mlopsim.governance.record.derived import events_of
from mlopsim.governance.record.events import FALLBACK

if TYPE_CHECKING:
    import polars as pl

    from mlopsim.governance.record.events import Event
    from mlopsim.world.world import World


@dataclass(frozen=True, kw_only=True)
class Lineage:
    """What served when in a deployment, and where it came from.

    Parameters
    ----------
    deployed : Deployed
        The deployment, computed again.
    events : sequence of Event
        Its record.
    traffic : Traffic
        What served when.
    passages : dict of int to Passage
        What became of each version.
    """

    deployed: Deployed
    events: Sequence[Event]
    traffic: Traffic
    passages: Mapping[int, Passage]

    @cached_property
    def world(self) -> World:
        """Its World."""
        return self.deployed.pool.world(self.deployed.world)

    @property
    def initial(self) -> int:
        """The version that serves at the start."""
        return int(self.deployed.pool.warmup) - 1

    def serving_at(self, window: int) -> VersionRecord | None:
        """Return the record of what served a window (the base of a canary); None: the fallback.

        Raises
        ------
        ConfigError
            If nothing served that window.
        """
        version = self.traffic.at(window).version
        return None if version == FALLBACK else self.version(version)

    def version(self, number: int) -> VersionRecord:
        """Return the record of a version.

        Raises
        ------
        ConfigError
            If the deployment has no such version.
        """
        if number not in self.passages:
            raise ConfigError(
                f"the deployment has no version {number}",
                remedy=f"its versions: {', '.join(map(str, self.passages))}",
            )
        passage, world = self.passages[number], self.world
        source, spec = world.source, world.spec
        training = training_of(source, number)
        waited = 0 if passage.review is None else passage.review.waited
        seed = None if spec is None else spec.learner_seed(number)
        initial = number == self.initial
        return VersionRecord(
            schema=SCHEMA,
            cell=self.deployed.cell,
            method=self.deployed.method,
            number=number,
            parent=passage.parent,
            decided=passage.decided,
            decided_by=passage.decided_by,
            world=None if spec is None else spec.as_dict(),
            components=self.components,
            seed=None if seed is None else {"entropy": seed.entropy, "spawn_key": list(seed.spawn_key)},
            platform=fingerprint_digest(),
            environment=fingerprint(),
            classes=tuple(world.classes),
            features=tuple(world.features),
            training=training,
            bits=bits_of(source, source.model(number)),
            measured=measured_of(
                world, number, self.deployed.deployment, training, initial=initial, waited=waited
            ),
            judged=self.judged(number),
            review=passage.review,
            arrived=passage.arrived,
            served=tuple(passage.served),
            canary=tuple(passage.canary),
            left=passage.left,
            state=passage.state,
        )

    def versions(self) -> list[VersionRecord]:
        """Return the records of all versions, also of those that never served."""
        return [self.version(number) for number in self.passages]

    @cached_property
    def components(self) -> dict[str, str]:
        """Versions of the components and builders that its versions depend on."""
        found = {"world": str(VERSIONS["world"]), "dynamics": str(VERSIONS["dynamics"])}
        spec = self.world.spec
        parts = [] if spec is None else [spec.stream, spec.learner, spec.training]
        _collect([*parts, part_of(self.deployed.deployment)], found)
        return dict(sorted(found.items()))

    @cached_property
    def _audits(self) -> AuditTests | None:
        """What release audits found; None where there are none."""
        deployed = self.deployed
        specs = getattr(deployed.deployment, "audits", [])
        if not specs:
            return None
        audits = [canonical("audit", spec) for spec in specs]
        return audit_tests(deployed.pool, deployed.world, audits, deployed.deployment)

    def judged(self, number: int) -> tuple[Judged, ...]:
        """Return what release gates said of a version, and what they tested."""
        return tuple(self._judged(number, verdict) for verdict in self.passages[number].gates)

    def _judged(self, number: int, verdict: Mapping[str, Any]) -> Judged:
        """Return a verdict with what it was decided by."""
        deployment = self.deployed.deployment
        tests: list[dict[str, Any]] = []
        if verdict["gate"] == "relative":
            gates = [canonical("gate", spec) for spec in getattr(deployment, "release", [])]
            against = verdict["against"]
            for spec, found in zip(
                gates, gate_verdicts(self.world, gates, deployment, number, against), strict=True
            ):
                limit = spec["params"].get("alpha")
                lost = None
                if found.slices:
                    lost = found.slices[0].old - found.slices[0].new
                tests.append(_test(label("gate", spec), lost, found.p, limit, found.reason))
        elif self._audits is not None:
            audits, k = self._audits, number - self._audits.first
            for name, statistic, p in zip(audits.names, audits.statistic[:, k], audits.p[:, k], strict=True):
                few = "" if math.isfinite(p) else "too few rows"
                tests.append(_test(name, float(statistic), float(p), deployment.alpha, few))
        return Judged(
            window=verdict["window"],
            gate=verdict["gate"],
            against=verdict["against"],
            verdict=verdict["verdict"],
            tests=tuple(tests),
        )

    def history(self) -> pl.DataFrame:
        """Return what served when as a table, one row an interval.

        Returns
        -------
        DataFrame
            ``first, last, windows, served`` (version, or ``fallback``), ``canary``, ``moved_by``,
            ``approved_by``, ``trained_first, trained_last``.
        """
        import polars as pl

        from mlopsim.governance.lineage.traffic import named

        rows = []
        start = self.deployed.pool.start[self.deployed.world]
        for interval in self.traffic.intervals:
            version = interval.version
            served = None if version == FALLBACK else self.passages[version]
            rows.append(
                {
                    "first": interval.first,
                    "last": interval.last,
                    "windows": interval.windows,
                    "served": named(version),
                    "canary": interval.canary,
                    "moved_by": interval.moved_by,
                    "approved_by": None if served is None else approver(served),
                    "trained_first": None if served is None else int(start[version]),
                    "trained_last": None if served is None else version,
                }
            )
        return pl.DataFrame(rows, infer_schema_length=None)


def approver(passage: Passage) -> str | None:
    """Return who approved a version; None: nobody was asked."""
    review = passage.review
    return review.by if review is not None and review.verdict == "approved" else None


def lineage_of(deployed: Deployed) -> Lineage:
    """Derive the lineage of a deployment from its record.

    Parameters
    ----------
    deployed : Deployed
        Computed again, see :class:`mlopsim.core.track.Redeploys`.
    """
    pool = deployed.pool
    events = events_of(deployed)
    initial = pool.warmup - 1
    traffic = traffic_of(events, first=pool.warmup, last=pool.windows - 1, initial=initial)
    return Lineage(
        deployed=deployed,
        events=events,
        traffic=traffic,
        passages=passages_of(events, traffic, initial=initial),
    )


def _test(name: str, statistic: float | None, p: float, limit: float | None, reason: str) -> dict[str, Any]:
    """Return one test; what is undefined is None, with its reason."""
    finite = statistic is not None and math.isfinite(statistic)
    return {
        "name": name,
        "statistic": statistic if finite else None,
        "p": p if math.isfinite(p) else None,
        "limit": limit,
        "reason": reason,
    }


def _collect(value: Any, found: dict[str, str]) -> None:
    """Add the versions of all parts in a nested part."""
    if isinstance(value, Mapping):
        if {"kind", "name", "version"} <= set(value):
            found[f"{value['kind']}/{value['name']}"] = str(value["version"])
        for item in value.values():
            _collect(item, found)
    elif isinstance(value, list | tuple):
        for item in value:
            _collect(item, found)
