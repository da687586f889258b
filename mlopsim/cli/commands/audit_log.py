"""``mlopsim audit-log``: the record of a deployment, written by replay, verified, proved."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from mlopsim.cli.error_messages import FAILED
from mlopsim.cli.once import Once
from mlopsim.cli.printing import echo, secho
from mlopsim.core.errors import ConfigError, MlopsimError
from mlopsim.core.files import write_text

if TYPE_CHECKING:
    from mlopsim.compose.audit_log import CellRecord

_Command = TypeVar("_Command", bound=Callable[..., Any])
TREE = click.Choice(["decisions", "evidence"])


@click.group("audit-log")
def command() -> None:
    """Record of one deployment: what served in each window, what was decided, by whom, on what.

    Of cells of the tracks delivery and governance; of a governed one also approvals, suspensions, alarms of
    its detector, and windows out of compliance. A record is derived by taking the decisions of a cell again,
    so none has to be stored. Its lines stand in two logs (decisions: integers and texts; evidence: floats),
    each a Merkle tree with a head of three lines.

    \b
    Examples:
      mlopsim bench suite=quick delivery.record=true      # the heads of all cells go into the ledger
      mlopsim bench suite=loop-core                       # the same; elsewhere governance.record=true
      mlopsim audit-log heads results/local/quick         # and into heads.csv: commit it
      mlopsim audit-log write results/local/quick 3fa9
      mlopsim audit-log verify results/local/quick 3fa9
      mlopsim audit-log prove results/local/quick 3fa9 --window 41
    """


def _of_a_cell(function: _Command) -> _Command:
    """Add the arguments DIR and KEY, and what loads plug-ins."""
    for add in (
        click.option(
            "--trust-plugins", is_flag=True, help="Load plug-ins that the folder names, if unchanged."
        ),
        click.option("--plugin", "plugins", multiple=True, help="A .py file with components of your own."),
        click.argument("key"),
        click.argument("folder", metavar="DIR", type=click.Path(path_type=Path)),
    ):
        function = add(function)
    return function


def _open(folder: Path, key: str, plugins: tuple[str, ...], trust_plugins: bool) -> CellRecord:
    from mlopsim.compose.audit_log import open_cell

    return open_cell(folder, key, plugins=plugins, trust=trust_plugins)


@command.command("write", cls=Once)
@_of_a_cell
@click.option("--until", type=int, metavar="WINDOW", help="Write it as it was at the end of a window.")
@click.option(
    "--override", metavar="WINDOW=DECISION", help="A decision that was taken instead of the method's."
)
@click.option("--by", default="", metavar="NAME", help="Who took it.")
@click.option("--reason", default="", metavar="TEXT", help="Why.")
def write(
    folder: Path,
    key: str,
    plugins: tuple[str, ...],
    trust_plugins: bool,
    until: int | None,
    override: str | None,
    by: str,
    reason: str,
) -> None:
    """Write the record of the cell KEY into DIR/records, by replay.

    A record only grows: one that lies there already is gone on from, with the overrides that are on it, or
    refused. DECISION is keep, retrain, suspend or deploy VERSION; what follows from it is computed.

    \b
    Examples:
      mlopsim audit-log write results/local/quick 3fa9
      mlopsim audit-log write results/local/quick 3fa9 --until 41
      mlopsim audit-log write results/local/quick 3fa9 --override 41=keep --by Ann --reason complaints
    """
    from mlopsim.governance.record.overrides import read_override

    if override is None and (by or reason):
        raise ConfigError("--by and --reason are of an override", remedy="--override WINDOW=DECISION")
    overrides = [] if override is None else [read_override(override, by=by, reason=reason)]
    opened = _open(folder, key, plugins, trust_plugins)
    record = opened.write(overrides=overrides, until=until)
    secho(f"{len(record)} records in {opened.place}", bold=True)
    for tree in ("decisions", "evidence"):
        echo(record.head(tree).text(), nl=False)


@command.command("verify", cls=Once)
@_of_a_cell
@click.option(
    "--level",
    type=click.Choice(["internal", "anchored", "replayed"]),
    default="replayed",
    show_default=True,
    help="How far: each level does what those before it do, too.",
)
@click.option(
    "--heads",
    multiple=True,
    type=click.Path(path_type=Path),
    help="Published heads, as CSV  [default: DIR/heads.csv, if there]",
)
@click.option(
    "--head", "checkpoints", multiple=True, type=click.Path(path_type=Path), help="A published head."
)
@click.option(
    "--keep",
    type=click.IntRange(1),
    metavar="N",
    help="Payloads older than the last N windows may be missing.",
)
@click.option("--until", type=int, metavar="WINDOW", help="The record was written up to this window.")
def verify(
    folder: Path,
    key: str,
    plugins: tuple[str, ...],
    trust_plugins: bool,
    level: str,
    heads: tuple[Path, ...],
    checkpoints: tuple[Path, ...],
    keep: int | None,
    until: int | None,
) -> None:
    """Verify the record of the cell KEY that lies in DIR/records.

    \b
    internal  log and head are sound, and of each other and of this cell
    anchored  the log goes on from every head that was published of it: in the ledger, in files of heads
    replayed  the decisions, taken again from the scenario, give the same record

    Exit status 1 where a level finds something.

    \b
    Examples:
      mlopsim audit-log verify results/local/quick 3fa9
      mlopsim audit-log verify results/local/quick 3fa9 --heads published/heads.csv
      mlopsim audit-log verify results/local/quick 3fa9 --level internal --keep 26
    """
    opened = _open(folder, key, plugins, trust_plugins)
    opened.written()
    found = opened.verify(level=level, heads=heads, checkpoints=checkpoints, keep=keep, until=until)
    echo(found.text())
    if not found.passed:
        raise SystemExit(FAILED)


@command.command("prove", cls=Once)
@_of_a_cell
@click.option("--window", type=int, help="Prove what closed this window: what served, what was decided.")
@click.option("--record", "number", type=int, metavar="NUMBER", help="Prove this record.")
@click.option(
    "--since",
    type=click.Path(path_type=Path),
    metavar="HEAD",
    help="Prove that the log goes on from this older head.",
)
@click.option("--tree", type=TREE, default="decisions", show_default=True, help="Of which log.")
@click.option(
    "--out", type=click.Path(path_type=Path), help="File of the proof  [default: beside the record]"
)
def prove(
    folder: Path,
    key: str,
    plugins: tuple[str, ...],
    trust_plugins: bool,
    window: int | None,
    number: int | None,
    since: Path | None,
    tree: str,
    out: Path | None,
) -> None:
    """Prove to somebody who has a head of the record of KEY, and not the record, what is in it.

    One of --window, --record, --since. The proof is written, read again and checked; `mlopsim audit-log
    check` checks it anywhere.

    \b
    Examples:
      mlopsim audit-log prove results/local/quick 3fa9 --window 41
      mlopsim audit-log prove results/local/quick 3fa9 --record 7 --tree evidence --out 7.tlog-proof
      mlopsim audit-log prove results/local/quick 3fa9 --since old/decisions.head
    """
    from mlopsim.compose.audit_log import read_head
    from mlopsim.governance.record.proofs import prove_growth, prove_record

    if sum(given is not None for given in (window, number, since)) != 1:
        raise ConfigError("say what to prove", remedy="one of --window WINDOW, --record NUMBER, --since HEAD")
    opened = _open(folder, key, plugins, trust_plugins)
    record = opened.sound()
    text = ""
    if since is not None:
        older = read_head(since)
        text = prove_growth(record, older, tree).text()
        name = f"{tree}-{older.size}-{len(record)}.consistency"
    else:
        at = number if number is not None else _closing(record, window)
        text = prove_record(record, tree, at).text()
        name = f"{tree}-{at}.tlog-proof"
    target = write_text(out if out is not None else opened.place / name, text)
    echo(f"proof in {target}")
    _check(target, [] if since is None else [since])


def _closing(record: Any, window: int | None) -> int:
    """Return the number of the record that closed a window."""
    from mlopsim.governance.record.log import unknown_window

    assert window is not None
    windows = record.windows()
    held = [i for i, w in enumerate(windows) if w == window and b'"kind":"window"' in record.decisions[i]]
    if not held:
        raise unknown_window(window, windows)
    return int(held[0])


@command.command("check", cls=Once)
@click.argument("proof", type=click.Path(path_type=Path))
@click.option(
    "--head", "checkpoints", multiple=True, type=click.Path(path_type=Path), help="A head that you trust."
)
def check(proof: Path, checkpoints: tuple[Path, ...]) -> None:
    """Check the file of a proof, without the record: whether it holds, and against which head.

    A proof carries its own head. Whether that is the true one only a head that you trust can say (--head).

    \b
    Examples:
      mlopsim audit-log check decisions-7.tlog-proof --head published/decisions.head
      mlopsim audit-log check decisions-80-140.consistency --head old/decisions.head
    """
    _check(proof, checkpoints)


def _check(path: Path, checkpoints: Any) -> None:
    from mlopsim.compose.audit_log import read_head
    from mlopsim.governance.record.log import pruned
    from mlopsim.governance.record.proofs import Consistency, read_proof

    if not path.is_file():
        raise MlopsimError(f"no proof at {path}", remedy="mlopsim audit-log prove DIR KEY writes one")
    try:
        proof = read_proof(path.read_bytes().decode("utf-8"))
    except UnicodeDecodeError as error:
        raise MlopsimError(f"{path.name} is no text", remedy="make the proof anew") from error
    trusted = [read_head(place) for place in checkpoints]
    size, origin = proof.head.size, proof.head.origin
    if isinstance(proof, Consistency):
        if not trusted:
            raise ConfigError("the older head is needed", remedy="--head FILE")
        holds = any(proof.holds(head) for head in trusted)
        said = f"a log of {size} records ({origin}) begins with the {proof.size} of the older head"
    else:
        holds = proof.holds
        said = f"record {proof.index} of {size} ({origin}): {proof.line.decode('utf-8', 'replace').rstrip()}"
        mine = (origin, size, proof.head.root)
        if holds and trusted and all((head.origin, head.size, head.root) != mine for head in trusted):
            secho("does not hold: its head is none of those that you trust", fg="red")
            raise SystemExit(FAILED)
    if not holds:
        secho("does not hold", fg="red")
        raise SystemExit(FAILED)
    secho("holds: ", fg="green", nl=False)
    echo(said)
    if not isinstance(proof, Consistency) and pruned(proof.line) is not None:
        echo("its payload is gone: what is proved is that there was a record with this leaf")
    if not trusted:
        echo("its head is its own: name one that you trust (--head)")


@command.command("heads", cls=Once)
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option("--grid", help="(Beginning of) a grid's digest; default: the last used.")
@click.option("--out", type=click.Path(path_type=Path), help="File  [default: DIR/heads.csv]")
def heads(folder: Path, grid: str | None, out: Path | None) -> None:
    """Write the heads of all records of a grid as CSV, beside those that are in the file already.

    Commit the file, or give it to somebody else: who can rewrite records cannot rewrite it then.

    \b
    Example:
      mlopsim audit-log heads results/local/quick --out published/heads.csv
    """
    from mlopsim.compose.audit_log import HEADS, heads_of_grid
    from mlopsim.governance.record.heads import read_heads, write_heads

    target = out if out is not None else folder / HEADS
    known = read_heads(target) if target.is_file() else []
    found = heads_of_grid(folder, grid)
    write_text(target, write_heads([*known, *found]))
    echo(f"heads of {len({entry.cell for entry in found})} cells in {target}")


@command.command("prune", cls=Once)
@_of_a_cell
@click.option(
    "--keep", type=click.IntRange(1), required=True, metavar="N", help="Windows whose payloads are kept."
)
def prune(folder: Path, key: str, plugins: tuple[str, ...], trust_plugins: bool, keep: int) -> None:
    """Remove the payloads of all but the last N windows from the record of KEY; their leaves stay.

    What is left verifies against the same heads; `verify --keep N` counts what is missing by policy.

    \b
    Example:
      mlopsim audit-log prune results/local/quick 3fa9 --keep 26
    """
    from mlopsim.governance.record.log import prune as pruned_record
    from mlopsim.governance.record.log import pruned
    from mlopsim.governance.record.store import write_record

    opened = _open(folder, key, plugins, trust_plugins)
    record = pruned_record(opened.sound(), keep)
    write_record(opened.place, record)
    gone = sum(pruned(line) is not None for line in record.decisions)
    echo(f"payloads of {gone} of {len(record)} records are gone from {opened.place}; their leaves are there")
