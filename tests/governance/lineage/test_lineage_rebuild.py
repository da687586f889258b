"""A version is trained again from its record alone, bit by bit; what is not the same is said."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from lineage_kit import STREAM, deploy

from mlopsim.core.digest import digest_arrays, digest_bytes
from mlopsim.core.errors import ConfigError, DataError
from mlopsim.governance.lineage.lineage import Lineage, lineage_of
from mlopsim.governance.lineage.model_file import AGAIN, HEAD, read_model, write_model
from mlopsim.governance.lineage.rebuild import rebuild
from mlopsim.governance.lineage.version import read_version, read_versions
from mlopsim.learners.models import ConstantModel

GATED = {"guarded": {"gate": "iforest"}}
DIRTY = {"corrupted": {"base": STREAM}}


def lineage(learner: Any = "ridge", training: Any = GATED, seed: int = 0, **more: Any) -> Lineage:
    return lineage_of(deploy(seed=seed, learner=learner, training=training, **more))


def same_bits(record: Any, world: Any) -> None:
    """Compare a version that was trained again with the one that the deployment walked through."""
    made = rebuild(record)
    answers = made.model.predict(made.source.judged)
    right = np.unpackbits(world.bits[record.number])[: len(world.y)] == 1
    assert (right == (answers == world.y)).all()
    original = world.source.model(record.number).scores(world.source.judged)
    assert made.model.scores(made.source.judged).tobytes() == original.tobytes()
    X = made.source.stream.X
    assert made.predict(X).tolist() == made.model.predict(made.source.encoded).tolist()


def test_a_record_is_read_as_it_was_written_and_trains_the_same_version_again() -> None:
    found = lineage(stream=DIRTY, kind="governed", slots=3, reviewer="delayed", release=["accuracy_drop"])
    records = found.versions()
    assert len(records) > 3
    for record in records:
        back = read_version(record.line())
        assert back == record and back.line() == record.line()
    last = [record for record in records if record.training.removed][-1]
    same_bits(read_version(last.line()), found.world)


def test_rows_that_were_kept_away_are_named_by_who_did() -> None:
    found = lineage(stream=DIRTY)
    source, record = found.world.source, found.versions()[-1]
    training, bounds = record.training, found.world.bounds
    rows = np.arange(bounds[training.first], bounds[training.last + 1])
    away = rows[~source.fed.keep[rows]]
    (removed,) = training.removed
    assert removed.by == "gate/iforest" and removed.rows == len(away) > 0
    assert training.rows == len(rows) - len(away)
    stream = source.stream
    parts = {"rows": away, "X": source.encoded[away], "y": stream.y[away]}
    assert removed.digest == digest_arrays(parts)
    kept = rows[source.fed.keep[rows]]
    assert training.digest == digest_arrays({"X": source.fed.X[kept], "y": source.fed.y[kept]})
    assert lineage(training="last").versions()[-1].training.removed == ()


def test_quality_is_that_of_the_windows_that_were_known() -> None:
    reviewer = {"delayed": {"delay": 2}}
    found = lineage("ridge", "last", kind="governed", slots=3, latency=1, label_delay=2, reviewer=reviewer)
    passage = next(p for p in found.passages.values() if p.review is not None)
    record = found.version(passage.number)
    assert record.review is not None and record.arrived is not None and record.decided is not None
    one = next(m for m in record.measured if m.on == "held out" and m.group is None)
    # at the end of the window before its arrival the labels of two windows were not known
    assert (one.first, one.last) == (record.number + 1, record.arrived - 1 - 2)
    counts = found.world.confusion[record.number, one.first : one.last + 1].sum(axis=0)
    assert one.n == counts.sum() and one.accuracy == counts.trace() / counts.sum()
    initial = found.version(found.initial)
    nothing = next(m for m in initial.measured if m.on == "held out")
    assert nothing.n == 0 and nothing.accuracy is None and "were known" in nothing.reason
    assert initial.parent is None and initial.decided is None and initial.approved_by is None


def test_verdicts_have_what_they_were_decided_by() -> None:
    found = lineage(
        "ridge",
        "last",
        stream={"synthetic": {"windows": 24, "rows": 60, "warmup": 5, "groups": [0.5, 0.5]}},
        kind="governed",
        slots=3,
        latency=3,
        audits=["demographic_parity"],
        release=[{"accuracy_drop": {"alpha": 0.9}}],
    )
    judged = [one for record in found.versions() for one in record.judged]
    assert {one.gate for one in judged} == {"absolute", "relative"}
    assert "blocked" in {one.verdict for one in judged}
    for one in judged:
        assert len(one.tests) == 1
        test = one.tests[0]
        blocked = test["p"] is not None and test["p"] <= test["limit"]
        assert one.verdict == ("blocked" if blocked else "passed")
        assert test["p"] is not None or test["reason"]


def test_what_is_not_the_same_is_said() -> None:
    record = lineage("naive_bayes", "last").versions()[1]
    for changed, message in (
        (replace(record, bits=replace(record.bits, scores="0" * 24)), "its scores differ"),
        (replace(record, bits=replace(record.bits, answers="0" * 24)), "its answers differ"),
        (
            replace(record, training=replace(record.training, digest="0" * 24)),
            "the rows that it was trained on",
        ),
    ):
        with pytest.raises(DataError, match=message) as told:
            rebuild(changed)
        assert "the record was changed" in str(told.value)
    with pytest.raises(DataError, match="another platform"):
        rebuild(replace(record, platform="0" * 24, bits=replace(record.bits, scores="0" * 24)))
    assert record.world is not None
    other = {**record.world, "learner": {**record.world["learner"], "version": "0"}}
    with pytest.raises(ConfigError, match="version 0"):
        rebuild(replace(record, world=other))
    with pytest.raises(ConfigError, match="World builder 0"):
        rebuild(replace(record, components={**record.components, "world": "0"}))
    with pytest.raises(ConfigError, match="no address"):
        rebuild(replace(record, world=None))
    with pytest.raises(DataError, match="differ"):
        rebuild(replace(record, world={**record.world, "index": 7}))


def test_what_is_no_record_is_said(tmp_path: Path) -> None:
    value = json.loads(lineage("ridge", "last").versions()[0].line())
    for broken, message in (
        ({**value, "number": "4"}, "number must be int"),
        ({**value, "number": True}, "number must be int"),
        ({key: item for key, item in value.items() if key != "bits"}, "has no 'bits'"),
        ({**value, "more": 1}, "field 'more'"),
        ({**value, "served": {}}, "served must be a list"),
        ({**value, "schema": 2}, "no version record of schema 1"),
        ([], "no version record of schema 1"),
    ):
        with pytest.raises(DataError, match=message):
            read_version(json.dumps(broken))
    with pytest.raises(DataError, match="no version records at"):
        read_versions(tmp_path / "none.jsonl")
    (tmp_path / "two.jsonl").write_text("{}\n")
    with pytest.raises(DataError, match=r"two.jsonl, line 1"):
        read_versions(tmp_path / "two.jsonl")


@pytest.mark.parametrize(
    ("learner", "form"), [("ridge", "linear"), ("naive_bayes", "gaussian"), ("tree", AGAIN)]
)
def test_a_version_as_files(learner: str, form: str, tmp_path: Path) -> None:
    found = lineage(learner)
    record, source = found.versions()[-1], found.world.source
    assert write_model(tmp_path, record, source) == form
    assert {path.suffix for path in tmp_path.iterdir()} == {".json", ".npz"}
    stored = read_model(tmp_path)
    X = source.stream.X
    wanted = source.model(record.number).predict(source.encoder.transform(X))
    assert stored.record == record and stored.predict(X).tolist() == wanted.tolist()
    # a table, its columns in any order
    columns = {name: X[:, j] for j, name in enumerate(record.features)}
    table = _Table(dict(reversed(columns.items())))
    assert stored.predict(table).tolist() == wanted.tolist()
    with pytest.raises(DataError, match=f"no column '{record.features[0]}'"):
        stored.predict(_Table({name: columns[name] for name in record.features[1:]}))
    head = json.loads((tmp_path / HEAD).read_text())
    (tmp_path / HEAD).write_text(json.dumps({**head, "arrays": "0" * 24}))
    with pytest.raises(DataError, match="damaged"):
        read_model(tmp_path)
    (tmp_path / "model.npz").unlink()
    with pytest.raises(DataError, match=r"no model.npz"):
        read_model(tmp_path)


class _Table(dict[str, Any]):
    """What a data frame is to a model: columns by name."""

    @property
    def columns(self) -> list[str]:
        return list(self)


def test_categories_by_name_and_a_version_of_one_class(tmp_path: Path) -> None:
    from mlopsim.learners.encode import Encoder
    from mlopsim.streams.stream import Stream

    found = lineage("ridge", "last")
    record = replace(found.versions()[0], features=("age", "job"))
    stream = Stream(
        X=np.array([[1.0, 0], [3.0, 1], [np.nan, 1], [5.0, 0]]),
        y=np.array([0, 1, 0, 1]),
        bounds=np.array([0, 3, 4]),
        warmup=1,
        classes=("no", "yes"),
        features=("age", "job"),
        g=np.zeros(4, np.int64),
        categories={1: ("cook", "nurse")},
    )

    class Source:
        encoder = Encoder.fit(stream)

        def model(self, version: int) -> ConstantModel:
            return ConstantModel(label=1, n_classes=2)

    source: Any = Source()
    source.stream = stream
    assert write_model(tmp_path, record, source) == "constant"
    stored = read_model(tmp_path)
    table = _Table(age=np.array([1.0, 2.0, 3.0]), job=np.array(["nurse", "cook", "pilot"]))
    rows = stored._rows(table)
    assert rows[:2].tolist() == [[1.0, 1.0], [2.0, 0.0]] and np.isnan(rows[2, 1])
    assert stored.predict(table).tolist() == [1, 1, 1]


@pytest.mark.slow
def test_20_versions_are_trained_again_in_another_process(tmp_path: Path) -> None:
    """Nothing is handed over but the lines of their records."""
    lines, wanted = [], {}
    for learner, training in (
        ("ridge", GATED),
        ("naive_bayes", "all"),
        ("logistic", "last"),
        ("tree", GATED),
        ("mlp", "last"),
        ("gbm", "last"),
    ):
        found = lineage(learner, training, stream=DIRTY)
        for number in list(found.passages)[:4]:
            record = found.version(number)
            # the bits that the deployment walked through
            assert record.bits.answers == digest_bytes(found.world.bits[record.number].tobytes())
            lines.append(record.line())
            wanted[f"{learner}-{record.number}"] = record.bits.scores
    assert len(lines) >= 20
    path = tmp_path / "versions.jsonl"
    path.write_bytes(b"".join(lines))
    code = (
        "import json, sys\n"
        "from mlopsim.governance.lineage.rebuild import rebuild\n"
        "from mlopsim.governance.lineage.training_rows import bits_of\n"
        "from mlopsim.governance.lineage.version import read_versions\n"
        "found = {}\n"
        "for record in read_versions(sys.argv[1]):\n"
        "    made = rebuild(record)\n"
        "    name = record.world['learner']['name']\n"
        "    found[f'{name}-{record.number}'] = bits_of(made.source, made.model).scores\n"
        "print(json.dumps(found))\n"
    )
    done = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == wanted
