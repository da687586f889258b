"""``mlopsim corrupt``: errors in a data file of one's own, with the truth beside it."""

from __future__ import annotations

import dataclasses
import json
import re
import shlex
import typing
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mlopsim import __version__
from mlopsim.cli.data_file_options import column_options, in_options, marks
from mlopsim.cli.once import Once
from mlopsim.cli.printing import echo, secho
from mlopsim.compose.overrides import quoted
from mlopsim.core import registry
from mlopsim.core.digest import plain
from mlopsim.core.errors import ConfigError, nearest
from mlopsim.core.spec import field_hints, label, make
from mlopsim.core.text import visible

if TYPE_CHECKING:
    from mlopsim.streams.corrupt_file.files import Outputs
    from mlopsim.streams.corrupt_file.summary import Column, Example, Summary
    from mlopsim.streams.sources.corrupted import CorruptedStream

#: option to kind of component; its parameters are KEY=VALUE with this prefix
PARTS = {
    "type": ("injector", ""),
    "schedule": ("timing", "schedule."),
    "mechanism": ("mechanism", "mechanism."),
}
#: libraries that the bytes of the outputs depend on
LIBRARIES = ("numpy", "polars")
#: columns that are printed; all of them are in the JSON and the truth
SHOWN = 20


@click.command("corrupt", cls=Once)
@click.argument("file")
@click.argument("words", nargs=-1, metavar="[KEY=VALUE]...")
@click.option("--type", "kind", required=True, help="What goes wrong: mlopsim list injectors -v.")
@click.option("--out", required=True, type=click.Path(path_type=Path), help=".csv, .csv.gz or .parquet.")
@click.option("--label", "label_", default="label", show_default=True, help="Column of the labels.")
@click.option("--rate", default=0.15, show_default=True, help="Share of the rows (or windows) that are hit.")
@click.option("--schedule", default="step", show_default=True, help="When: mlopsim list timings -v.")
@click.option("--mechanism", default="random", show_default=True, help="Where: mlopsim list mechanisms -v.")
@click.option("--time", default="", help="Column to sort by; default: the order of the file.")
@click.option("--group", default="", help="Column of the protected group.")
@column_options
@click.option("--windows", default=120, show_default=True, help="Number of windows to aim at.")
@click.option("--rows", default=0, help="Rows a window; default: by --windows, at least 10.")
@click.option("--warmup", default=10, show_default=True, help="Windows that stay clean.")
@click.option("--seed", default=0, show_default=True, help="Of all that is drawn.")
@click.option("--force", is_flag=True, help="Overwrite outputs that exist; never the source.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option(
    "--plugin", "plugins", multiple=True, help="Load this .py file, or the files of this folder, first."
)
def command(
    file: str,
    words: tuple[str, ...],
    kind: str,
    out: Path,
    label_: str,
    rate: float,
    schedule: str,
    mechanism: str,
    time: str,
    group: str,
    categorical: tuple[str, ...],
    drop: tuple[str, ...],
    missing: tuple[str, ...],
    windows: int,
    rows: int,
    warmup: int,
    seed: int,
    force: bool,
    as_json: bool,
    plugins: tuple[str, ...],
) -> None:
    """Put errors into a data file, and write the truth about them beside it.

    FILE: as stream=file reads it (CSV, TSV, Parquet, ARFF; .gz and .zip too), which stays as it is. The
    dirty file has the same columns and the same values but for the wrong cells; whole numbers stay whole.
    From CSV to CSV all other bytes stay, from Parquet to Parquet all types. Beside it: NAME.truth.parquet
    (row, window, row_wrong, label_wrong, and for each feature whether the cell is wrong) and
    NAME.recipe.yaml (all that is needed to make it again).

    KEY=VALUE: parameters of the type; those of schedule and mechanism with their prefix.

    \b
    Examples:
      mlopsim corrupt elec2.csv.gz --type unit_scale --rate 0.15 --schedule burst --out dirty.parquet
      mlopsim corrupt elec2.csv.gz --label label --type unit_scale factor=10 features=vicprice --out dirty.csv
      mlopsim corrupt adult.csv.gz --type typo features=occupation,workclass --rate 0.05 --out dirty.csv.gz
      mlopsim corrupt adult.csv.gz --type missing --mechanism own_value mechanism.end=low --out dirty.parquet
      mlopsim corrupt adult.csv.gz --type label_noise --mechanism group mechanism.value=Female --group sex \\
        --schedule recurring schedule.at=30 schedule.length=2 --seed 7 --out dirty.csv --json
    """
    from mlopsim.streams.corrupt_file.files import Outputs

    registry.load_plugins(plugins)
    outputs = Outputs.of(out)
    if not 0.0 < rate <= 1.0:
        raise ConfigError(f"--rate must be above 0 and at most 1, got {rate:g}", remedy="15 % is 0.15")
    if seed < 0:
        raise ConfigError(f"--seed must be at least 0, got {seed}")
    specs = read_specs({"type": kind, "schedule": schedule, "mechanism": mechanism}, words)
    if "group" in specs["mechanism"] and not group:
        raise ConfigError("the mechanism group needs a column of groups", remedy="name it: --group COLUMN")
    base = {
        "path": file,
        "label": label_,
        "time": time,
        "group": group,
        "categorical": list(categorical),
        "drop": list(drop),
        "windows": windows,
        "rows": rows,
        "warmup": warmup,
        **marks(missing),
    }
    with in_options():
        source: CorruptedStream = make(
            "stream",
            "corrupted",
            base={"file": base},
            injector=specs["type"],
            timing=specs["schedule"],
            mechanism=specs["mechanism"],
            rate=rate,
        )
        outputs.check(file, force=force)
        summary, cells, size = _write(source, seed, outputs, _again(specs, base, rate, seed, out, plugins))
    title = label("injector", specs["type"])
    title += f", schedule {label('timing', specs['schedule'])}"
    title += f", mechanism {label('mechanism', specs['mechanism'])}"
    reading = _reading(base, outputs, size)
    if as_json:
        result = {
            "errors": title,
            "seed": seed,
            **dataclasses.asdict(summary),
            "examples": {name: dataclasses.asdict(cell) for name, cell in cells.items()},
            "rows_a_window": size,
            **{name: str(path) for name, path in outputs.paths().items()},
            "read": reading,
        }
        echo(json.dumps(result, default=str))
        return
    secho(title, bold=True)
    _print(summary, cells)
    for name, path in outputs.paths().items():
        echo(f"{name + ':':<8} {path}")
    echo(f"read:    {reading}")


