"""``mlopsim audit``: verdicts follow from what is in the file, a page without network, clear refusals."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from cli_kit import Ended, mlopsim

from mlopsim.cli.commands.audit import COPIES
from mlopsim.fairness.copied_rows import Copies
from mlopsim.report.datatables import bundle

N = 1500
#: enough neighbours among the 900 training rows, not among four fifths of them
KNN = "{sklearn: {path: sklearn.neighbors.KNeighborsClassifier, params: {n_neighbors: 800}}}"
FAST = ("--learner", "ridge", "--rounds", "99", "--lime-rows", "40", "--samples", "200")


def data(folder: Path, n: int = N, shift: float = 1.5, name: str = "rows.csv", **changes: Any) -> Path:
    """People of two sexes whose merit has one law; what is measured of the second is lower by the shift."""
    rng = np.random.default_rng(3)
    sex, merit, years = rng.integers(0, 2, n), rng.normal(size=n), rng.normal(size=n)
    deserves = merit + 0.5 * years + 0.5 * rng.normal(size=n) > 0.3
    missing = rng.random(n) < 0.1
    frame = pl.DataFrame(
        {
            "skill": [f"{value:.3f}" for value in merit - shift * sex],
            "years": ["" if gone else f"{v:.3f}" for v, gone in zip(years, missing, strict=True)],
            "job": [("cook", "nurse", "clerk")[i] for i in rng.integers(0, 3, n)],
            "sex": [("F", "M")[i] for i in sex],
            "label": [("no", "yes")[int(d)] for d in deserves],
        }
    ).with_columns(**changes)
    path = folder / name
    frame.write_csv(path)
    return path


def audit(path: Path, *words: object, out: str = "page.html", group: str = "sex") -> Ended:
    """Audit; what stands among the words is not given twice."""
    usual = ("--positive", "yes", *FAST)
    given = [w for pair in zip(usual[::2], usual[1::2], strict=True) if pair[0] not in words for w in pair]
    return mlopsim("audit", path, "--group", group, "--out", path.parent / out, *given, *words)


def verdicts(path: Path, *words: object, group: str = "sex") -> dict[str, dict[str, Any]]:
    ended = audit(path, "--json", "--force", *words, group=group)
    assert ended.code == 0, ended.err
    return {row["audit"]: row for row in json.loads(ended.out)["verdicts"]}


def html_of(page: Path) -> str:
    """The page without the library that sorts its tables."""
    return page.read_text(encoding="utf-8").replace(bundle().script, "").replace(bundle().style, "")


def text_of(page: Path) -> str:
    return re.sub(r"<[^>]+>", " ", html_of(page))


def test_a_shifted_measurement_is_found_and_blamed(tmp_path: Path) -> None:
    path = data(tmp_path)
    # as far as 99 deals can tell it is too much of a chance among so many tests
    short = verdicts(path, "--blind")["shap_gap"]
    assert short["says"] == "not found" and "deal more often (--rounds)" in short["reason"]
    found = verdicts(path, "--blind", "--rounds", "499")
    for name in ("demographic_parity", "equal_opportunity", "calibration_gap", "shap_gap", "shap_ks"):
        assert found[name]["says"] == "found", name
        assert found[name]["adjusted"] >= found[name]["p"]
    assert found["shap_gap"]["blamed"][0][0] == "skill"
    assert found["four_fifths"]["broken"] and found["four_fifths"]["statistic"] < 0.8
    # what tells the group is moved to the other group's law, and with it many decisions
    assert found["flip"]["statistic"] > 0.2


def test_where_nothing_is_wrong_no_metric_finds_anything(tmp_path: Path) -> None:
    found = verdicts(data(tmp_path, shift=0.0), "--blind")
    for name in ("demographic_parity", "equal_opportunity", "equalised_odds", "calibration_gap", "shap_gap"):
        assert found[name]["says"] == "not found", name
    assert not found["demographic_parity"]["broken"]


def test_arms_of_what_did_not_look_are_not_shown(tmp_path: Path) -> None:
    path = data(tmp_path)
    assert verdicts(path, "--audit", "flip")["flip"]["says"] == "no test"
    text = text_of(tmp_path / "page.html")
    assert re.search(r"explanations\s+no test", text) and not re.search(r"traditional\s+(no|not)", text)


def test_the_groups_own_column_is_kept_from_audits_of_explanations(tmp_path: Path) -> None:
    path = data(tmp_path, shift=0.0)
    seen = verdicts(path, "--audit", "shap_ks")["shap_ks"]
    assert seen["says"] == "not found" and "sex" not in [name for name, _ in seen["blamed"]]
    assert "without 'sex'" in seen["reason"] and "--blind" in seen["reason"]
    assert "The model sees sex , which tells the groups" in " ".join(text_of(tmp_path / "page.html").split())
    assert "--blind" not in verdicts(path, "--audit", "shap_ks", "--blind")["shap_ks"]["reason"]


@pytest.mark.parametrize("groups", [2, 3])
def test_flip_moves_all_columns_of_a_group_that_is_a_text(tmp_path: Path, groups: int) -> None:
    rng = np.random.default_rng(5)
    code, skill = rng.integers(0, groups, N), rng.normal(size=N)
    label = skill + 2.0 * (code == 0) + 0.3 * rng.normal(size=N) > 1.0
    found = []
    for name, column in (("text", [f"g{k}" for k in code]), ("number", code.tolist())):
        path = tmp_path / f"{name}.csv"
        pl.DataFrame({"skill": skill, "sex": column, "label": label.astype(int)}).write_csv(path)
        words = ("--learner", "{tree: {max_depth: 4}}", "--audit", "flip", "--positive", "1")
        found.append(verdicts(path, *words)["flip"]["statistic"])
    # whoever leaves the favoured group, or joins it, changes places where skill alone does not decide
    assert found[0] > 0.3
    assert found[0] == pytest.approx(found[1], abs=0.02)


def test_page_and_json_say_the_same(tmp_path: Path) -> None:
    path = data(tmp_path)
    found = verdicts(path)
    html = html_of(tmp_path / "page.html")
    text = text_of(tmp_path / "page.html")
    for name, row in found.items():
        assert re.search(rf"{re.escape(name)}\s+{row['says']}", text), name
    for title in (
        "Verdicts",
        "Batteries",
        "Groups",
        "Gaps between groups",
        "Shapley values",
        "LIME",
        "Scores",
    ):
        assert re.search(rf"<h2>[^<]*{title}", html), title
    # one file, no network
    assert "<svg" in html
    # what scripts write into an address is looked at by the browser tests
    written = re.sub(r"<script[^>]*>.*?</script>", "", html, flags=re.DOTALL)
    links = re.findall(r"(?:src|href|url)\s*[=(]\s*[\"']?([^\"')>\s]+)", written)
    assert not [link for link in links if not link.startswith(("#", "data:"))]
    printed = audit(path, "--force")
    assert printed.code == 0 and "page:" in printed.out
    for name, row in found.items():
        assert re.search(rf"^{re.escape(name)}\s+{row['says']}", printed.out, re.MULTILINE), name


def test_the_same_seed_gives_the_same_numbers(tmp_path: Path) -> None:
    def numbers(*words: object) -> list[tuple[Any, ...]]:
        rows = verdicts(data(tmp_path), *words).values()
        return [(row["audit"], row["statistic"], row["p"], row["blamed"]) for row in rows]

    assert numbers() == numbers()
    assert numbers() != numbers("--seed", "1")


def test_only_some_audits_and_columns(tmp_path: Path) -> None:
    path = data(tmp_path)
    found = verdicts(path, "--audit", "four_fifths", "--audit", "{slice_accuracy: {}}", "--drop", "job")
    assert list(found) == ["four_fifths", "slice_accuracy"]
    assert "nurse" not in text_of(tmp_path / "page.html")
    ordered = data(tmp_path, name="t.csv", day=pl.int_range(N, 0, -1))
    ended = audit(ordered, "--time", "day", "--share", "0.8", "--json", "--audit", "accuracy", out="t.html")
    assert json.loads(ended.out)["summary"]["rows audited"] == "300"


def test_what_was_guessed_is_said_and_marks_are_what_their_owner_says(tmp_path: Path) -> None:
    i = pl.int_range(N)
    path = data(
        tmp_path,
        skill=pl.when(i == 70).then(pl.lit("-")).otherwise("skill"),
        sex=pl.when(i % 9 == 0).then(pl.lit("(missing)")).when(i % 9 == 1).then(None).otherwise("sex"),
    )
    # as a data frame is written with its index, by a program that separates by semicolons
    lines = path.read_text().splitlines()
    path.write_text("\n".join(f"{i or ''};{line.replace(',', ';')}" for i, line in enumerate(lines)) + "\n")
    ended = audit(path, "--audit", "demographic_parity")
    assert ended.code == 2 and not ended.out
    assert (
        "error: rows.csv: 1499 of 1500 values of column 'skill' are plain numbers, 1 is none: '-'"
        in ended.err
    )
    assert "--missing '-' (nothing), --categorical 'skill' (codes), --drop 'skill'" in ended.err
    found = audit(path, "--audit", "demographic_parity", "--missing", "-", "--json")
    assert found.code == 0, found.err
    assert [line.partition(": ")[0] for line in found.err.strip().splitlines()] == ["warning"] * 2
    assert "separated by semicolons" in found.err and "column 1 ('1', '2', '3', ...) has no name" in found.err
    # a group that is called as ours would be is a group, and so are rows without one
    assert json.loads(found.out)["summary"]["groups"] == 4
    text = text_of(tmp_path / "page.html")
    assert "Rows without a group are a group of their own, (missing)_ ." in " ".join(text.split())


def test_missing_groups_are_a_group(tmp_path: Path) -> None:
    path = data(tmp_path, sex=pl.when(pl.int_range(N) % 5 == 0).then(None).otherwise(pl.col("sex")))
    ended = audit(path, "--json", "--audit", "demographic_parity")
    assert ended.code == 0, ended.err
    assert json.loads(ended.out)["summary"]["groups"] == 3


# in time order: the last row is audited
@pytest.mark.parametrize("name", ["demographic_parity", "shap_gap", "accuracy"])
def test_a_group_of_one_row_is_not_enough_data(tmp_path: Path, name: str) -> None:
    sex = pl.when(pl.int_range(N) == N - 1).then(pl.lit("M")).otherwise(pl.lit("F"))
    path = data(tmp_path, sex=sex, day=pl.int_range(N))
    found = verdicts(path, "--time", "day", "--drop", "day", "--blind", "--audit", name)[name]
    if name == "accuracy":
        assert found["says"] in ("found", "not found")
        return
    assert found["says"] == "not enough data" and found["statistic"] is None and found["reason"]


def test_a_constant_prediction_is_not_enough_data_where_it_says_nothing(tmp_path: Path) -> None:
    n = 600
    rare = pl.when(pl.int_range(n) % 200 == 0).then(pl.lit("yes")).otherwise(pl.lit("no"))
    path = data(tmp_path, n=n, label=rare)
    found = verdicts(path, "--learner", "{tree: {max_depth: 1, min_samples_leaf: 100}}", "--blind")
    # of the inputs something may be said
    said = {row["says"] for name, row in found.items() if not name.startswith("input_")}
    assert said <= {"not enough data", "not found", "no test"}
    assert found["predictive_parity"]["says"] == "not enough data" and found["predictive_parity"]["reason"]
    assert found["four_fifths"]["statistic"] is None and found["four_fifths"]["broken"] is None


@pytest.mark.parametrize(
    ("changes", "words", "group", "texts"),
    [
        ({}, [], "sx", ["no column 'sx'", "did you mean 'sex'"]),
        ({"sex": pl.lit("F")}, [], "sex", ["there is one group only: 'F'", "name a column with two groups"]),
        ({"label": pl.lit("yes")}, [], "sex", ["all labels in 'label' are 'yes'"]),
        ({"label": pl.col("job")}, ["--positive", ""], "sex", ["the label has 3", "--positive"]),
        ({}, ["--learner", "rigde"], "sex", ["rigde", "did you mean 'ridge'"]),
        ({}, ["--audit", "shap_gab"], "sex", ["shap_gab", "did you mean 'shap_gap'"]),
        ({}, ["--audit", "explained"], "sex", ["explained is a battery", "list its audits: accuracy, f1"]),
        ({}, ["--audit", "{f1: {labels: 'true'}}"], "sex", ["known in simulations only", "labels: observed"]),
        ({}, [], "label", ["'label' cannot be both label and group", "--group"]),
        ({}, ["--audit", "flip", "--audit", "flip"], "sex", ["listed twice"]),
        ({}, ["--positive", "maybe"], "sex", ["maybe"]),
        ({}, ["--learner", KNN], "sex", ["cannot be trained on 720 rows", "a larger --share"]),
        ({}, ["--share", "1"], "sex", ["--share must lie between 0 and 1"]),
        ({}, ["--rounds", "5"], "sex", ["--rounds must be at least 19"]),
    ],
)
def test_what_cannot_be_audited_is_one_clear_error(
    tmp_path: Path, changes: dict[str, Any], words: list[str], group: str, texts: list[str]
) -> None:
    ended = audit(data(tmp_path, **changes), *words, group=group)
    assert ended.code != 0 and not ended.out and "Traceback" not in ended.err
    assert ended.err.startswith("error: "), ended.err
    for text in texts:
        assert text in ended.err, ended.err
    assert not (tmp_path / "page.html").exists()


def test_the_choices_of_the_command_are_those_of_the_split() -> None:
    assert list(COPIES) == [kind.value for kind in Copies]


def copied(folder: Path, times: int, name: str = "copies.csv") -> Path:
    """Rows that hardly tell the label, each several times, in a random order."""
    rng = np.random.default_rng(11)
    n = 400
    X = rng.normal(size=(n, 4))
    frame = pl.DataFrame({f"x{j}": X[:, j] for j in range(4)}).with_columns(
        sex=pl.Series(np.where(rng.random(n) < 0.5, "F", "M")),
        hired=pl.Series((X[:, 0] + 2.0 * rng.normal(size=n) > 0.0).astype(int)),
    )
    path = folder / name
    pl.concat([frame] * times).sample(fraction=1.0, shuffle=True, seed=5).write_csv(path)
    return path


WOMAN = pl.col("sex") == "F"
DEEP = ("--learner", "{tree: {max_depth: 30, min_samples_leaf: 1}}", "--label", "hired", "--positive", "")


def outcome(path: Path, *words: object) -> tuple[dict[str, Any], str]:
    ended = audit(path, "--json", "--force", "--audit", "accuracy", *DEEP, *words)
    assert ended.code == 0, ended.err
    found: dict[str, Any] = json.loads(ended.out)
    return found, ended.err


def test_copies_of_rows_do_not_make_a_model_look_good(tmp_path: Path) -> None:
    path = copied(tmp_path, 8)
    honest, warned = outcome(path)
    assert "2,800 of 3,200 rows are equal to an earlier one" in text_of(tmp_path / "page.html")
    fooled, told = outcome(path, "--copies", "anywhere")
    single, quiet = outcome(copied(tmp_path, 1, "single.csv"))
    accuracy = [float(found["summary"]["accuracy"]) for found in (honest, fooled, single)]
    # a tree knows all copies by heart
    assert accuracy[1] > 0.95 and accuracy[0] < 0.7 and abs(accuracy[0] - accuracy[2]) < 0.1
    assert honest["rows"] == {"equal_to_another": 2800, "copies_across_the_split": 0, "left_out": 0}
    assert fooled["rows"]["copies_across_the_split"] > 1200
    assert single["rows"] == {"equal_to_another": 0, "copies_across_the_split": 0, "left_out": 0}
    assert "2,800 of 3,200 rows are equal to an earlier one" in warned and "one side of the split" in warned
    assert "of the audited rows are equal to one that was trained on (accuracy 1.000" in told and not quiet
    # nor is what a model promises learnt by heart
    losses = [found["verdicts"][0]["statistic"] for found in (honest, fooled)]
    assert abs(losses[0]) < 0.1 and abs(losses[1]) < 0.1


def test_in_time_order_copies_of_what_was_trained_on_are_not_audited(tmp_path: Path) -> None:
    path = copied(tmp_path, 2)
    frame = pl.read_csv(path).with_row_index("day")
    frame.write_csv(path)
    found, _ = outcome(path, "--time", "day")
    assert found["rows"]["copies_across_the_split"] == 0
    assert int(found["summary"]["rows audited"].replace(",", "")) == 320 - found["rows"]["left_out"]
    assert 100 < found["rows"]["left_out"] < 260


def test_too_few_different_rows_are_refused_with_the_way_out(tmp_path: Path) -> None:
    path = data(tmp_path, skill=pl.lit(1.0), years=pl.lit(2.0), job=pl.lit("cook"))
    ended = audit(path, "--audit", "four_fifths")
    assert ended.code == 2 and "the 1,500 rows are 2 different ones" in ended.err
    assert "--copies anywhere, if equal rows are other people" in ended.err
    assert audit(path, "--audit", "four_fifths", "--copies", "anywhere").code == 0


def test_the_acceptance_is_asked_for_and_stated(tmp_path: Path) -> None:
    recid = data(tmp_path, label=pl.when(pl.col("label") == "yes").then(1).otherwise(0))
    # by custom 1 is the positive class of a column whose name says nothing
    customary = audit(recid, "--positive", "", "--audit", "demographic_parity", "--json", "--force")
    assert json.loads(customary.out)["accepted"]["label"] == "1"
    (tmp_path / "page.html").unlink()
    pl.read_csv(recid).rename({"label": "recid"}).write_csv(recid)
    asked = audit(recid, "--label", "recid", "--positive", "")
    assert asked.code == 2 and not (tmp_path / "page.html").exists()
    assert re.search(r"which label of 'recid' is an acceptance: '0' \([\d,]+ rows\) or '1'", asked.err)
    assert "--positive '0' or --positive '1'" in asked.err
    for positive in ("0", "1"):
        ended = audit(
            recid,
            "--label",
            "recid",
            "--positive",
            positive,
            "--audit",
            "demographic_parity",
            "--json",
            "--force",
        )
        found = json.loads(ended.out)
        share = pl.read_csv(recid)["recid"].cast(pl.String).eq(positive).mean()
        assert found["accepted"] == {"column": "recid", "label": positive, "share": share, "asked": True}
        assert f"Accepted means: the model says that 'recid' is '{positive}'" in " ".join(
            text_of(tmp_path / "page.html").replace("&#39;", "'").split()
        )
    printed = audit(recid, "--label", "recid", "--positive", "1", "--audit", "four_fifths", "--force")
    assert "accepted: the model says that 'recid' is '1'" in printed.out
    # where the name of the column says it nobody is asked, whichever comes last
    hired = recid.rename(tmp_path / "hired.csv")
    said = pl.when(pl.col("recid") == 1).then(pl.lit("accepted")).otherwise(pl.lit("waits"))
    pl.read_csv(hired).select(pl.exclude("recid"), said.alias("hired")).write_csv(hired)
    ended = audit(hired, "--label", "hired", "--positive", "", "--audit", "four_fifths", "--json", "--force")
    assert json.loads(ended.out)["accepted"]["label"] == "accepted"
    assert json.loads(ended.out)["accepted"]["asked"] is False


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (pl.when(WOMAN).then(pl.lit("x")).otherwise(pl.lit("y")), "the group under other names"),
        (pl.when(WOMAN).then(7.0).otherwise(-1.5), "the group under other names"),
        (pl.when(WOMAN).then(pl.int_range(N) % 7).otherwise(9), "each value has people of one group"),
        (pl.when((pl.int_range(N) % 40 > 0) == WOMAN).then(0).otherwise(1), "nearly the group"),
    ],
)
def test_a_copy_of_a_hidden_group_is_named(tmp_path: Path, code: pl.Expr, kind: str) -> None:
    path = data(tmp_path, shift=0.0, code=code)
    hidden = audit(path, "--blind", "--audit", "four_fifths", "--json")
    (copy,) = json.loads(hidden.out)["copies_of_the_group"]
    assert copy["feature"] == "code" and kind in copy["kind"] and copy["told"] > 0.9
    assert "the model is not to see 'sex', yet 'code'" in hidden.err and "--drop 'code'" in hidden.err
    text = " ".join(text_of(tmp_path / "page.html").replace("&#39;", "'").split())
    assert "the model is not to see 'sex', yet 'code'" in text
    # what tells little is no copy, and whoever shows the group hides nothing
    shown = audit(path, "--audit", "four_fifths", "--json", "--force")
    assert "not to see" not in shown.err
    dropped = audit(path, "--blind", "--drop", "code", "--audit", "four_fifths", "--json", "--force")
    assert json.loads(dropped.out)["copies_of_the_group"] == [] and "not to see" not in dropped.err


def test_pages_are_not_overwritten_unasked(tmp_path: Path) -> None:
    path = data(tmp_path)
    (tmp_path / "page.html").write_text("mine", encoding="utf-8")
    ended = audit(path)
    assert ended.code != 0 and "exists" in ended.err and "--force" in ended.err
    assert (tmp_path / "page.html").read_text(encoding="utf-8") == "mine"
    assert "end its name in .html" in audit(path, out="page.pdf").err
    assert audit(tmp_path / "none.csv").code != 0
