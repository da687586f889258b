"""A deployment as events of OpenLineage (spec 2-0-2): what was trained on what, released, and served when.

Time is simulated: window t is day t after 1970-01-01. Equal deployments give equal bytes.
"""

from __future__ import annotations

import datetime
import json
import uuid
from typing import Any

from mlopsim import __version__
from mlopsim.governance.lineage.lineage import Lineage
from mlopsim.governance.lineage.passage import Span
from mlopsim.governance.lineage.plain_json import to_plain
from mlopsim.governance.lineage.version import VersionRecord
from mlopsim.governance.record.events import FALLBACK

_SPEC = "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs"
_FACETS = "https://openlineage.io/spec/facets"
_PRODUCER = f"urn:mlopsim:{__version__}"
_NAMESPACE = uuid.UUID("6ba7b811-9dad-11d1-80b4-00c04fd430c8")
_DAY_ZERO = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)


def openlineage_lines(lineage: Lineage) -> list[str]:
    """Return the events of a deployment, one a line, in the order of time.

    Three jobs: ``train`` reads windows of the stream and writes a version (its data set has the digest of the
    rows as its version), ``release`` lets it in or not, ``serve`` answers windows with it. Each run has a
    START and one of COMPLETE, FAIL (a gate or a reviewer stopped it) and ABORT (the deployment ended first).

    Parameters
    ----------
    lineage : Lineage

    Returns
    -------
    list of str
        JSON, without line ends.
    """
    writer = _Writer(lineage)
    events = [event for record in lineage.versions() for event in writer.events_of(record)]
    for interval in lineage.traffic.intervals:
        if interval.version == FALLBACK:
            events += writer.fallback(interval.first, interval.last)
    # sorted is stable: what happens at one time stays in the order in which it was made
    events.sort(key=lambda event: str(event["eventTime"]))
    return [json.dumps(to_plain(event), sort_keys=True, allow_nan=False) for event in events]


def moment(window: int) -> str:
    """Return the simulated time at which a window begins.

    Examples
    --------
    >>> moment(0), moment(41)
    ('1970-01-01T00:00:00Z', '1970-02-11T00:00:00Z')
    """
    return (_DAY_ZERO + datetime.timedelta(days=window)).strftime("%Y-%m-%dT%H:%M:%SZ")


