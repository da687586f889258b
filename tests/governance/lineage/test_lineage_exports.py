"""Lineage as others read it: events of OpenLineage, a model card."""

from __future__ import annotations

import datetime
import json
import re
import uuid
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import yaml
from lineage_kit import RESTLESS, STREAM, deploy

from mlopsim.core.spec import make
from mlopsim.delivery.walk import walk
from mlopsim.governance.lineage.card import model_card
from mlopsim.governance.lineage.lineage import Lineage, lineage_of
from mlopsim.governance.lineage.openlineage import moment, openlineage_lines
from mlopsim.governance.record.overrides import Override, Overruled

#: what spec 2-0-2 asks of a RunEvent, in our words: field -> type, and which must be there
STATES = {"START", "RUNNING", "COMPLETE", "ABORT", "FAIL", "OTHER"}
URI = re.compile(r"[a-z][a-z0-9+.-]*:\S+$")


def guarded(**more: Any) -> Lineage:
    """A deployment in which everything happens: canaries, denials, refusals, a suspension."""
    found = deploy(
        kind="governed",
        slots=4,
        latency=1,
        fallback=0.6,
        canary_share=0.3,
        canary_windows=2,
        reviewer={"fallible": {"specificity": 0.6, "delay": 1}},
        release=[{"accuracy_drop": {"alpha": 0.9}}],
        training={"guarded": {"gate": "iforest"}},
        **more,
    )
    entry = Override(window=18, decision="suspend", by="Ann", reason="drill")
    selector = Overruled(make("selector", RESTLESS), [entry])
    trajectory = walk(selector, found.pool, found.deployment, np.zeros(1, np.int64), [found.seed])
    answers = np.array(selector.answers)
    return lineage_of(replace(found, trajectory=trajectory, answers=answers, overrides=(entry,)))


def check_facets(facets: Any) -> None:
    assert isinstance(facets, dict)
    for name, facet in facets.items():
        assert not name.startswith("_") and isinstance(facet, dict)
        # required in the base of every facet
        assert URI.match(facet["_producer"]) and URI.match(facet["_schemaURL"])


def check_dataset(dataset: Any, kind: str) -> None:
    assert set(dataset) <= {"namespace", "name", "facets", kind}
    assert isinstance(dataset["namespace"], str) and isinstance(dataset["name"], str)
    check_facets(dataset["facets"])
    check_facets(dataset.get(kind, {}))
    assert isinstance(dataset["facets"]["version"]["datasetVersion"], str)


def check_event(event: Any) -> None:
    """Raise unless an event is a RunEvent of spec 2-0-2."""
    assert {"eventTime", "producer", "schemaURL", "run", "job"} <= set(event)
    assert datetime.datetime.fromisoformat(event["eventTime"]).tzinfo is not None
    assert URI.match(event["producer"])
    assert event["schemaURL"] == "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent"
    assert event["eventType"] in STATES
    assert str(uuid.UUID(event["run"]["runId"])) == event["run"]["runId"]
    check_facets(event["run"]["facets"])
    assert datetime.datetime.fromisoformat(event["run"]["facets"]["nominalTime"]["nominalStartTime"])
    job = event["job"]
    assert isinstance(job["namespace"], str) and isinstance(job["name"], str)
    check_facets(job["facets"])
    assert {"processingType", "integration"} <= set(job["facets"]["jobType"])
    for dataset in event["inputs"]:
        check_dataset(dataset, "inputFacets")
    for dataset in event["outputs"]:
        check_dataset(dataset, "outputFacets")


