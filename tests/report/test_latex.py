"""LaTeX that is written: nothing of a user's acts in it, and every macro gives its number."""

from __future__ import annotations

import math
import re
import shutil
import subprocess
from pathlib import Path

import polars as pl
import pytest

from mlopsim.compose.named_numbers import Board
from mlopsim.compose.paper import latex_macros, latex_table
from mlopsim.core.errors import ConfigError
from mlopsim.report.latex import SPECIAL, escaped, macro_names

HOSTILE = '50% of \\input{x} & #1 $a_b^c$ ~[*] --\n"quoted" `\''


def board(methods: list[str]) -> Board:
    n = len(methods)
    frame = pl.DataFrame(
        {
            "method": methods,
            "reads": (["errors", "inputs"] * n)[:n],
            "ns": [0.5, *[math.nan] * (n - 1)],
            "ns_low": [-0.25, *[math.nan] * (n - 1)],
            "ns_high": [0.75, *[math.nan] * (n - 1)],
            "ns_n": [10, *[0] * (n - 1)],
            "ns_reason": ["", *["it is the reference"] * (n - 1)],
            "cells": [4] * n,
        }
    )
    return Board(title="tiny-v1 (modified)", grid="0f" * 12, mlopsim="0.2", frame=frame)


def tokens(text: str) -> list[str]:
    """Split LaTeX as TeX does: comments go, a backslash takes a word or one sign."""
    found = []
    for line in text.splitlines():
        for token in re.findall(r"\\[A-Za-z@]+|\\.|%.*|.", line):
            if token.startswith("%"):
                break
            found.append(token)
    return found


def groups(text: str) -> list[str]:
    """Return the groups that follow one another at the beginning of a text."""
    found, depth, now = [], 0, ""
    for token in tokens(text):
        if token == "{" and (depth := depth + 1) == 1:
            now = ""
        elif token == "}" and (depth := depth - 1) == 0:
            found.append(now)
        elif depth == 0:
            break
        else:
            now += token
    assert depth == 0
    return found


def test_nothing_of_a_text_acts() -> None:
    allowed = {token for out in SPECIAL.values() for token in tokens(out)} - set("{}")
    got = tokens(escaped(HOSTILE))
    acting = [token for token in got if token in "$&#_^~%" or (token[0] == "\\" and token not in allowed)]
    assert not acting and got.count("{") == got.count("}")
    assert "input" in "".join(got) and "\\input" not in got and "--" not in escaped(HOSTILE)


def test_a_table_keeps_its_columns_whatever_names_hold() -> None:
    text = latex_table(board(["never", HOSTILE, "[x]"]))
    assert text.startswith("% tiny-v1 (modified) (grid 0f0f0f0f0f0f, mlopsim 0.2)")
    rows = [line for line in text.splitlines() if line.endswith(r" \\")]
    assert len(rows) == 4 and {len(re.findall(r"(?<!\\)&", row)) for row in rows} == {3}
    assert rows[0] == r"method & reads & ns & n \\"
    assert rows[1] == r"never & errors & 0.500 {[}\ensuremath{-}0.250, 0.750{]} & 10 \\"
    assert rows[2].endswith(r"& inputs & \mbox{--} & 0 \\") and rows[3].startswith("{[}x{]}")
    assert "% ns: " not in text and "it is the reference" in text.splitlines()[-1]
    assert all(line.startswith(("%", "\\", *"0123456789nm5{")) for line in text.splitlines())


def test_macros_give_each_number_by_its_name() -> None:
    names = ["ppo(n_envs=32)", "a/b", HOSTILE]
    text = latex_macros(board(names), 2)
    sets = [groups(line.removeprefix(r"\mlopsimset")) for line in text.splitlines() if "set{t" in line]
    assert sets[0] == [
        "tiny-v1-modified/ppo-n-envs-32/ns",
        *("0.50", r"\ensuremath{-}0.25", "0.75", "10", r"0.50 {[}\ensuremath{-}0.25, 0.75{]}"),
    ]
    assert sets[1][0] == "tiny-v1-modified/a-b/ns" and sets[1][1] == r"\mbox{--}"
    assert all(len(fields) == 6 and re.fullmatch("[A-Za-z0-9./-]+", fields[0]) for fields in sets)


def test_names_that_would_be_one_stay_two() -> None:
    short = macro_names(["s/a_b/ns", "s/a+b/ns", "s/k(x=-1)/ns", "s/k(x=1)/ns", "s/a.b/ns"])
    assert len(set(short.values())) == 5 and short["s/a.b/ns"] == "s/a.b/ns"
    assert short["s/k(x=-1)/ns"] != short["s/k(x=1)/ns"]
    assert macro_names(["s/a+b/ns", "s/a_b/ns"])["s/a_b/ns"] == short["s/a_b/ns"]


def test_a_column_that_is_not_there_is_named() -> None:
    with pytest.raises(ConfigError, match="no column 'nss'"):
        latex_table(board(["never"]), ["nss"])
    with pytest.raises(ConfigError, match="no number with an interval"):
        empty = board(["never"])
        latex_table(Board(title="x", grid="", mlopsim="", frame=empty.frame.drop("ns_n")))


def test_latex_itself_takes_it(tmp_path: Path) -> None:
    engine = shutil.which("pdflatex") or shutil.which("tectonic")
    if engine is None:
        pytest.skip("neither pdflatex nor tectonic is installed: only the tokens were checked")
    (tmp_path / "numbers.tex").write_text(latex_macros(board(["never", HOSTILE])), encoding="utf-8")
    (tmp_path / "table.tex").write_text(latex_table(board(["never", HOSTILE])), encoding="utf-8")
    page = r"""\documentclass{article}\usepackage{booktabs,textcomp}\input{numbers}\begin{document}
\input{table} \mlopsimnum{tiny-v1-modified/never/ns}\end{document}"""
    (tmp_path / "page.tex").write_text(page, encoding="utf-8")
    words = ["-interaction=nonstopmode", "-halt-on-error"] if "pdflatex" in engine else []
    done = subprocess.run([engine, *words, "page.tex"], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-2000:]
