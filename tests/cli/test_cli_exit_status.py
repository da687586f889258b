"""Exit statuses: one table in the documentation and in the help, and one way to each."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from cli_kit import Bench, mlopsim

from mlopsim.cli import error_messages
from mlopsim.cli.error_messages import DONE, FAILED, INTERRUPTED, REFUSED, STATUSES, UNEXPECTED

ROOT = Path(__file__).resolve().parents[2]


def test_help_and_documentation_have_the_same_statuses() -> None:
    shown = re.findall(r"^ {4}(\d+) +(.+)$", mlopsim("--help").out, re.M)
    assert {int(status): text for status, text in shown} == STATUSES
    page = (ROOT / "docs" / "command-line.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (\d+) \| ([^|]+) \|", page, re.M)
    assert {int(status): text.replace("`", "").strip() for status, text in rows} == STATUSES


def test_done_and_refused_and_failed(done: Bench) -> None:
    assert mlopsim("status", done.results).code == DONE
    # what the user can mend, by kind: an unknown option, a value, a folder, a word, what the system says
    for words in (
        ["status", "--nothing"],
        ["export", done.results, "--format", "doc"],
        ["status", "nowhere"],
        ["bench", "suite=nowhere"],
        ["nothing"],
        ["export", done.results, done.results / "ledger.sqlite" / "x.csv"],
    ):
        ended = mlopsim(*words)
        assert ended.code == REFUSED and "remedy: " in ended.err, words
    # the work was done, and something in it failed or differs
    (done.folder / "other").mkdir()
    done.folder.joinpath("bad.py").write_text(
        "from dataclasses import dataclass\nimport mlopsim\n\n\n"
        '@mlopsim.register("selector", "bad")\n@dataclass(kw_only=True)\nclass Bad:\n    """Bad."""\n'
    )
    assert mlopsim("check", "selector/bad", "--plugin", done.folder / "bad.py").code == FAILED


@pytest.mark.parametrize(
    ("error", "status"), [(KeyboardInterrupt(), INTERRUPTED), (ZeroDivisionError("x"), UNEXPECTED)]
)
def test_interrupts_and_faults_of_ours(error: BaseException, status: int) -> None:
    def group() -> None:
        raise error

    assert error_messages.run(group) == status
