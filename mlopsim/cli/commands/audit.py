"""``mlopsim audit``: one audit of a model trained on data of one's own, as a page."""

from __future__ import annotations

import dataclasses
import json
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mlopsim import __version__
from mlopsim.cli.data_file_options import column_options, in_options, marks
from mlopsim.cli.once import Once
from mlopsim.cli.printing import echo
from mlopsim.core import registry
from mlopsim.core.errors import ConfigError
from mlopsim.core.repeated_keys import refuse_repeated_keys
from mlopsim.core.spec import label as label_of
from mlopsim.core.spec import make
from mlopsim.core.text import literal, published

if TYPE_CHECKING:
    import polars as pl

    from mlopsim.fairness.verdicts import Verdict
    from mlopsim.streams.files.tables import Table

#: batteries whose audits look by default
BATTERIES = ("traditional", "explanations", "metrics", "rivals")
#: what becomes of equal rows (``mlopsim.fairness.Copies``, which help need not load)
COPIES = ("together", "anywhere")
#: share of the rows that the model is trained on: what is left is audited
SHARE = 0.6


@click.command("audit", cls=Once)
@click.argument("file")
@click.option("--label", "label_", default="label", show_default=True, help="Column of the labels.")
@click.option("--group", required=True, help="Column of the protected group.")
@click.option("--learner", default="gbm", show_default=True, help="Name, or {name: {parameter: value}}.")
@click.option("--out", required=True, type=click.Path(path_type=Path), help="The page, .html.")
@click.option(
    "--positive", default="", help="The label that is an acceptance; asked for where names do not say it."
)
@click.option("--audit", "audits", multiple=True, help="Instead of all; repeatable. mlopsim list audits -v.")
@click.option("--blind", is_flag=True, help="Hide the group's column from the model.")
@column_options
@click.option("--time", default="", help="Column to sort by; with it the first rows are trained on.")
@click.option("--share", default=SHARE, show_default=True, help="Of the rows to train on.")
@click.option(
    "--copies",
    type=click.Choice(COPIES),
    default=COPIES[0],
    show_default=True,
    help="Rows equal in every feature: kept on one side of the split, or (they are other people) anywhere.",
)
@click.option("--alpha", default=0.05, show_default=True, help="Level of all verdicts together.")
@click.option("--rounds", default=999, show_default=True, help="Times that groups are shuffled.")
@click.option(
    "--trained-again",
    default=39,
    show_default=True,
    help="Times to train on dealt groups, if the model sees them.",
)
@click.option("--background", default=200, show_default=True, help="Training rows that explain.")
@click.option("--shap-rows", default=4000, show_default=True, help="Rows with Shapley values, at most.")
@click.option("--lime-rows", default=200, show_default=True, help="Rows that LIME explains, at most.")
@click.option("--samples", default=1000, show_default=True, help="Perturbed rows of LIME.")
@click.option("--seed", default=0, show_default=True, help="Of all that is drawn.")
@click.option("--force", is_flag=True, help="Overwrite a page that exists.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option(
    "--plugin", "plugins", multiple=True, help="Load this .py file, or the files of this folder, first."
)
def command(**given: Any) -> None:
    """Train a model on part of a data file, audit it on the rest, and write a page about it.

    FILE: as stream=file reads it (CSV, TSV, Parquet, ARFF; .gz and .zip too). Missing values and categories
    are taken care of; rows without a group are a group of their own. The page has the verdict of each audit,
    the rates of each group with intervals, the gaps of the attributions and the scores by group. Of three
    classes or more, and where the names of two do not say it, --positive says which is an acceptance.

    \b
    Examples:
      mlopsim audit adult.csv.gz --group sex --positive '>50K' --learner gbm --out audit.html
      mlopsim audit adult.csv.gz --group race --positive '>50K' --blind --learner tree --out race.html
      mlopsim audit loans.parquet --label paid --positive yes --group gender --time day --out loans.html
      mlopsim audit hired.csv --label hired --group sex --audit four_fifths --audit flip --out two.html --json
    """
    import numpy as np
    from rich.console import Console

    from mlopsim.core.errors import warn_of_data
    from mlopsim.core.files import atomic_path
    from mlopsim.fairness.audit_page import sections
    from mlopsim.fairness.audit_page_data import copies_text, repeated_text
    from mlopsim.fairness.copied_rows import Copies
    from mlopsim.fairness.dataset_audit import prepare
    from mlopsim.fairness.explaining import Explaining
    from mlopsim.fairness.verdicts import Says, check_audits, judge
    from mlopsim.report.page import render
    from mlopsim.streams.files.readers import file_digest, find_file

    registry.load_plugins(given["plugins"])
    _check(given)
    learner = _spec(given["learner"])
    make("learner", learner)
    batteries = {
        name: [label_of("audit", spec) for spec in make("audit", name).members()] for name in BATTERIES
    }
    audits = [_spec(text) for text in given["audits"]] or _all(batteries)
    check_audits(audits)
    root = np.random.SeedSequence(given["seed"])
    with Console(stderr=True).status("reading ...") as status:
        path = find_file(given["file"])
        hidden = [*given["drop"], *([given["group"]] if given["blind"] else [])]
        table = _table(path, hidden, given)
        accepted = f"the model says that '{given['label_']}' is '{table.classes[1]}'"
        status.update("training and explaining ...")
        explaining = Explaining(
            background=given["background"], rows=given["lime_rows"], samples=given["samples"]
        )
        subject = prepare(
            table,
            learner,
            explaining,
            root,
            share=given["share"],
            ordered=bool(given["time"]),
            copies=Copies(given["copies"]),
            most=given["shap_rows"],
        )
        blind = given["group"] in hidden
        copied = [copy for copy in subject.copies if copy.feature != given["group"]]
        said = [repeated_text(subject), copies_text(copied, given["group"]) if blind else ""]
        for text in filter(None, said):
            warn_of_data(text)
        verdicts = judge(
            subject,
            audits,
            root.spawn(1)[0],
            alpha=given["alpha"],
            rounds=given["rounds"],
            models=given["trained_again"],
            watch=lambda name: status.update(literal(f"audit {name} ...")),
        )
        status.update("drawing ...")
        found = sections(subject, verdicts, batteries, given["alpha"])
        hits = sum(v.says is Says.FOUND for v in verdicts)
        summary = {
            "rows audited": f"{len(subject.evidence.window):,}",
            "accuracy": f"{(subject.evidence.decision == (subject.evidence.observed == 1)).mean():.3f}",
            "an acceptance": f"{given['label_']} = {table.classes[1]} ({table.y.mean():.1%} of the rows)",
            "groups": len(table.groups),
            "audits that find something": f"{hits} of {len(verdicts)}",
        }
        settings = {
            key: value for key, value in given.items() if key not in ("out", "force", "as_json", "file")
        }
        meta = {
            "lead": f"A model ({label_of('learner', learner)}) trained on part of {path.name} and audited on "
            f"the rest by {given['group']}"
            + (", which it does not see. " if blind else ", which it sees as a feature. ")
            + f"Accepted means: {accepted}"
            + (". " if given["positive"] else ", by its name the label that is wished for. ")
            + " ".join(f"{text}." for text in said if text),
            "summary": summary,
            "provenance": {
                "file": path.name,
                "digest": file_digest(path),
                "mlopsim": __version__,
                "settings": published(settings),
            },
        }
        page = render(f"Audit of {path.name} by {given['group']}", found, meta)
        with atomic_path(given["out"]) as target:
            target.write_text(page, encoding="utf-8")
    if given["as_json"]:
        split = subject.split
        assert split is not None
        facts = {
            "accepted": {
                "column": given["label_"],
                "label": table.classes[1],
                "share": float(table.y.mean()),
                "asked": bool(given["positive"]),
            },
            "rows": {
                "equal_to_another": split.repeated,
                "copies_across_the_split": split.across,
                "left_out": split.left_out,
            },
            "copies_of_the_group": [
                {"feature": copy.feature, "tells": copy.group, "told": copy.told, "kind": copy.kind.value}
                for copy in copied
            ],
        }
        echo(json.dumps({**_as_json(verdicts, summary, given["out"]), **facts}))
        return
    title = f"{path.name} by {given['group']}, {summary['rows audited']} rows audited; accepted: {accepted}"
    _print(verdicts, title)
    echo(f"page: {given['out']}")


