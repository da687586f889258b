"""What the tests of the command line share: the command in this process, and a suite that takes a second."""

from __future__ import annotations

import contextlib
import io
import sys
from dataclasses import dataclass
from pathlib import Path

import polars as pl

SUITE = """\
# @package _global_
about: "A suite for tests."
suite_version: 1
track: delivery
tasks:
  - {name: small, learner: ridge, stream: {synthetic: {windows: 16, rows: 20, warmup: 4}}}
  - {name: other, learner: naive_bayes, stream: {synthetic: {windows: 16, rows: 20, warmup: 4, concept: sea}}}
methods: [never, periodic]
seeds: 2
delivery: {steps: 0, record: true}
"""


@dataclass(kw_only=True)
class Ended:
    """How a command ended."""

    code: int
    out: str
    err: str


def mlopsim(*words: object) -> Ended:
    """Run the command in this process, with everything that ``mlopsim`` does about errors."""
    from mlopsim.cli.main import main

    out, err, argv, code = io.StringIO(), io.StringIO(), sys.argv, 0
    sys.argv = ["mlopsim", *map(str, words)]
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            main()
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 1
    finally:
        sys.argv = argv
    return Ended(code=code, out=out.getvalue(), err=err.getvalue())


@dataclass(kw_only=True)
class Bench:
    """A folder with presets, a World cache and results, and the tiny suite."""

    folder: Path

    @property
    def conf(self) -> Path:
        return self.folder / "conf"

    @property
    def results(self) -> Path:
        return self.folder / "results"

    def preset(self, name: str, text: str) -> Path:
        path = self.conf / f"{name}.yaml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    def __call__(self, *words: object) -> Ended:
        """``mlopsim bench suite=tiny``, in this process unless an executor is named."""
        extra = [] if any(str(word).startswith("executor=") for word in words) else ["executor=serial"]
        if not any(str(word).startswith("results=") for word in words):
            extra.append(f"results={self.results}")
        return mlopsim("bench", "suite=tiny", *extra, "--conf", self.conf, *words)

    def cells(self) -> pl.DataFrame:
        from mlopsim.bench.ledger import Ledger
        from mlopsim.bench.table import table

        with Ledger.read(self.results) as ledger:
            return table(ledger)
