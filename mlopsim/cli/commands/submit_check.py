"""``mlopsim submit-check``: whether a method's results may join a published table."""

from __future__ import annotations

from pathlib import Path

import click

from mlopsim.cli.once import Once
from mlopsim.cli.printing import echo, secho


@click.command("submit-check", cls=Once)
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--against", default="published", show_default=True, help="The baseline that it is to join.")
@click.option("--sample", default=0, show_default=True, help="How many of its cells to recompute.")
@click.option("--seed", type=int, help="Of the choice of cells; drawn anew by default, and printed.")
@click.option("--deep", is_flag=True, help="With --sample: make the fits of these cells again, too.")
@click.option(
    "--out", type=click.Path(path_type=Path), help="Write the published cells and those of FILE as one file."
)
@click.option(
    "--plugin", "plugins", multiple=True, help="A .py file with components of your own, or a folder of them."
)
def command(
    file: Path,
    against: str,
    sample: int,
    seed: int | None,
    deep: bool,
    out: Path | None,
    plugins: tuple[str, ...],
) -> None:
    """Check FILE, a baseline with a method of yours, against the published baseline of its suite.

    It must be of the same suite and versions, hold every task and seed for each new method, and agree with
    what is published where it holds the same cells. With --sample random cells are computed again. The exit
    code is 1 if it cannot be taken. A method of a plug-in is named with --plugin; the file's own words load
    nothing. With --out it is taken in: its rows are marked verified if a sample was computed again, else
    submitted.

    \b
    Examples:
      mlopsim bench suite=drift-core methods=mine --plugin mine.py results=out
      mlopsim export out mine.parquet --baseline
      mlopsim submit-check mine.parquet --plugin mine.py --sample 20
    """
    from mlopsim.bench.baseline import baseline_path, read_baseline
    from mlopsim.bench.baseline_union import SUBMITTED, VERIFIED, write_union
    from mlopsim.bench.baseline_verify import verify
    from mlopsim.bench.submission import check_submission
    from mlopsim.core.registry import load_plugins

    load_plugins(plugins)
    submitted = read_baseline(file)
    published = read_baseline(baseline_path(against, submitted.suite))
    found = check_submission(submitted, published)
    for record in submitted.header["runs"].values():
        platform = record.get("platform", {})
        versions = record.get("versions", {})
        echo(
            f"computed by mlopsim {versions.get('mlopsim')} with Python {versions.get('python')} on "
            f"{platform.get('system')} {platform.get('machine')} ({record.get('fingerprint')})"
        )
    for entry in submitted.header["plugins"]:
        echo(f"plug-in: {entry['name']} ({entry['digest']})")
    echo(
        f"{file}: {len(submitted.cells)} cells of {submitted.suite}-v{submitted.version}; new: "
        f"{', '.join(found.methods) or 'nothing'}; {found.controls} cells are published, too"
    )
    problems = found.problems
    if not problems and sample:
        again = verify(submitted, sample=sample, seed=seed, deep=deep, plugins=plugins)
        echo(f"{len(again.reports)} cells recomputed (seed {again.seed})")
        problems = [f"{report.label}: the promise is broken" for report in again.broken]
        problems += [f"{report.label}: nothing is promised here" for report in again.unpromised]
    for text in problems:
        secho(f"refused: {text}", fg="red", err=True)
    if problems:
        raise SystemExit(1)
    echo(
        "verified: the sample holds" if sample else "submitted: whole, and of the versions that are published"
    )
    if out is not None:
        standing = VERIFIED if sample else SUBMITTED
        echo(str(write_union(published, submitted, found.methods, out, standing=standing)))
