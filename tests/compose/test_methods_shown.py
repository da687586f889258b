"""What a page shows of each method: ranks by hand, and commands that make the very same cells."""

import json
import shlex
import zlib
from base64 import b64decode
from dataclasses import dataclass
from types import SimpleNamespace

import polars as pl
import pytest

from mlopsim.compose import load_suite
from mlopsim.compose.methods_shown import Commands, methods_view
from mlopsim.core.registry import names
from mlopsim.core.track import Metric, ScoredByTask
from mlopsim.report.methods import methods_html

NAN = float("nan")
#: method -> role, reads, mean score on the two tasks
GIVEN = {
    "top": ("control", "truth", 9.0, 9.0),
    "a": ("method", "errors", 0.5, 0.1),
    "b": ("method", "errors", 0.5, NAN),
    "<c>": ("method", "inputs", 0.9, 0.3),
}


class Toy:
    """A track with a score, whose leaderboard of one task is known."""

    score = Metric(name="worth", unit="rows", direction="max", text="worth")
    metrics = (Metric(name="return", unit="1", direction="max", primary=True),)

    def compare(self, table, a, b):
        raise AssertionError

    def methods(self, entries):
        return [SimpleNamespace(name=name) for name in (*map(str, entries), "top")]

    def leaderboard(self, table):
        (task,) = table["task"].unique().to_list()
        rows = [(name, value[2 + (task == "late")]) for name, value in GIVEN.items()]
        return pl.DataFrame(
            {
                "method": [name for name, _ in rows],
                "worth": [value for _, value in rows],
                "worth_low": [value - 0.1 for _, value in rows],
                "worth_high": [value + 0.1 for _, value in rows],
                "worth_n": [2] * len(rows),
                "worth_reason": ["nothing" if value != value else "" for _, value in rows],
            }
        )


@dataclass
class Given:
    track: object
    entry: dict

    @property
    def cells(self):
        keys = [(task, method, seed) for task in ("soon", "late") for method in GIVEN for seed in (1, 0)]
        return pl.DataFrame(
            {
                "key": [f"{k:064x}" for k in range(len(keys))],
                "task": [task for task, _, _ in keys],
                "method": [method for _, method, _ in keys],
                "seed": [seed for _, _, seed in keys],
                "status": ["failed" if key == ("late", "a", 0) else "done" for key in keys],
                "return": [float(seed) if method != "b" else NAN for _, method, seed in keys],
            }
        )

    @property
    def leaderboard(self):
        roles, reads = ([value[k] for value in GIVEN.values()] for k in (0, 1))
        return pl.DataFrame(
            {"method": list(GIVEN), "role": roles, "reads": reads, "worth": [1.0, 2.0, NAN, 3.0]}
        )

    sweep = None

    def curves(self, key):
        raise AssertionError


CONFIG = {"suite": "quick", "suite_version": 1, "methods": ["a", "b"]}


def test_ranks_are_among_methods_with_a_score_and_among_those_alike():
    view = methods_view(Given(Toy(), {"title": "quick-v1", "config": CONFIG, "plugins": []}))
    found = {method.name: {place.task: place for place in method.places} for method in view.methods}
    rank = {(m, t): (p.rank, p.of, p.alike, p.of_alike) for m, by in found.items() for t, p in by.items()}
    assert rank["<c>", "soon"] == (1, 3, 1, 1)
    # equal scores share a rank
    assert rank["a", "soon"] == rank["b", "soon"] == (2, 3, 1, 2)
    assert rank["a", "late"] == (2, 2, 1, 1)
    # controls, and what has no score, have none
    assert rank["top", "soon"] == rank["b", "late"] == (0, 0, 0, 0)
    assert found["b"]["late"].reason == "nothing" and found["a"]["late"].score == "0.10 [0.00, 0.20]"
    # seeds in their order
    assert found["a"]["soon"].cells == "0; 1" and found["a"]["late"].cells == "failed; 1"
    assert found["b"]["soon"].cells == "–; –"
    assert view.score == "worth in rows (more is better)" and view.cells == "return by seed"
    assert view.methods[0].facts == {"role": "control", "reads": "truth"}


def test_methods_of_another_law_are_not_alike():
    class Given2(Given):
        @property
        def leaderboard(self):
            return super().leaderboard.with_columns(limit=pl.Series(["-", "calibrated", "rule", "rule"]))

    view = methods_view(Given2(Toy(), {"title": "quick-v1", "config": CONFIG, "plugins": []}))
    (soon,) = [p for m in view.methods if m.name == "a" for p in m.places if p.task == "soon"]
    assert (soon.rank, soon.of, soon.alike, soon.of_alike) == (2, 3, 1, 1)
    assert view.alike == "those with the same reads, limit"


def test_what_a_page_holds_of_methods_is_text():
    html = methods_html(methods_view(Given(Toy(), {"title": "quick-v1", "config": CONFIG, "plugins": []})))
    assert "<c>" not in html
    packed = html.split('id="methods">')[1].split("<")[0]
    content = json.loads(zlib.decompress(b64decode(packed)))
    assert content["tasks"] == ["soon", "late"] and "<c>" in content["methods"]


def test_what_cannot_be_made_by_a_command_is_said():
    given = Given(Toy(), {"title": "quick-v1 (modified)", "config": CONFIG, "plugins": []})
    commands = Commands(given.entry, given.track, given.cells).of("a")
    assert (
        commands["commands"] == ["mlopsim rerun FOLDER 000000000000"]
        and "no frozen suite" in commands["note"]
    )
    own = {"title": "quick-v1", "config": CONFIG, "plugins": [{"path": "/x/my own.py", "digest": "0"}]}
    made = Commands(own, given.track, given.cells)
    assert made.of("a")["commands"][0] == "mlopsim bench suite=quick methods=a --plugin 'my own.py'"
    assert made.of("top")["commands"][0] == "mlopsim bench suite=quick --plugin 'my own.py'"
    assert "No entry" in made.of("<c>")["note"] and len(made.of("<c>")["commands"]) == 1
    assert methods_view(Given(SimpleNamespace(), {})) is None


@pytest.mark.parametrize(
    "suite", ["drift-core", "quality-core", "fairness-core", "delivery-core", "loop-core"]
)
def test_the_command_of_each_method_makes_cells_of_the_suite(suite):
    study = load_suite(suite, seeds=1)
    config = {"suite": suite, "suite_version": 1, "methods": study.methods}
    empty = pl.DataFrame(schema={"method": pl.String, "key": pl.String, "status": pl.String})
    commands = Commands({"title": f"{suite}-v1", "config": config, "plugins": []}, study.track, empty)
    whole = {cell.key: cell.method.name for cell in study.grid.cells}
    named = list(dict.fromkeys(whole.values()))
    # each of them has one; those with parameters are the ones whose words are hard to write
    lines = {name: commands.of(name)["commands"][0] for name in named}
    hard = [name for name in named if "{" in lines[name]][:2]
    assert hard or "(" not in "".join(named)
    for name in hard:
        words = shlex.split(lines[name])
        assert words[:2] == ["mlopsim", "bench"]
        again = load_suite(suite, seeds=1, overrides=words[3:])
        assert {k for k, m in whole.items() if m == name} == {
            cell.key for cell in again.grid.cells if cell.method.name == name
        }


def test_tracks_of_ours_score_by_task():
    from mlopsim.core.registry import find

    tracks = [find("track", name) for name in names("track")]
    ours = [cls for cls in tracks if cls.__module__.startswith("mlopsim.")]
    assert len(ours) >= 5 and all(issubclass(cls, ScoredByTask) for cls in ours)
