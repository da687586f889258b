"""``mlopsim rerun``: recompute one cell, compare exactly."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from mlopsim.bench.rerun import rerun
from mlopsim.cli.once import Once
from mlopsim.cli.printing import echo, echo_json, finite


@click.command("rerun", cls=Once)
@click.argument("folder", type=click.Path(path_type=Path))
@click.argument("key")
@click.option("--deep", is_flag=True, help="Remake the fits that the cell needs, too.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option(
    "--plugin", "plugins", multiple=True, help="A .py file with components of your own, or a folder of them."
)
@click.option("--trust-plugins", is_flag=True, help="Load plug-ins that the folder names, if unchanged.")
def command(
    folder: Path, key: str, deep: bool, as_json: bool, plugins: tuple[str, ...], trust_plugins: bool
) -> None:
    """Recompute the cell KEY in a fresh process, and say which promise applied and whether it was kept.

    \b
    Examples:
      mlopsim rerun results/local/quick 3fa9
      mlopsim rerun results/local/quick 3fa9 --deep
      mlopsim rerun results/local/quick 3fa9 --json
    """
    report = rerun(folder, key, deep=deep, plugins=plugins, trust=trust_plugins)
    if as_json:
        several = [finite(asdict(item)) for item in report.comparisons]
        more = {"kept": report.kept, "identical": report.identical, "comparisons": several}
        echo_json({**vars(report), **more})
    else:
        echo(report.text())
    if not report.kept:
        raise SystemExit(1)
