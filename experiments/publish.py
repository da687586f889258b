"""Copy what travels of a local run into results/: settings, tables, at most three figures as SVG, cells.

The cells are its baseline (`mlopsim bench baseline=published` takes them): series that sections compare and
fits included. It is refused where cells or fits were computed by two states of the code.

Which figures is declared here by track, so that nobody chooses the flattering ones. HTML and PNG stay local:
`mlopsim report` makes them again.

    python experiments/publish.py quick
"""

from __future__ import annotations

import argparse
import shutil
from collections.abc import Sequence
from pathlib import Path

from _common import ROOT

from mlopsim.bench.baseline import FILE

#: figures by track, in the order in which they tell most
FIGURES = {
    "delivery": ("leaderboard", "profiles", "cost-against-quality"),
    "drift": ("leaderboard", "critical-difference", "worth-against-delay-errors-a-retrain-costs-0-2"),
    "quality": ("leaderboard", "recall-and-worth", "accuracy-over-time"),
    "governance": ("leaderboard", "worth-in-the-return", "out-of-compliance"),
    "fairness": ("leaderboard", "told-apart-proxy-ridge", "power-cancelling-proxies-ridge"),
}
#: bytes of a figure
LARGEST = 200_000


def publish(source: Path, target: Path, *, baseline: bool = True) -> list[Path]:
    """Copy config.yaml, the tables and the declared figures of a run; what is in the target is replaced.

    Parameters
    ----------
    source, target : Path
        Folder of the run, and where it goes.
    baseline : bool, default True
        Write the baseline, too; without it one that is there goes, for it would be of another run.

    Raises
    ------
    ConfigError
        If the source has no report yet, its run is not complete, a figure is too large, or its cells make no
        baseline; the target stays as it is.
    """
    import polars as pl
    from omegaconf import OmegaConf

    from mlopsim.bench.baseline_write import write_baseline
    from mlopsim.bench.ledger import Ledger
    from mlopsim.bench.table import table
    from mlopsim.core.errors import ConfigError
    from mlopsim.core.files import write_bytes

    config, board = source / "config.yaml", source / "leaderboard.csv"
    if not (config.is_file() and board.is_file()):
        raise ConfigError(f"no finished run in {source}", remedy="run mlopsim bench, then mlopsim report")
    loaded = OmegaConf.to_container(OmegaConf.load(config))
    assert isinstance(loaded, dict)
    with Ledger.read(source) as ledger:
        track = ledger.grid(str(loaded["grid"]))["track"]["name"]
        open_cells = table(ledger, str(loaded["grid"])).filter(pl.col("status") != "done").height
    if open_cells:
        raise ConfigError(f"{open_cells} cells of {source} are not done", remedy="run the suite again")
    chosen = []
    for name in FIGURES[track]:
        figure = source / "figures" / f"{name}.svg"
        # not every run has each of them: there is no worth without a deployment
        chosen += [figure] if figure.is_file() else []
    for path in chosen:
        if path.stat().st_size > LARGEST:
            raise ConfigError(
                f"{path} has {path.stat().st_size:,} bytes, {LARGEST:,} at most",
                remedy="declare another figure in experiments/publish.py",
            )
    made = []
    if baseline:
        with Ledger.read(source) as ledger:
            made.append(write_baseline(ledger, target / FILE, str(loaded["grid"])))
    else:
        (target / FILE).unlink(missing_ok=True)
    copied = {path: target / path.name for path in (config, board)}
    copied |= {path: target / "figures" / path.name for path in chosen}
    shutil.rmtree(target / "figures", ignore_errors=True)
    return [*(write_bytes(place, path.read_bytes()) for path, place in copied.items()), *made]


def main(arguments: Sequence[str] | None = None) -> None:
    """Publish the suites that are named."""
    parser = argparse.ArgumentParser(
        prog="python experiments/publish.py",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("suites", nargs="+", metavar="SUITE", help="results/local/SUITE to results/SUITE")
    parser.add_argument("--no-baseline", action="store_true", help="settings, tables and figures only")
    given = parser.parse_args(arguments)
    for suite in given.suites:
        source, target = ROOT / "results" / "local" / suite, ROOT / "results" / suite
        for path in publish(source, target, baseline=not given.no_baseline):
            print(f"{path.relative_to(ROOT)} {path.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
