"""Figures inside a page: SVG whose ids cannot collide, or a PNG where the SVG would be huge."""

from __future__ import annotations

import base64
import re
from typing import TYPE_CHECKING, Any

from markupsafe import Markup, escape

from mlopsim.core.errors import ConfigError
from mlopsim.core.text import visible
from mlopsim.plots.style import to_png, to_svg
from mlopsim.report.drawer import Drawer, thin
from mlopsim.report.hover import hover_json
from mlopsim.report.templating import fill

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# above this, in a page, it would become slow to open; the full SVG is in the figures folder
LARGEST_SVG = 600_000


def slug(text: str) -> str:
    """Turn a title into a name for ids and files.

    Examples
    --------
    >>> slug("Cost against accuracy (quick)")
    'cost-against-accuracy-quick'
    """
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-") or "untitled"


def check_figure(figure: Any, name: str) -> Figure:
    """Return the figure, or raise ConfigError if it is not one of matplotlib's."""
    from matplotlib.figure import Figure

    if not isinstance(figure, Figure):
        raise ConfigError(f"figure '{name}' must be a matplotlib Figure, got {type(figure).__name__}")
    return figure


def inline_svg(svg: bytes, prefix: str, label: str) -> str:
    """Prepare an SVG file for use within HTML.

    Parameters
    ----------
    svg : bytes
        As written by matplotlib.
    prefix : str
        Put before every id and every reference to one: a page may hold many figures.
    label : str
        Read by screen readers.

    Examples
    --------
    >>> inline_svg(b'<?xml?><svg width="9pt"><g id="a"/><g id="b"/><use href="#a"/></svg>', "p", "Name")
    '<svg role="img" aria-label="Name"><g id="p-a"/><g/><use href="#p-a"/></svg>'
    """
    text = svg.decode("utf-8")
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    text = re.sub(r"<!--.*?-->\n?", "", text, flags=re.DOTALL)
    # matplotlib's one style rule would leave the figure and apply to the whole page
    text = re.sub(r"<style.*?</style>", "", text, flags=re.DOTALL)
    text = re.sub(r'\bid="', f'id="{prefix}-', text)
    text = re.sub(r'href="#', f'href="#{prefix}-', text)
    text = text.replace("url(#", f"url(#{prefix}-")
    head, rest = text.split(">", 1)
    head = re.sub(r'\s(?:width|height|role|aria-label)="[^"]*"', "", head)
    head = head.replace("<svg", f'<svg role="img" aria-label="{escape(visible(label))}"', 1)
    return thin(f"{head}>{rest}".strip())


def figure_html(figure: Figure, name: str, prefix: str, drawer: Drawer, svg: bytes | None = None) -> Markup:
    """Put one figure into the page with its caption.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
    name : str
        Its caption.
    prefix : str
        Put before its ids; short, since it stands in the page as often as they do.
    drawer : Drawer
        What the page's figures share; it must stand in the same page.
    svg : bytes, optional
        Saves rendering it again.
    """
    picture = inline_svg(to_svg(figure) if svg is None else svg, prefix, name)
    # a drawer of its own: what is not shown leaves nothing behind
    if len(picture) <= LARGEST_SVG or len(Drawer().put(picture)) <= LARGEST_SVG:
        picture = drawer.put(picture)
    else:
        encoded = base64.b64encode(to_png(figure)).decode("ascii")
        picture = f'<img alt="{escape(visible(name))}" src="data:image/png;base64,{encoded}">'
    width = round(figure.get_size_inches()[0] * 96 * 1.15)
    # matplotlib escapes the texts that it draws
    return fill("figure.html", picture=Markup(picture), name=name, width=width, points=hover_json(figure))