def read_specs(chosen: Mapping[str, str], words: Sequence[str]) -> dict[str, Any]:
    """Return the specs of type, schedule and mechanism.

    Parameters
    ----------
    chosen : mapping of str to str
        Option to name.
    words : sequence of str
        ``key=value``: parameters of the type, ``schedule.key=value``, ``mechanism.key=value``.

    Raises
    ------
    ConfigError
        For an unknown name or parameter, a word without ``=``, a repeated key or a value that cannot be read.

    Examples
    --------
    >>> chosen = {"type": "unit_scale", "schedule": "burst", "mechanism": "random"}
    >>> read_specs(chosen, ["factor=1000", "features=a,b", "schedule.at=30"])
    {'type': {'unit_scale': {'factor': 1000, 'features': ['a', 'b']}}, 'schedule': {'burst': {'at': 30}},
     'mechanism': {'random': {}}}
    """
    names, hints = {}, {}
    for option, name in chosen.items():
        kind = PARTS[option][0]
        names[option] = name.removeprefix(f"{kind}/")
        known = registry.names(kind)
        if names[option] not in known:
            raise ConfigError(
                f"unknown {option} '{name}'{nearest(name, known)}", remedy=f"one of: {', '.join(known)}"
            )
        hints[option] = field_hints(registry.find(kind, names[option]))
    specs: dict[str, Any] = {option: {} for option in chosen}
    for word in words:
        key, equals, text = word.partition("=")
        if not equals:
            raise ConfigError(f"'{word}' is no setting", remedy="write key=value, e.g. factor=1000")
        option = key.partition(".")[0] if "." in key else "type"
        if option not in chosen or (option == "type" and "." in key):
            raise ConfigError(f"unknown key '{key}'", remedy="write key=, schedule.key= or mechanism.key=")
        field = key.rpartition(".")[2]
        if field in specs[option]:
            raise ConfigError(f"'{key}' is given twice", remedy="keep one of them")
        if field not in hints[option]:
            others = [f"{PARTS[o][1]}{field}" for o in chosen if o != option and field in hints[o]]
            meant = f"; did you mean '{others[0]}'?" if others else nearest(field, hints[option])
            fields = ", ".join(PARTS[option][1] + name for name in hints[option]) or "(none)"
            raise ConfigError(
                f"the {option} {names[option]} has no parameter '{field}'{meant}",
                remedy=f"its parameters: {fields}",
            )
        specs[option][field] = _value(key, text, hints[option][field])
    return {option: {names[option]: params} for option, params in specs.items()}


