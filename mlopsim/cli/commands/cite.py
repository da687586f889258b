"""``mlopsim cite``: what a paper cites, as BibTeX."""

from __future__ import annotations

import click

from mlopsim.cli.completion import words
from mlopsim.cli.once import Once
from mlopsim.cli.printing import echo
from mlopsim.core import registry


@click.command("cite", cls=Once)
@click.argument("overrides", nargs=-1, required=True, shell_complete=words)
@click.option(
    "--plugin", "plugins", multiple=True, help="A .py file with components of your own, or a folder of them."
)
@click.option("--conf", "conf", multiple=True, help="A folder with presets of your own.")
def command(overrides: tuple[str, ...], plugins: tuple[str, ...], conf: tuple[str, ...]) -> None:
    """Print BibTeX for the software, a suite with its version, its data and its methods.

    OVERRIDES are those of mlopsim bench; nothing is run. References are those in the docstrings of
    components; what has none is named in a comment.

    \b
    Examples:
      mlopsim cite suite=smoke
      mlopsim cite suite=drift-quick "methods=[adwin,ddm]" > drift.bib
    """
    from mlopsim.compose.citations import bibtex
    from mlopsim.compose.compose import compose_bench
    from mlopsim.compose.study import study_of

    registry.load_plugins(plugins)
    echo(bibtex(study_of(compose_bench(overrides, conf=conf), plugins)), nl=False)
