"""What experiments share: settings without the environment, published without places, tables as they are."""

from __future__ import annotations

import csv
import socket
import sys
from pathlib import Path

import pytest
from yaml import safe_load

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "experiments"))

import _common  # noqa: E402

from mlopsim.core.errors import ConfigError  # noqa: E402

NAMES = ["_cost_$", "[/red] a,b", "<b>\x07", "=1+1", "\u202ex\ny"]


@pytest.mark.parametrize(
    "word", ["${oc.env:HOME}", "a ${ oc.env:HOME,x} b", "${env:HOME}", "${${x}.env:HOME}"]
)
@pytest.mark.parametrize("where", ["file", "nested", "override"])
def test_settings_do_not_read_the_environment(word: str, where: str, tmp_path: Path) -> None:
    text = {"file": f"x: '{word}'\n", "nested": f"x: 1\ny: [{{z: '{word}'}}]\n", "override": "x: 1\n"}[where]
    path = tmp_path / "settings.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match="environment"):
        _common.read_settings(path, [f"x='{word}'"] if where == "override" else [])


def test_settings_may_refer_to_each_other(tmp_path: Path) -> None:
    path = tmp_path / "settings.yaml"
    path.write_text("x: 3\ny: ${x}\n", encoding="utf-8")
    assert _common.read_settings(path, ["x=4"]) == {"x": 4, "y": 4}


def test_the_config_names_no_machine_and_no_place_and_can_be_read_again(tmp_path: Path) -> None:
    settings = {
        "file": str(tmp_path / "rows.csv"),
        "n": 3,
        "list": [1.5e-3, None, "1e3"],
        "at": "tcp://10.0.0.1:1",
    }
    given = _common.Experiment(
        name="x", settings=settings, folder=tmp_path, local=tmp_path, machine=_common.machine()
    )
    text = _common.write_config(given).read_text(encoding="utf-8")
    assert str(tmp_path) not in text and "10.0.0.1" not in text and str(Path.home()) + "/" not in text
    machine = safe_load(text)["machine"]
    assert set(machine) == {"cpu", "cores", "system", "commit", "versions"}
    assert socket.gethostname() not in machine.values()
    kept = {**settings, "file": "rows.csv", "at": "tcp"}
    assert _common.read_settings(tmp_path / "config.yaml") == kept


def test_tables_hold_names_as_they_are(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = [{"method": name, "[red]": 0.5} for name in NAMES]
    with _common.write_table(tmp_path, rows).open(encoding="utf-8", newline="") as file:
        assert [row["method"] for row in csv.DictReader(file)] == NAMES
    _common.show(rows, "title [/red]")
    out = capsys.readouterr().out
    for word in ("title [/red]", "[red]", "[/red] a,b", "<b>\\x07", "\\u202ex\\ny"):
        assert word in out