def _value(key: str, text: str, hint: Any) -> Any:
    """Read a value; where text is wanted it is taken as it stands, though it may look like a number."""
    from omegaconf import OmegaConf
    from omegaconf.errors import OmegaConfBaseException
    from yaml import BaseLoader, YAMLError, load

    if hint is str:
        return text
    try:
        if typing.get_origin(hint) is list and typing.get_args(hint) == (str,):
            return load(text if text.startswith("[") else f"[{text}]", BaseLoader)
        return plain(OmegaConf.from_dotlist([f"value={text}"])["value"])
    except (YAMLError, OmegaConfBaseException) as error:
        raise ConfigError(f"cannot read '{key}={text}'", remedy="quote what is special in YAML") from error


def _write(
    source: CorruptedStream, seed: int, outputs: Outputs, recipe: dict[str, Any]
) -> tuple[Summary, dict[str, Example], int]:
    """Make the errors and write all files; return what was done, a cell of each column, rows a window."""
    import numpy as np
    from rich.console import Console
    from yaml import safe_dump

    from mlopsim.core.digest import digest_file
    from mlopsim.core.fingerprint import library_versions
    from mlopsim.core.spec import part_of
    from mlopsim.streams.corrupt_file.summary import Summary, examples
    from mlopsim.streams.corrupt_file.write import FileRows
    from mlopsim.streams.injectors.typo import Typo
    from mlopsim.streams.layout import branch

    root = np.random.SeedSequence(seed)
    injector = make("injector", source.injector)
    with Console(stderr=True).status("reading ...") as status:
        clean = source.clean(root)
        rows = FileRows.of(make("stream", source.base), outputs.form)
        status.update("making errors ...")
        # values that become infinite are refused below, by the name of their column
        with np.errstate(over="ignore"):
            drawn = source.corrupt(clean, root)
            found = rows.settled(drawn)
        slips = np.random.default_rng(branch(root, 2)) if isinstance(injector, Typo) else None
        dirty, truth = rows.dirty(found, slips), rows.truth(clean, found)
        status.update("writing ...")
        with outputs.writing() as paths:
            rows.write(dirty, truth, paths["data"], outputs.form)
            truth.write_parquet(paths["truth"])
            recipe |= {
                "stream": part_of(source),
                "versions": {name: library_versions()[name] for name in LIBRARIES},
                "digests": {
                    "source": digest_file(rows.path),
                    **{name: digest_file(paths[name]) for name in ("data", "truth")},
                },
            }
            text = safe_dump(recipe, sort_keys=False, allow_unicode=True, width=10**6)
            paths["recipe"].write_text(text, encoding="utf-8")
        share = source.rate * make("timing", source.timing).strength(clean.windows, clean.warmup)
        summary = Summary.of(injector, clean, found, share)
        if same := int(drawn.cells.sum() - found.cells.sum()):
            summary.notes.append(f"{same:,} cells are as they were: rounded to what their columns can hold")
        wrong = {name: truth[name] for name in clean.features} | {rows.label: truth["label_wrong"]}
    return summary, examples(rows.frame, dirty, wrong), int(clean.bounds[1])


