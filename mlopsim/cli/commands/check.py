"""``mlopsim check``: the contract tests, for anybody's component."""

from __future__ import annotations

from dataclasses import asdict

import click

from mlopsim.checks.run import check_component
from mlopsim.cli.completion import components
from mlopsim.cli.once import Once
from mlopsim.cli.printing import echo, echo_json, secho
from mlopsim.core import registry


@click.command("check", cls=Once)
@click.argument("names", nargs=-1, required=True, shell_complete=components(full=True))
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option(
    "--plugin", "plugins", multiple=True, help="Load this .py file, or the files of this folder, first."
)
def command(names: tuple[str, ...], as_json: bool, plugins: tuple[str, ...]) -> None:
    """Run the contract tests on components, named kind/name.

    \b
    Examples:
      mlopsim check selector/periodic
      mlopsim check selector/mine --plugin mine.py
      mlopsim check selector/periodic --json
    """
    registry.load_plugins(plugins)
    if as_json:
        _as_json(names)
        return
    bad = 0
    for name in names:
        cls = registry.resolve_name(name)
        secho(f"{cls.full_name} (version {cls.version})", bold=True)
        for verdict in check_component(cls):
            echo("  ", nl=False)
            secho("FAIL" if verdict.problem else "ok  ", fg="red" if verdict.problem else "green", nl=False)
            echo(f" {verdict.text}")
            if verdict.problem:
                bad += 1
                echo("       " + verdict.problem.replace("\n", "\n       "))
    if bad:
        secho(f"{bad} check(s) failed", fg="red", err=True)
        raise SystemExit(1)


def _as_json(names: tuple[str, ...]) -> None:
    """Print what each check found; the exit status is the same."""
    found = []
    for name in names:
        cls = registry.resolve_name(name)
        verdicts = [asdict(verdict) for verdict in check_component(cls)]
        found.append({"component": cls.full_name, "version": cls.version, "checks": verdicts})
    echo_json(found)
    if any(verdict["problem"] for one in found for verdict in one["checks"]):
        raise SystemExit(1)
