"""The paragraph on top of a report: each part of it follows from numbers that are given."""

from dataclasses import dataclass, field
from types import SimpleNamespace

import polars as pl
import pytest

from mlopsim.compose.in_words import in_words
from mlopsim.core.track import Metric
from mlopsim.report.prose import prose

NAN = float("nan")


@dataclass
class Given:
    """Results of which everything is given."""

    leaderboard: pl.DataFrame
    gap: tuple[float, float, float] = (0.2, 0.1, 0.3)
    status: tuple[str, ...] = ("done", "done")
    direction: str = "max"
    pooled: str = "all tasks"
    sweep: dict = field(default_factory=dict)
    counted: int | None = None

    @property
    def track(self):
        score = Metric(name="ns", unit="1", direction=self.direction, text="NS")
        return SimpleNamespace(score=score, compare=self.compare)

    @property
    def cells(self):
        methods = ["b"] * len(self.status)
        return pl.DataFrame({"method": methods, "status": self.status, "latency": range(len(methods))})

    def compare(self, a, b):
        self.asked = a, b
        value, low, high = self.gap
        counted = {} if self.counted is None else {"ns_tasks": [1, self.counted]}
        return pl.DataFrame(
            {
                "task": ["t", self.pooled],
                "tasks": [1, 2],
                **counted,
                "difference": [9.0, value],
                "difference_low": [8.0, low],
                "difference_high": [10.0, high],
                "difference_n": [1, 30],
                "difference_reason": ["", "one seed"],
            }
        )


def board(**columns):
    return pl.DataFrame(
        {
            "method": ["top", "a", "b`c", "d"],
            "role": ["control", "method", "method", "method"],
            "ns": [1.0, 0.3, 0.5, NAN],
            "ns_low": [1.0, 0.2, 0.4, NAN],
            "ns_high": [1.0, 0.4, 0.6, NAN],
            "ns_n": [30, 30, 30, 0],
            "ns_reason": ["", "", "", "every cell failed"],
        }
        | columns
    )


def test_the_leader_is_the_best_that_is_no_control_with_interval_and_n():
    given = Given(board())
    text = in_words(given)
    assert given.asked == ("b`c", "a")
    assert (
        "Of 3 methods, controls aside, ``b`c`` leads by **NS** (more is better): 0.50 [0.40, 0.60] (n = 30)."
        in text
    )
    assert "`a` is second with 0.30 [0.20, 0.40] (n = 30)" in text
    assert "over 2 tasks is 0.20 [0.10, 0.30] (n = 30), an interval that excludes 0" in text
    assert "Not compared, 1: `d` (`every cell failed`). No cell failed." in text
    assert "like with like" not in text and "top" not in text
    assert "<code>b`c</code>" in prose(text)
    # of its own tasks, where what stands beside it is over more
    assert "the paired difference is 0.20" in in_words(Given(board(), counted=1))
    # less is better: the order turns round
    assert "`a` leads by **NS** (less is better)" in in_words(
        Given(board(), (-0.2, -0.3, -0.1), direction="min")
    )


@pytest.mark.parametrize(
    ("gap", "said"),
    [
        ((0.2, -0.1, 0.3), "do not tell the two apart"),
        ((0.2, 0.0, 0.3), "do not tell the two apart"),
        ((-0.2, -0.3, -0.1), "against the order of the leaderboard"),
        ((NAN, NAN, NAN), "difference is undefined: one seed"),
        ((0.2, NAN, NAN), "nothing is said of chance"),
    ],
)
def test_no_lead_is_claimed_that_the_paired_interval_does_not_bear(gap, said):
    text = in_words(Given(board(), gap))
    assert said in text and "excludes 0 (" not in text


def test_what_differs_failed_or_was_swept_is_said():
    unlike = in_words(Given(board(reads=["-", "rows", "errors", "rows"], needs=["-", "x", "x", "x"])))
    assert "They are not like with like: they differ in `reads (errors; rows)`." in unlike
    broken = in_words(Given(board(), status=("done", "failed", "timeout", "planned")))
    assert "2 of 4 cells failed, of `b`, and count in no number. 1 of 4 cells are not there yet." in broken
    assert "pools the swept values of `latency`" in in_words(Given(board(), sweep={"latency": []}))
    assert "are not pooled" in in_words(Given(board(), pooled="u"))


def test_methods_of_another_law_are_in_no_common_order():
    # the best of all blocks whatever comes: the leaderboard has it below those whose rate is asked
    laws = ["none", "calibrated", "rule", "calibrated"]
    text = in_words(Given(board(limit=laws, ns=[1.0, 0.3, 0.9, 0.2])))
    assert text.startswith("Of 2 methods, controls aside, `a` leads") and "`d` is second" in text
    assert "with `limit calibrated`, which the leaderboard puts first; 1 made comparable" in text
    assert "apart: ``b`c``." in text


def test_where_nothing_can_be_said_nothing_is():
    assert in_words(Given(board(), direction="none")) == ""
    assert in_words(Given(board().drop("ns"))) == ""
    none = in_words(Given(board(ns=[1.0, NAN, NAN, NAN])))
    assert none.startswith("No method has a value of **NS**") and "Not compared, 3" in none
    alone = in_words(Given(board(ns=[1.0, 0.3, NAN, NAN])))
    assert "There is no second one" in alone