def _table(path: Path, hidden: list[str], given: dict[str, Any]) -> Table:
    """Read the file; ask which label is an acceptance where nothing says so."""
    import numpy as np

    from mlopsim.fairness.accepted import ask, obvious
    from mlopsim.streams.files.readers import read_frame
    from mlopsim.streams.files.tables import table_of

    def read(positive: str) -> Table:
        return table_of(
            frame,
            source=path.name,
            label=given["label_"],
            time=given["time"],
            group=given["group"],
            drop=hidden,
            categorical=given["categorical"],
            positive=positive,
            **marks(given["missing"]),
        )

    with in_options():
        frame = read_frame(path)
        table = read(given["positive"])
        if given["positive"] or len(table.classes) != 2:
            return table
        wished = obvious(table.classes, given["label_"])
        if wished is None:
            no, yes = np.bincount(table.y, minlength=2).tolist()
            raise ask(table.classes, (no, yes), given["label_"])
        return table if wished == table.classes[1] else read(wished)


def _check(given: dict[str, Any]) -> None:
    """Refuse what cannot be done before anything is read."""
    out: Path = given["out"]
    if out.suffix.lower() not in (".html", ".htm"):
        raise ConfigError(f"cannot write a page to '{out}'", remedy="end its name in .html")
    if out.exists() and not given["force"]:
        raise ConfigError(f"{out} exists", remedy="choose another name, or overwrite it with --force")
    if given["group"] == given["label_"]:
        raise ConfigError(
            f"'{given['group']}' cannot be both label and group", remedy="name another column with --group"
        )
    for name in ("share", "alpha"):
        if not 0.0 < given[name] < 1.0:
            raise ConfigError(f"--{name} must lie between 0 and 1, got {given[name]:g}")
    for name, least in (
        ("rounds", 19),
        ("trained_again", 19),
        ("shap_rows", 10),
        ("lime_rows", 10),
        ("seed", 0),
    ):
        if given[name] < least:
            option = name.replace("_", "-")
            raise ConfigError(f"--{option} must be at least {least}, got {given[name]}")


