"""``mlopsim list``: what there is to choose from."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable

import click

from mlopsim.cli.once import Once
from mlopsim.cli.printing import echo, secho
from mlopsim.core import registry
from mlopsim.core.digest import plain
from mlopsim.core.errors import ConfigError, nearest


def _kind(word: str) -> str:
    known = {registry.plural(kind): kind for kind in registry.PACKAGES}
    singular = known.get(word, word)
    if singular not in registry.PACKAGES:
        raise ConfigError(
            f"nothing is called '{word}'{nearest(word, list(known))}",
            remedy=f"one of: suites, {', '.join(known)}",
        )
    return singular


def summary(cls: type) -> str:
    """Return the first sentence of a class's docstring, on one line."""
    paragraph = (cls.__doc__ or "").strip().split("\n\n")[0]
    return " ".join(paragraph.split())


def _params(cls: type) -> str:
    words = []
    for entry in dataclasses.fields(cls):
        if not entry.init:
            continue
        default = entry.default
        if entry.default_factory is not dataclasses.MISSING:
            default = entry.default_factory()
        words.append(f"{entry.name}={plain(default)}")
    return ", ".join(words)


def _list_suites() -> None:
    from mlopsim.compose.compose import conf_folder

    for path in sorted((conf_folder() / "suite").glob("*.yaml")):
        about = [line[6:].strip() for line in path.read_text().splitlines() if line.startswith("about:")]
        secho(path.stem, bold=True, nl=False)
        echo(f"  {about[0] if about else ''}")


def _list_kind(kind: str, *, verbose: bool) -> None:
    for name in registry.names(kind):
        cls = registry.find(kind, name)
        secho(cls.full_name, bold=True, nl=False)
        echo(f"  {summary(cls)}")
        if verbose and (params := _params(cls)):
            echo(f"    {params}")


@click.command("list", cls=Once)
@click.argument("what", nargs=-1)
@click.option("-v", "--verbose", is_flag=True, help="Show the parameters and their defaults.")
@click.option(
    "--plugin", "plugins", multiple=True, help="Load this .py file, or the files of this folder, first."
)
def command(what: Iterable[str], verbose: bool, plugins: tuple[str, ...]) -> None:
    """List components by kind, or suites.

    \b
    Examples:
      mlopsim list
      mlopsim list selectors -v
      mlopsim list suites
    """
    registry.load_plugins(plugins)
    words = list(what)
    if not words:
        for kind in registry.PACKAGES:
            found = registry.names(kind)
            if found:
                secho(registry.plural(kind), bold=True, nl=False)
                echo(" " * max(1, 17 - len(registry.plural(kind))) + ", ".join(found))
        words = ["suites"]
        echo()
    for word in words:
        if word in ("suite", "suites"):
            _list_suites()
        else:
            _list_kind(_kind(word), verbose=verbose)
