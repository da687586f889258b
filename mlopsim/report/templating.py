"""The templates of a page: every text in them is escaped, and nothing in it acts."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from mlopsim.core.text import visible

FOLDER = Path(__file__).parent / "templates"


def shown(value: Any) -> Any:
    r"""Return what stands in a page for a value: markup as it is, else its text with no control characters.

    Examples
    --------
    >>> print(shown("\x1b[31mred"), shown(3), shown(Markup("<b>ours</b>")))
    \x1b[31mred 3 <b>ours</b>
    """
    return value if hasattr(value, "__html__") else visible(value, lines=True)


@functools.cache
def environment() -> Environment:
    """Return the templates; a name that they lack is an error, not a gap in the page."""
    return Environment(
        loader=FileSystemLoader(FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=shown,
        trim_blocks=True,
        lstrip_blocks=True,
    )


@functools.cache
def packaged(name: str) -> str:
    """Return a style or script that stands beside the templates."""
    return (FOLDER / name).read_text(encoding="utf-8")


def fill(template: str, **values: Any) -> Markup:
    """Fill a template.

    Examples
    --------
    >>> shown = {"picture": Markup("<svg/>"), "name": "a<b", "width": 1, "points": ""}
    >>> "a&lt;b</figcaption>" in fill("figure.html", **shown)
    True
    """
    return Markup(environment().get_template(template).render(values))
