"""``mlopsim list``: what there is to choose from."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from typing import Any

import click

from mlopsim.cli.once import Once
from mlopsim.cli.printing import echo, echo_json, secho
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


def _defaults(cls: type) -> dict[str, Any]:
    found = {}
    for entry in dataclasses.fields(cls):
        if not entry.init:
            continue
        default = entry.default
        if entry.default_factory is not dataclasses.MISSING:
            default = entry.default_factory()
        found[entry.name] = plain(default)
    return found


def _params(cls: type) -> str:
    return ", ".join(f"{name}={value}" for name, value in _defaults(cls).items())


def suites() -> dict[str, str]:
    """Return what each suite is for, by its name."""
    from mlopsim.compose.compose import conf_folder

    found = {}
    for path in sorted((conf_folder() / "suite").glob("*.yaml")):
        lines = path.read_text(encoding="utf-8").splitlines()
        about = [line[6:].strip().strip('"') for line in lines if line.startswith("about:")]
        found[path.stem] = about[0] if about else ""
    return found


def _list_suites() -> None:
    for name, about in suites().items():
        secho(name, bold=True, nl=False)
        echo(f"  {about}")


def _as_json(words: list[str]) -> dict[str, list[dict[str, Any]]]:
    """Return components and suites by plural; of all kinds where none is named."""
    found: dict[str, list[dict[str, Any]]] = {}
    for word in words or [*map(registry.plural, registry.PACKAGES), "suites"]:
        if word in ("suite", "suites"):
            found["suites"] = [{"name": name, "about": about} for name, about in suites().items()]
            continue
        kind = _kind(word)
        rows = [_component(registry.find(kind, name)) for name in registry.names(kind)]
        if rows or words:
            found[registry.plural(kind)] = rows
    return found


def _component(cls: Any) -> dict[str, Any]:
    parts = {"name": cls.name, "full_name": cls.full_name, "version": cls.version, "about": summary(cls)}
    return {**parts, "parameters": _defaults(cls)}


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
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option(
    "--plugin", "plugins", multiple=True, help="Load this .py file, or the files of this folder, first."
)
def command(what: Iterable[str], verbose: bool, as_json: bool, plugins: tuple[str, ...]) -> None:
    """List components by kind, or suites.

    \b
    Examples:
      mlopsim list
      mlopsim list selectors -v
      mlopsim list suites
      mlopsim list detectors --json
    """
    registry.load_plugins(plugins)
    words = list(what)
    if as_json:
        echo_json(_as_json(words))
        return
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
