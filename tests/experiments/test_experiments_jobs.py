"""Jobs of long experiments are done once, and say what is left."""

from __future__ import annotations

import math
import operator
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "experiments"))

from _jobs import Job, do, plan  # noqa: E402


def test_what_is_done_is_kept_and_a_job_that_fails_ends_the_run(tmp_path: Path) -> None:
    def job(i: int) -> Job:
        where = tmp_path / f"{i}.json"
        return Job(kind="thirds", label=f"of {i}", path=where, call=operator.truediv, arguments=(i, 3 * i))

    said: list[str] = []
    do([job(1), job(2)], 1, said.append)
    assert [line.split(",")[0] for line in said] == ["thirds 1/2: of 1", "thirds 2/2: of 2"]
    assert job(1).read() == 1 / 3
    (row,) = plan([job(1), job(2), job(0), job(3)], 2)
    assert (row["jobs"], row["done"]) == (4, 2)
    # two are left, at two a time
    assert row["seconds_left"] == pytest.approx(row["seconds_each"])
    said.clear()
    with pytest.raises(ZeroDivisionError):
        do([job(1), job(2), job(0)], 1, said.append)
    assert said == ["2 of 3 kept of an earlier run"] and not job(0).done
    assert math.isnan(plan([job(0)], 1)[0]["seconds_left"])
