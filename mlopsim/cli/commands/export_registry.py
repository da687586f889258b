"""``mlopsim export-registry``: the versions of a deployment in a registry, as lineage events, as a card."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from mlopsim.cli.once import Once
from mlopsim.cli.printing import echo, secho
from mlopsim.core.errors import ConfigError

if TYPE_CHECKING:
    from mlopsim.governance.lineage.lineage import Lineage

#: targets that are files, with the ends of their names
FILES = {"versions": (".jsonl",), "openlineage": (".jsonl",), "card": (".md",)}


@click.command("export-registry", cls=Once)
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.argument("key")
@click.option("--to", "target", required=True, metavar="TARGET", help="Where to: see above.")
@click.option("--at", type=int, metavar="WINDOW", help="Whose champion  [default: the last window]")
@click.option("--name", metavar="NAME", help="Of the registered model  [default: deploy]")
@click.option(
    "--artifacts", metavar="PLACE", help="For its files  [default: mlartifacts beside a SQLite file]"
)
@click.option("--force", is_flag=True, help="Overwrite a file that exists.")
@click.option(
    "--plugin", "plugins", multiple=True, help="A .py file with components of your own, or a folder of them."
)
@click.option("--trust-plugins", is_flag=True, help="Load plug-ins that the folder names, if unchanged.")
def command(
    folder: Path,
    key: str,
    target: str,
    at: int | None,
    name: str | None,
    artifacts: str | None,
    force: bool,
    plugins: tuple[str, ...],
    trust_plugins: bool,
) -> None:
    """Export the versions of the deployment that the cell KEY in DIR is.

    \b
    TARGET is one of
      sqlite:///FILE.db, http://..., ...  a registry of MLflow: all versions with tags and metrics, alias
                                          champion on what served the window (extra mlflow)
      versions:FILE.jsonl                 the record of each version: enough to train it again, bit by bit
      openlineage:FILE.jsonl              events of OpenLineage: trained on what, released, served when
      card:FILE.md                        the model card of what served the window

    Versions that a registry has already stay as they are, so that the alias can be moved. MLflow's own client
    loads the champion, without pickle: mlflow.pyfunc.load_model("models:/deploy@champion").

    \b
    Examples:
      mlopsim export-registry results/local/quick 3fa9 --to sqlite:///mlflow.db
      mlopsim export-registry results/local/quick 3fa9 --to sqlite:///mlflow.db --at 41
      mlopsim export-registry results/local/quick 3fa9 --to openlineage:lineage.jsonl
      mlopsim export-registry results/local/quick 3fa9 --to card:version.md --at 41
    """
    from mlopsim.compose.lineage import open_lineage

    kind, _, rest = target.partition(":")
    if kind in FILES:
        path = _check_file(kind, rest, at, {"--name": name, "--artifacts": artifacts}, force)
        opened = open_lineage(folder, key, plugins=plugins, trust=trust_plugins)
        _write_file(opened.lineage, kind, path, at)
        return
    from mlopsim.governance.lineage.mlflow_registry import check_registry, export_to_mlflow

    check_registry(target)
    opened = open_lineage(folder, key, plugins=plugins, trust=trust_plugins)
    found = export_to_mlflow(opened.lineage, target, name=name or "deploy", at=at, artifacts=artifacts)
    there = len(found.numbers) - found.added
    echo(f"{found.added} versions added to '{found.name}', {there} were there")
    if found.champion is None:
        secho("no champion: the fallback served", fg="yellow")
    else:
        number = found.numbers[found.champion]
        echo(f"champion: version {found.champion}, there {number}: models:/{found.name}@champion")
    again = [version for version, form in found.forms.items() if form == "trained again"]
    if again:
        echo(
            f"{len(again)} are trained again from their record when they are loaded: "
            "their learner has no arrays of its own"
        )


def _check_file(kind: str, rest: str, at: int | None, others: dict[str, str | None], force: bool) -> Path:
    """Refuse what cannot be done before anything is computed."""
    for option, value in others.items():
        if value is not None:
            raise ConfigError(f"{option} is of a registry, not of {kind}:", remedy=f"leave {option} out")
    if at is not None and kind != "card":
        raise ConfigError(f"{kind}: holds the whole deployment", remedy="leave --at out")
    path = Path(rest)
    if not rest or path.suffix.lower() not in FILES[kind]:
        raise ConfigError(f"cannot write to '{kind}:{rest}'", remedy=f"{kind}:NAME{FILES[kind][0]}")
    if path.exists() and not force:
        raise ConfigError(f"{path} exists", remedy="choose another name, or overwrite it with --force")
    return path


def _write_file(lineage: Lineage, kind: str, path: Path, at: int | None) -> None:
    from mlopsim.core.files import write_text

    if kind == "versions":
        records = lineage.versions()
        write_text(path, "".join(record.line().decode("ascii") for record in records))
        echo(f"{len(records)} version records in {path}")
    elif kind == "openlineage":
        from mlopsim.governance.lineage.openlineage import openlineage_lines

        lines = openlineage_lines(lineage)
        write_text(path, "".join(f"{line}\n" for line in lines))
        echo(f"{len(lines)} events in {path}")
    else:
        from mlopsim.governance.lineage.card import model_card
        from mlopsim.governance.record.events import FALLBACK

        window = lineage.traffic.last if at is None else at
        version = lineage.traffic.at(window).version
        if version == FALLBACK:
            raise ConfigError(
                f"the fallback served window {window}: it has no card", remedy="name another window with --at"
            )
        write_text(path, model_card(lineage, version))
        echo(f"card of version {version} in {path}")
