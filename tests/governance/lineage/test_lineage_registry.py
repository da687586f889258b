"""MLflow's own client shows and loads the versions of a deployment; what cannot be is one message."""

from __future__ import annotations

import builtins
import pickle
import re
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from lineage_kit import deploy
from test_lineage_exports import guarded

from mlopsim.core.errors import ConfigError, MissingExtraError, MlopsimError
from mlopsim.governance.lineage.flavor import _load_pyfunc, write_mlmodel
from mlopsim.governance.lineage.lineage import Lineage, lineage_of
from mlopsim.governance.lineage.mlflow_registry import _safe, check_registry, export_to_mlflow, tags_of


@pytest.mark.parametrize(
    ("uri", "message"),
    [
        ("mlruns", "its address must begin with sqlite:, "),
        ("file:///tmp/mlruns", "its address must begin with sqlite:, "),
        ("sqlit:///a.db", "its address must begin with sqlite:, "),
        ("sqlite://", "names no file"),
        ("sqlite:///{folder}", "is a folder"),
        ("sqlite:///{folder}/text.db", "no SQLite database"),
        ("sqlite:///{folder}/text.db/mlflow.db", "cannot be written"),
    ],
)
def test_a_registry_that_cannot_be_written_is_one_message(uri: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "text.db").write_text("I am a text, and was here before")
    with pytest.raises(MlopsimError, match=message) as told:
        check_registry(uri.format(folder=tmp_path))
    assert str(told.value).count("remedy: ") == 1
    assert (tmp_path / "text.db").read_text() == "I am a text, and was here before"


def test_two_groups_never_have_one_name_in_a_registry() -> None:
    names = [
        "<25",
        ">25",
        "_25",
        "__25",
        "_3c25",
        "",
        "_",
        ".",
        "..",
        "_2e",
        "a b",
        "a_b",
        "é",
        "_c3a9",
        "Ã©",
    ]
    assert len({_safe(name) for name in names}) == len(names)
    assert all(re.fullmatch(r"[\w\-. ]+", _safe(name), re.ASCII) for name in names)


def test_what_is_locked_goes_together() -> None:
    """With importlib_metadata 10 pip takes an mlflow of 2022, without aliases, and says nothing."""
    lines = (Path(__file__).parents[3] / "constraints.txt").read_text().split()
    locked = {name: version.split(".") for name, _, version in (line.partition("==") for line in lines)}
    assert int(locked["importlib_metadata"][0]) < 10
    assert [int(part) for part in locked["mlflow-skinny"][:2]] >= [3, 17]


def test_without_the_extra_it_says_how_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = builtins.__import__

    def without(name: str, *args: Any, **more: Any) -> Any:
        if name.split(".")[0] == "mlflow":
            raise ImportError(name)
        return whole(name, *args, **more)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(MissingExtraError, match=r"pip install 'mlopsim\[mlflow\]'"):
        export_to_mlflow(lineage_of(deploy()), f"sqlite:///{tmp_path}/mlflow.db")
    assert not (tmp_path / "mlflow.db").exists()


def test_the_flavor_needs_no_mlflow_and_no_pickle(tmp_path: Path) -> None:
    import yaml

    lineage = guarded()
    record, world = lineage.versions()[-1], lineage.world
    (tmp_path / "model").mkdir()
    write_mlmodel(tmp_path / "model", record, world.source)
    about = yaml.safe_load((tmp_path / "model" / "MLmodel").read_text())["flavors"]["python_function"]
    assert about["loader_module"] == "mlopsim.governance.lineage.flavor"
    stored = _load_pyfunc(str(tmp_path / "model" / about["data"]))
    X = world.stream().X
    assert stored.predict(X).tolist() == world.model(record.number).predict(world.encoded()).tolist()
    # the same version is the same bytes
    (tmp_path / "again").mkdir()
    write_mlmodel(tmp_path / "again", record, world.source)
    for path in (tmp_path / "model").rglob("*.json"):
        assert path.read_bytes() == (tmp_path / "again" / path.relative_to(tmp_path / "model")).read_bytes()
    tags = tags_of(record)
    assert tags["mlopsim.version"] == str(record.number) and "mlopsim.canary" not in tags


