"""What commands print: texts of users as they are, control characters written out."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click

from mlopsim.core.text import visible

if TYPE_CHECKING:
    import polars as pl


def echo(text: object = "", *, err: bool = False, nl: bool = True) -> None:
    """Print a text; nothing in it acts on the terminal."""
    click.echo(visible(text, lines=True), err=err, nl=nl)


def secho(text: object = "", *, err: bool = False, nl: bool = True, **style: Any) -> None:
    """Print a text in a style of ours."""
    click.secho(visible(text, lines=True), err=err, nl=nl, **style)


def finite(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a row with null for what is undefined: JSON has no NaN and no infinity.

    Examples
    --------
    >>> finite({"method": "never", "front": float("nan"), "cost": 0.5})
    {'method': 'never', 'front': None, 'cost': 0.5}
    """
    return {k: None if isinstance(v, float) and not math.isfinite(v) else v for k, v in row.items()}


def rows_of(frame: pl.DataFrame) -> list[dict[str, Any]]:
    """Return the rows of a table for JSON, null for what is undefined.

    Examples
    --------
    >>> import polars as pl
    >>> rows_of(pl.DataFrame({"method": ["never"], "ns": [float("nan")]}))
    [{'method': 'never', 'ns': None}]
    """
    return [finite(row) for row in frame.iter_rows(named=True)]


def echo_json(value: Any) -> None:
    """Print JSON on one line: nothing in it acts on a terminal, and no number of it is undefined."""
    click.echo(json.dumps(value, allow_nan=False, default=str))
