"""What commands print: texts of users as they are, control characters written out."""

from __future__ import annotations

from typing import Any

import click

from mlopsim.core.text import visible


def echo(text: object = "", *, err: bool = False, nl: bool = True) -> None:
    """Print a text; nothing in it acts on the terminal."""
    click.echo(visible(text, lines=True), err=err, nl=nl)


def secho(text: object = "", *, err: bool = False, nl: bool = True, **style: Any) -> None:
    """Print a text in a style of ours."""
    click.secho(visible(text, lines=True), err=err, nl=nl, **style)