def _again(
    specs: Mapping[str, Any],
    base: Mapping[str, Any],
    rate: float,
    seed: int,
    out: Path,
    plugins: Sequence[str],
) -> dict[str, Any]:
    """Return the head of the recipe, with the command that makes the same files."""
    words = ["mlopsim", "corrupt", str(base["path"])]
    given: dict[str, Any] = {"label": base["label"], "rate": rate}
    for option, spec in specs.items():
        given[option], params = next(iter(spec.items()))
        for name, value in params.items():
            text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
            words.append(f"{PARTS[option][1]}{name}={text}")
    given |= {
        name: base[name] for name in ("time", "group", "categorical", "drop", "missing") if name in base
    }
    given |= {name: base[name] for name in ("windows", "rows", "warmup")}
    given |= {"seed": seed, "plugin": list(plugins), "out": str(out)}
    for option, value in given.items():
        for item in value if isinstance(value, list) else [value]:
            words += [f"--{option}", str(item)] if item != "" else []
    return {"command": shlex.join(words), "mlopsim": __version__, "seed": seed}


def _reading(base: Mapping[str, Any], outputs: Outputs, size: int) -> str:
    """Return the command that reads the result in the same windows."""

    def written(value: Any) -> str:
        if isinstance(value, list):
            return f"[{','.join(map(written, value))}]"
        text = str(value)
        return text if re.fullmatch(r"[\w./-]+", text) else quoted(text)

    keys = {**base, "path": str(outputs.data), "rows": size}
    names = ("path", "label", "time", "group", "categorical", "drop", "missing", "rows", "warmup")
    words = [f"stream.{name}={written(keys[name])}" for name in names if keys.get(name)]
    return shlex.join(["mlopsim", "bench", "suite=quick", "stream=file", *words, "methods=never,periodic"])


def _print(summary: Summary, cells: Mapping[str, Example]) -> None:
    first, last = summary.windows[0], summary.windows[-1]
    windows = f"window {first}" if first == last else f"{len(summary.windows)} windows, {first} to {last}"
    for rate in summary.achieved:
        share = "none could be" if rate.share is None else f"{rate.share:.1%}"
        counts = f"{rate.hit:,} of {rate.possible:,}"
        echo(f"hit:     {share} of the {rate.of}, asked {rate.asked:.1%} ({counts} in {windows})")
    below = "; all rows of these windows, before → after:" if cells else ""
    echo(f"wrong:   {summary.rows:,} rows, {summary.cells:,} cells, {summary.labels:,} labels{below}")
    for note in summary.notes:
        secho(f"note:    {note}", fg="yellow")
    lines = [(column.feature, column.wrong, _effect(column)) for column in summary.columns[:SHOWN]]
    if summary.labels:
        shares = [f"{c} {before:.1%} → {after:.1%}" for c, (before, after) in summary.classes.items()]
        label_ = next(name for name in cells if name not in {column.feature for column in summary.columns})
        lines.append((label_, summary.labels, ", ".join(shares[:5]) + (", ..." if len(shares) > 5 else "")))
    width = max((len(visible(name)) for name, _, _ in lines), default=0)
    for name, wrong, effect in lines:
        echo(f"  {visible(name):<{width}}  {wrong:>9,} wrong: {effect}; {_example(cells[name])}")
    if len(summary.columns) > SHOWN:
        echo(f"  and {len(summary.columns) - SHOWN} more columns: see --json")


def _effect(column: Column) -> str:
    """Say what the rows of the windows with errors look like before and after."""
    parts = []
    if column.mean is not None and column.sd is not None:
        pairs = {"mean": column.mean, "sd": column.sd}
        parts = [f"{name} {before:.4g} → {after:.4g}" for name, (before, after) in pairs.items()]
    if column.categories is not None:
        parts.append(f"categories {column.categories[0]:,} → {column.categories[1]:,}")
    if column.missing[0] != column.missing[1] or not parts:
        parts.append(f"missing {column.missing[0]:,} → {column.missing[1]:,}")
    return ", ".join(parts)


def _example(cell: Example) -> str:
    before, after = ("nothing" if value is None else visible(value) for value in (cell.before, cell.after))
    return f"row {cell.row}: {before} → {after}"
