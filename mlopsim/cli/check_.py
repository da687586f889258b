"""``mlopsim check``: the contract tests, for anybody's component."""

from __future__ import annotations

import click

from mlopsim.core import registry
from mlopsim.core.contract import check_component


@click.command("check")
@click.argument("names", nargs=-1, required=True)
@click.option("--plugin", "plugins", multiple=True, help="Load this .py file first.")
def command(names: tuple[str, ...], plugins: tuple[str, ...]) -> None:
    """Run the contract tests on components, named kind/name.

    \b
    Examples:
      mlopsim check selector/periodic
      mlopsim check selector/mine --plugin mine.py
    """
    registry.load_plugins(plugins)
    bad = 0
    for name in names:
        cls = registry.resolve_name(name)
        click.secho(f"{cls.full_name} (version {cls.version})", bold=True)
        for verdict in check_component(cls):
            mark = click.style("FAIL", fg="red") if verdict.problem else click.style("ok  ", fg="green")
            click.echo(f"  {mark} {verdict.text}")
            if verdict.problem:
                bad += 1
                click.echo("       " + verdict.problem.replace("\n", "\n       "))
    if bad:
        click.secho(f"{bad} check(s) failed", fg="red", err=True)
        raise SystemExit(1)