@pytest.fixture
def mlflow(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("MLFLOW_DISABLE_TELEMETRY", "true")
    return pytest.importorskip("mlflow", reason="needs mlopsim[mlflow]")


def load(mlflow: Any, uri: str, name: str) -> Any:
    """Load as a user does, where nothing can be unpickled."""
    from mlflow import pyfunc

    mlflow.set_tracking_uri(uri)
    mlflow.set_registry_uri(uri)

    def refused(*_: Any, **__: Any) -> Any:
        raise AssertionError("something was unpickled")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pickle, "load", refused)
        patch.setattr(pickle, "loads", refused)
        patch.setattr(pickle, "Unpickler", refused)
        for module in ("cloudpickle", "joblib"):
            if module in sys.modules:
                patch.setattr(sys.modules[module], "load", refused)
        return pyfunc.load_model(f"models:/{name}@champion")


def same_answers(model: Any, lineage: Lineage, version: int) -> None:
    world = lineage.world
    X = world.stream().X
    wanted = world.model(version).predict(world.source.encoder.transform(X))
    found = model.predict(X)
    assert found.dtype == np.int64 and found.tolist() == wanted.tolist()


@pytest.mark.slow
def test_mlflow_loads_the_champion(mlflow: Any, tmp_path: Path) -> None:
    from mlflow.tracking import MlflowClient

    uri = f"sqlite:///{tmp_path}/mlflow.db"
    lineage = guarded()
    traffic, passages = lineage.traffic, lineage.passages
    last = traffic.intervals[-1]
    assert last.version >= 0
    done = export_to_mlflow(lineage, uri)
    assert done.added == len(passages) and done.champion == last.version
    model = load(mlflow, uri, "deploy")
    same_answers(model, lineage, last.version)
    import pandas as pd

    world = lineage.world
    table = pd.DataFrame(world.stream().X, columns=list(world.features))
    assert model.predict(table[list(reversed(world.features))]).tolist() == model.predict(table).tolist()
    client = MlflowClient(tracking_uri=uri, registry_uri=uri)
    held = {v.tags["mlopsim.version"]: v for v in client.search_model_versions("name='deploy'")}
    assert set(held) == {str(number) for number in passages}
    for number, passage in passages.items():
        tags = held[str(number)].tags
        assert tags["mlopsim.state"] == passage.state
        assert tags.get("mlopsim.served", "") == ", ".join(f"{s.first}-{s.last}" for s in passage.served)
        metrics = client.get_run(held[str(number)].run_id).data.metrics
        for one in lineage.version(number).measured:
            where = one.on.replace(" ", "_") + ("" if one.group is None else f"/{one.group}")
            assert metrics[f"{where}/n"] == one.n and metrics.get(f"{where}/accuracy") == one.accuracy
    # at another window: nothing is added, the alias moves; where the fallback served nobody is champion
    early = export_to_mlflow(lineage, uri, at=traffic.first)
    assert early.added == 0 and early.champion == lineage.initial
    same_answers(load(mlflow, uri, "deploy"), lineage, lineage.initial)
    with_canary = next(one for one in traffic.intervals if one.canary is not None)
    export_to_mlflow(lineage, uri, at=with_canary.first)
    aliases = client.get_registered_model("deploy").aliases
    assert str(aliases["canary"]) == str(done.numbers[with_canary.canary or 0])
    suspended = export_to_mlflow(lineage, uri, at=19)
    assert suspended.champion is None
    assert set(client.get_registered_model("deploy").aliases) == set()
    # another deployment does not write over it
    with pytest.raises(ConfigError, match="a model 'deploy' of something else"):
        export_to_mlflow(lineage_of(deploy(seed=1)), uri)
    tree = lineage_of(deploy(learner="tree"))
    found = export_to_mlflow(tree, uri, name="forest")
    assert set(found.forms.values()) == {"trained again"} and found.champion is not None
    same_answers(load(mlflow, uri, "forest"), tree, found.champion)
    # a deployment with a decision that was replaced has other records
    with pytest.raises(ConfigError, match="with another record"):
        export_to_mlflow(guarded_without_drill(lineage), uri)


def guarded_without_drill(lineage: Lineage) -> Lineage:
    """The same cell, where nobody suspended."""
    from dataclasses import replace

    from lineage_kit import RESTLESS

    from mlopsim.core.spec import make
    from mlopsim.delivery.walk import walk

    found = lineage.deployed
    trajectory = walk(make("selector", RESTLESS), found.pool, found.deployment, [0], [found.seed])
    return lineage_of(replace(found, trajectory=trajectory, answers=None, overrides=()))


@pytest.mark.slow
def test_a_server_that_is_not_there_is_one_message(mlflow: Any) -> None:
    with pytest.raises(MlopsimError, match=r"the registry http://ann:\*\*\*@127.0.0.1:9 cannot be written"):
        export_to_mlflow(lineage_of(deploy()), "http://ann:secret@127.0.0.1:9")
