"""``mlopsim compliance``: what one deployment shows an auditor, as one page."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mlopsim import __version__
from mlopsim.cli.once import Once
from mlopsim.cli.printing import echo, secho
from mlopsim.core.errors import ConfigError

if TYPE_CHECKING:
    from mlopsim.compose.audit_log import CellRecord
    from mlopsim.governance.compliance.case import Case
    from mlopsim.governance.compliance.page import Assessed


@click.command("compliance", cls=Once)
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.argument("key")
@click.option("--out", type=click.Path(path_type=Path), help="Write the page, .html.")
@click.option("--force", is_flag=True, help="Overwrite a page that exists.")
@click.option(
    "--keep",
    type=click.IntRange(1),
    metavar="N",
    help="Windows that the record must hold (those of six months)  [default: all]",
)
@click.option(
    "--heads",
    multiple=True,
    type=click.Path(path_type=Path),
    help="Published heads, as CSV  [default: DIR/heads.csv, if there]",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option(
    "--plugin", "plugins", multiple=True, help="A .py file with components of your own, or a folder of them."
)
@click.option("--trust-plugins", is_flag=True, help="Load plug-ins that the folder names, if unchanged.")
def command(
    folder: Path,
    key: str,
    out: Path | None,
    force: bool,
    keep: int | None,
    heads: tuple[Path, ...],
    as_json: bool,
    plugins: tuple[str, ...],
    trust_plugins: bool,
) -> None:
    """Say how the deployment that the cell KEY in DIR is stands to its limits, and to what regulation asks.

    Checks stand for requirements of the AI Act (12, 14, 19, 26), the NIST AI RMF (MANAGE 2.4, 4.1) and
    SR 26-2. Each is computed on this very deployment, drills included: passed, failed or not applicable, with
    the reason. The page also shows what served, versions and their lineage, rates by group with their limits
    (truth and what was measured apart), time out of compliance, decisions with reasons. No legal advice.

    A record in DIR/records is verified, and its overrides are honoured; without one what is said of the
    record is said of one that is derived now. Exit status 0 whatever the checks say.

    \b
    Examples:
      mlopsim compliance results/local/quick 3fa9
      mlopsim compliance results/local/quick 3fa9 --out compliance.html
      mlopsim compliance results/local/quick 3fa9 --keep 26 --heads published/heads.csv --json
    """
    from mlopsim.compose.compliance import open_case
    from mlopsim.core.threads import one_thread
    from mlopsim.governance.compliance.assessed import assess

    _check(out, force)
    case, opened = open_case(folder, key, keep=keep, heads=heads, plugins=plugins, trust=trust_plugins)
    if opened.changed and not as_json:
        secho(f"changed since, so this is today's deployment: {', '.join(opened.changed)}", fg="yellow")
    with one_thread():
        assessed = assess(case)
        if out is not None:
            _write(case, opened, assessed, out)
        if as_json:
            echo(json.dumps(_as_json(case, opened, assessed), allow_nan=False))
            return
        _print(case, opened, assessed)
    if out is not None:
        echo(f"page: {out}")


def _check(out: Path | None, force: bool) -> None:
    """Refuse what cannot be done before anything is computed."""
    if out is None:
        return
    if out.suffix.lower() not in (".html", ".htm"):
        raise ConfigError(f"cannot write a page to '{out}'", remedy="end its name in .html")
    if out.exists() and not force:
        raise ConfigError(f"{out} exists", remedy="choose another name, or overwrite it with --force")


def _print(case: Case, opened: CellRecord, assessed: Assessed) -> None:
    from mlopsim.bench.grid import describe
    from mlopsim.governance.compliance import page
    from mlopsim.governance.compliance.requirement import Says

    colours = {Says.PASSED: "green", Says.FAILED: "red", Says.NOT_APPLICABLE: None}
    secho(describe(opened.cell), bold=True)
    for name, value in page.summary(case, assessed).items():
        echo(f"{name:22}{value}")
    echo()
    for requirement, outcome in assessed:
        secho(f"{page.MARKS[outcome.says]:18}", fg=colours[outcome.says], nl=False)
        echo(f"{requirement.source:20}{requirement.stands}")
        echo(f"{'':38}{outcome.reason}")
    secho(page.NO_ADVICE, dim=True)


def _write(case: Case, opened: CellRecord, assessed: Assessed, out: Path) -> None:
    from mlopsim.bench.grid import describe
    from mlopsim.compose.compliance import provenance
    from mlopsim.core.files import atomic_path
    from mlopsim.governance.compliance import page
    from mlopsim.report.page import render

    meta: dict[str, Any] = {
        "lead": page.lead(case, assessed),
        "summary": page.summary(case, assessed),
        "notes": [f"changed since, so this is today's deployment: {name}" for name in opened.changed],
        "provenance": provenance(case, opened, __version__),
    }
    text = render(f"Compliance: {describe(opened.cell)}", page.sections(case, assessed), meta)
    with atomic_path(out) as target:
        target.write_text(text, encoding="utf-8")


def _as_json(case: Case, opened: CellRecord, assessed: Assessed) -> dict[str, Any]:
    from mlopsim.bench.grid import describe
    from mlopsim.governance.compliance import page
    from mlopsim.governance.compliance.breaches import breaches_of
    from mlopsim.governance.compliance.versions import version_histories

    return {
        "key": opened.cell.key,
        "cell": describe(opened.cell),
        "changed": list(opened.changed),
        "requirements": [
            {
                "source": requirement.source,
                "asks": requirement.asks,
                "check": requirement.stands,
                "result": outcome.says.value,
                "reason": outcome.reason,
            }
            for requirement, outcome in assessed
        ],
        "time_out": page.time_out_rows(case).to_dicts(),
        "breaches": [dataclasses.asdict(breach) for breach in breaches_of(case)],
        "versions": [dataclasses.asdict(history) for history in version_histories(case)],
    }
