"""A sample of the damaged inputs of experiments/robustness.py: none may be taken wrongly."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

ROOT = Path(__file__).parents[2]
#: 500 in all
SAMPLE = {"configs": 200, "arguments": 100, "files": 80, "plug-ins": 40, "ledgers": 80}


@pytest.mark.parametrize(
    "families", [("configs", "plug-ins"), ("arguments", "files", "ledgers")], ids=" ".join
)
def test_damaged_input_is_refused_said_or_harmless(families: tuple[str, ...], tmp_path: Path) -> None:
    """In a process of its own: plug-ins that are loaded would stay in this one."""
    cases = ", ".join(f"{family}: {SAMPLE[family]}" for family in families)
    words = [f"cases={{{cases}}}", f"only=[{', '.join(families)}]", "workers=1", "--results", str(tmp_path)]
    ended = subprocess.run(
        [sys.executable, str(ROOT / "experiments" / "robustness.py"), *words],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=500,
    )
    table = tmp_path / "table.csv"
    assert table.is_file(), ended.stderr[-2000:]
    others = tmp_path / "others.csv"
    if others.exists():
        wrong = pl.read_csv(others, infer_schema=False).head(20)
        said = [f"{r['verdict']}: {r['fault']}: {r['detail']} -> {r['answer']}" for r in wrong.to_dicts()]
        pytest.fail("\n".join(said))
    assert ended.returncode == 0
    assert pl.read_csv(table)["cases"].max() == sum(SAMPLE[family] for family in families)


def test_generators_repeat_and_judge(tmp_path: Path) -> None:
    sys.path.insert(0, str(ROOT / "experiments"))
    import numpy as np
    from faults.base import Case, Right, Verdict, judge
    from faults.texts import misspelt, wrong_values

    assert misspelt(np.random.default_rng(3), "periodic", ["periodic"]) == misspelt(
        np.random.default_rng(3), "periodic", ["periodic"]
    )
    known = ("abc", "ab")
    assert all(misspelt(np.random.default_rng(s), "abc", known) not in known for s in range(200))
    assert "null" not in wrong_values(int | None) and "junk" in wrong_values(int | None)
    case = Case(words=())
    assert judge(case, 2, "", "error: x\n  remedy: y") is Verdict.REFUSED
    assert judge(case, 2, "", "error: x") is Verdict.BARE
    assert judge(case, 0, "fine", "") is Verdict.SILENT
    assert judge(case, 1, "", "Traceback (most recent call last):\n") is Verdict.TRACEBACK
    assert judge(Case(words=(), right=Right.SAID), 0, "", "warning: x") is Verdict.HARMLESS
    assert (
        judge(Case(words=(), right=Right.FOUND, same=lambda out: out == "1"), 0, "1", "") is Verdict.HARMLESS
    )
    assert judge(Case(words=(), right=Right.FOUND, same=lambda out: out == "1"), 0, "2", "") is Verdict.SILENT