def _spec(text: str) -> Any:
    """Read a component: a name, or YAML."""
    from yaml import YAMLError, safe_load

    refuse_repeated_keys(text)
    try:
        return safe_load(text)
    except YAMLError as error:
        raise ConfigError(
            f"cannot read '{text}'", remedy='write a name, or "{name: {parameter: value}}"'
        ) from error


def _all(batteries: dict[str, list[str]]) -> list[Any]:
    """Return the audits of all batteries, each once."""
    return list(dict.fromkeys(name for members in batteries.values() for name in members))


def _as_json(verdicts: list[Verdict], summary: dict[str, Any], out: Path) -> dict[str, Any]:
    def cell(value: Any) -> Any:
        return None if isinstance(value, float) and math.isnan(value) else value

    rows = [
        {k: cell(v) for k, v in dataclasses.asdict(verdict).items()} | {"says": verdict.says.value}
        for verdict in verdicts
    ]
    return {"verdicts": rows, "summary": summary, "page": str(out)}


def _print(verdicts: list[Verdict], title: str) -> None:
    from rich.console import Console
    from rich.table import Table

    from mlopsim.fairness.audit_page import verdict_rows
    from mlopsim.fairness.naming import GAP
    from mlopsim.stats.table import format_interval

    rows: pl.DataFrame = verdict_rows(verdicts)
    console = Console() if Console().is_terminal else Console(width=200)
    shown = ("audit", "verdict", "statistic", "unit", "of", "adjusted", "rule of thumb", "blames")
    grid = Table(title=literal(title), title_justify="left", header_style="bold", box=None, pad_edge=False)
    for name in shown:
        grid.add_column(name, justify="right" if name in ("statistic", "adjusted") else "left")
    for row in rows.iter_rows(named=True):
        number = format_interval(row["statistic"], row["statistic_low"], row["statistic_high"], 3)
        cells = [number if c == "statistic" else str(row[c]) for c in shown]
        grid.add_row(*map(literal, cells))
    console.print(grid)
    for verdict in verdicts:
        if verdict.reason:
            console.print(literal(f"{verdict.audit}: {verdict.reason}", "dim"))
    note = (
        f"statistic: with its own interval; a gap is {GAP}\n"
        "adjusted: p-value by Holm's method over all audits; found: at most alpha"
    )
    console.print(note, markup=False, highlight=False, style="dim")
