"""Bokeh in a page: what a figure says of its points, where one points at them.

The figures stay the drawings of matplotlib that stand in files and in print. Over each of them lies, as soon
as it is pointed at or reached by keys, a transparent plot of Bokeh with the same points.

Bokeh, since it is kept well, has a licence as ours, needs no ``eval`` under the policy of a page (plotly and
vega do, or weigh several times as much) and deflates to less than 0.5 MB, which stand in the page once and
are unpacked when they are asked for. Its formulas, which it would fetch from the network, are not used.
"""

from __future__ import annotations

import functools
import json
from dataclasses import dataclass
from importlib.metadata import version
from importlib.resources import files
from typing import TYPE_CHECKING

from mlopsim.core.errors import MlopsimError
from mlopsim.core.text import visible
from mlopsim.plots.told import places
from mlopsim.report.packing import packed

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True, kw_only=True)
class Library:
    """Bokeh's script.

    Attributes
    ----------
    script : str
        As it is run: its hash stands in the policy of the page.
    packed : str
        As it stands in the page.
    source : str
        What it is, with its version.
    """

    script: str
    packed: str
    source: str

    @property
    def megabytes(self) -> float:
        """Its part of the page's size."""
        return len(self.packed) / 1e6


@functools.cache
def library() -> Library:
    """Return Bokeh's script as the installed package has it.

    Raises
    ------
    MlopsimError
        If it is not where it is known to be.

    Examples
    --------
    >>> library().source
    'Bokeh ... (BSD-3)'
    """
    path = files("bokeh") / "server" / "static" / "js" / "bokeh.min.js"
    if not path.is_file():
        raise MlopsimError(
            f"Bokeh {version('bokeh')} has no script at the known place", remedy="pip install 'bokeh>=3.9,<4'"
        )
    # browsers read line ends of a page as one sign, and hash that
    script = path.read_text(encoding="utf-8").replace("\r\n", "\n")
    return Library(script=script, packed=packed(script), source=f"Bokeh {version('bokeh')} (BSD-3)")


def hover_json(figure: Figure) -> str:
    """Return what a figure says of its points, packed; empty if it says nothing.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
        Rendered already: its layout decides where the points are.
    """
    found = places(figure)
    if not found:
        return ""
    content = {
        "x": [x for x, _, _ in found],
        "y": [y for _, y, _ in found],
        "text": [visible(" · ".join(text.splitlines())) for _, _, text in found],
    }
    return packed(json.dumps(content, ensure_ascii=False, separators=(",", ":")))