def test_events_of_openlineage() -> None:
    lineage = guarded()
    lines = openlineage_lines(lineage)
    events = [json.loads(line) for line in lines]
    for event in events:
        check_event(event)
    times = [event["eventTime"] for event in events]
    assert times == sorted(times)
    # each run has a start, and then one end
    runs: dict[str, list[Any]] = {}
    for event in events:
        runs.setdefault(event["run"]["runId"], []).append(event)
    for run in runs.values():
        kinds = [event["eventType"] for event in run]
        assert len(kinds) == 2 and kinds[0] == "START" and kinds[1] in ("COMPLETE", "FAIL", "ABORT")
    ends: dict[str, list[Any]] = {}
    for _, end in runs.values():
        ends.setdefault(end["job"]["name"], []).append(end)
    passages = lineage.passages
    assert len(ends["train"]) == len(passages)
    stopped = [p for p in passages.values() if p.state in ("denied", "refused", "blocked")]
    assert len([e for e in ends["release"] if e["eventType"] == "FAIL"]) == len(stopped) > 0
    served = sum(len(p.served) for p in passages.values())
    fallback = [e for e in ends["serve"] if not e["inputs"]]
    assert len(ends["serve"]) == served + len(fallback) and len(fallback) == 1
    assert fallback[0]["run"]["facets"]["mlopsim_served"]["first"] == 19
    assert len(ends["canary"]) == sum(len(p.canary) for p in passages.values()) > 0
    # from what serves back to the rows: by the digests of the data sets
    made = {
        e["outputs"][0]["facets"]["version"]["datasetVersion"]: e["inputs"][0]
        for e in ends["train"]
        if e["outputs"]
    }
    for end in ends["serve"]:
        for dataset in end["inputs"]:
            rows = made[dataset["facets"]["version"]["datasetVersion"]]["inputFacets"]["mlopsim_rows"]
            number = int(dataset["name"].removeprefix("version "))
            assert rows["last"] == number and rows["digest"] == lineage.version(number).training.digest
    assert openlineage_lines(guarded()) == lines
    assert moment(0) < moment(9) < moment(10)


def test_an_event_that_is_none_is_seen() -> None:
    event = json.loads(openlineage_lines(guarded())[0])
    for name in ("eventTime", "producer", "schemaURL", "run", "job"):
        with pytest.raises((AssertionError, KeyError)):
            check_event({key: value for key, value in event.items() if key != name})
    with pytest.raises(AssertionError):
        check_event({**event, "eventType": "DONE"})


def test_the_card_of_a_version() -> None:
    lineage = guarded()
    number = lineage.traffic.intervals[-1].version
    record = lineage.version(number if number >= 0 else lineage.initial)
    text = model_card(lineage, record.number)
    _, head, body = text.split("---\n", 2)
    about = yaml.safe_load(head)
    (entry,) = about["model-index"]
    for metric in entry["results"][0]["metrics"]:
        one = next(
            m
            for m in record.measured
            if m.on == "held out" and (m.group is None) == ("group" not in metric["name"])
        )
        assert metric["value"] == getattr(one, metric["type"]) and metric["args"]["n"] == one.n > 0
    assert record.training.digest in body and record.bits.scores in body
    for span in record.served:
        assert f"| served | {span.first} to {span.last} |" in body
    # of a version without any labelled row after its own
    initial = model_card(lineage, lineage.initial)
    assert yaml.safe_load(initial.split("---\n", 2)[1])["model-index"][0]["results"] == []
    assert "no labels of later windows were known" in initial
    for passage in lineage.passages.values():
        card = model_card(lineage, passage.number)
        assert ("It never served" in card) == (not passage.served and not passage.canary)
        # every row of a table has as many cells as its head
        heads = 0
        for line in card.split("---\n", 2)[2].splitlines():
            cells = len(re.findall(r"(?<!\\)\|", line))
            if set(line) <= {"|", "-"} and line:
                heads = cells
            if line.startswith("|"):
                assert cells == heads or not heads or set(line) <= {"|", "-"}, line
            else:
                heads = 0


def test_names_in_a_card_are_no_markup() -> None:
    groups = {"synthetic": {**STREAM["synthetic"], "groups": [0.5, 0.5]}}
    lineage = guarded(stream=groups)
    world = lineage.world
    world.groups = ("<b>a|b</b>", "x\n## y")
    card = model_card(lineage, lineage.initial)
    assert r"\<b\>a\|b\</b\>" in card and r"x\\n\#\# y" in card
    assert "\n## y" not in card