class _Writer:
    """Writes events of one deployment."""

    def __init__(self, lineage: Lineage) -> None:
        deployed = lineage.deployed
        self.cell = deployed.cell
        self.namespace = f"mlopsim://{deployed.cell}"
        self.end = deployed.pool.windows
        self.initial = lineage.initial
        self.trains = int(getattr(deployed.deployment, "latency", 0))
        self.features = list(lineage.world.features)

    def events_of(self, record: VersionRecord) -> list[dict[str, Any]]:
        """Return what happened with one version."""
        windows = [self._windows(record)]
        version = [self._version(record)]
        facts = {"mlopsim_version": self._facet("RunFacet", record=to_plain(record))}
        # the window after the one at whose end it was decided; the initial one at the start
        asked = record.number + 1 if record.decided is None else record.decided + 1
        trained = asked if record.decided is None else asked + self.trains
        done = trained <= self.end
        found = self._run(
            "train",
            str(record.number),
            (asked, min(trained, self.end)),
            "COMPLETE" if done else "ABORT",
            inputs=windows,
            outputs=version if done else [],
            facets=facts,
        )
        if record.decided is not None and done:
            ended = record.arrived
            state = "COMPLETE"
            if ended is None:
                stopped = record.left is not None
                ended = record.left.window if record.left is not None else self.end
                state = "FAIL" if stopped else "ABORT"
            verdict = self._facet(
                "RunFacet",
                review=to_plain(record.review),
                gates=[to_plain(one) for one in record.judged],
            )
            found += self._run(
                "release",
                str(record.number),
                (trained, ended),
                state,
                inputs=version,
                outputs=version if state == "COMPLETE" else [],
                facets={"mlopsim_verdict": verdict},
            )
        for role, spans in (("serve", record.served), ("canary", record.canary)):
            for span in spans:
                found += self._serving(role, str(record.number), span, version)
        return found

    def fallback(self, first: int, last: int) -> list[dict[str, Any]]:
        """Return that the fallback served."""
        return self._serving("serve", "fallback", Span(first=first, last=last), [])

    def _serving(
        self, job: str, version: str, span: Span, inputs: list[dict[str, Any]]
    ) -> list[dict[str, Any]]:
        facts = self._facet("RunFacet", version=version, **to_plain(span))
        return self._run(
            job,
            f"{version} {span.first}",
            (span.first, span.last + 1),
            "COMPLETE",
            inputs=inputs,
            outputs=[],
            facets={"mlopsim_served": facts},
        )

    def _run(
        self,
        job: str,
        name: str,
        windows: tuple[int, int],
        ended: str,
        *,
        inputs: list[dict[str, Any]],
        outputs: list[dict[str, Any]],
        facets: dict[str, Any],
    ) -> list[dict[str, Any]]:
        """Return the start and the end of a run."""
        nominal = {
            "_producer": _PRODUCER,
            "_schemaURL": "https://openlineage.io/spec/1-0-1/NominalTimeRunFacet.json#/$defs/NominalTimeRunFacet",
            "nominalStartTime": moment(windows[0]),
            "nominalEndTime": moment(windows[1]),
        }
        kind = {
            "_producer": _PRODUCER,
            "_schemaURL": f"{_FACETS}/2-0-4/JobTypeJobFacet.json#/$defs/JobTypeJobFacet",
            "processingType": "BATCH",
            "integration": "MLOPSIM",
            "jobType": job.upper(),
        }
        run = str(uuid.uuid5(_NAMESPACE, f"mlopsim/{self.cell}/{job}/{name}"))
        shared = {
            "job": {"namespace": self.namespace, "name": job, "facets": {"jobType": kind}},
            "inputs": inputs,
            "producer": _PRODUCER,
            "schemaURL": f"{_SPEC}/RunEvent",
        }
        # how it ended is not known at its start
        start = {
            **shared,
            "run": {"runId": run, "facets": {"nominalTime": nominal}},
            "eventType": "START",
            "eventTime": moment(windows[0]),
            "outputs": [],
        }
        end = {
            **shared,
            "run": {"runId": run, "facets": {"nominalTime": nominal, **facets}},
            "eventType": ended,
            "eventTime": moment(windows[1]),
            "outputs": outputs,
        }
        return [start, end]

    def _windows(self, record: VersionRecord) -> dict[str, Any]:
        training = record.training
        schema = {
            "_producer": _PRODUCER,
            "_schemaURL": f"{_FACETS}/1-0-0/SchemaDatasetFacet.json#/$defs/SchemaDatasetFacet",
            "fields": [{"name": name, "type": "feature"} for name in self.features],
        }
        rows = self._facet("InputDatasetFacet", **to_plain(training))
        return {
            "namespace": self.namespace,
            "name": f"windows {training.first}-{training.last}",
            "facets": {"schema": schema, "version": self._digest(training.digest)},
            "inputFacets": {"mlopsim_rows": rows},
        }

    def _version(self, record: VersionRecord) -> dict[str, Any]:
        return {
            "namespace": self.namespace,
            "name": f"version {record.number}",
            "facets": {"version": self._digest(record.bits.scores)},
        }

    def _digest(self, value: str) -> dict[str, Any]:
        name = "DatasetVersionDatasetFacet"
        return {
            "_producer": _PRODUCER,
            "_schemaURL": f"{_FACETS}/1-0-0/{name}.json#/$defs/{name}",
            "datasetVersion": value,
        }

    def _facet(self, base: str, **content: Any) -> dict[str, Any]:
        """Return a facet of our own: of the form of the spec's own base."""
        return {"_producer": _PRODUCER, "_schemaURL": f"{_SPEC}/{base}", **content}
