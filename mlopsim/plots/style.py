"""How figures look: colours and markers per method, axes, sizes, and files that repeat to the byte.

Figures are made with the object-oriented API only (no pyplot, no global state), so that any thread can draw.
"""

from __future__ import annotations

import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlopsim.core.files import write_bytes
from mlopsim.core.text import visible

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis
    from matplotlib.figure import Figure

    from mlopsim.plots.told import Told

INK = "#1f2328"
MUTED = "#6b7280"
RULE = "#d9dce1"
SHADE = "#eef0f3"
WARN = "#b3261e"
# Okabe and Ito 2008 without black and pale yellow, then darker kin: told apart with any colour vision
PALETTE = (
    "#0072b2",
    "#d55e00",
    "#009e73",
    "#cc79a7",
    "#e69f00",
    "#56b4e9",
    "#7f4f24",
    "#6a3d9a",
    "#5c6b00",
    "#00505c",
)
MARKERS = ("o", "s", "^", "D", "v", "P", "X")
DASHES: tuple[Any, ...] = ("-", (0, (5, 1.6)), (0, (1.3, 1.3)), (0, (5, 1.4, 1.3, 1.4)))
TEXT = 8.5
SMALL = 7.5
DPI = 160


@dataclass(frozen=True, kw_only=True)
class Mark:
    """How one method is drawn in every figure of a report.

    Parameters
    ----------
    colour : str
        Hexadecimal colour.
    marker : str
        A marker of matplotlib.
    dash : object
        A line style of matplotlib.
    """

    colour: str
    marker: str = "o"
    dash: Any = "-"


def marks_for(names: Sequence[str], pinned: Mapping[str, Mark] | None = None) -> dict[str, Mark]:
    """Give every method its colour, marker and dash.

    Parameters
    ----------
    names : sequence of str
        All methods of the report, in the order that should get the most distinct colours; pass the result to
        every figure so that a method looks the same in all of them.
    pinned : mapping of str to Mark, optional
        Fixed looks, e.g. of an oracle or a control.

    Returns
    -------
    dict of str to Mark
        Distinct for the first 70 names that are not pinned.

    Examples
    --------
    >>> marks = marks_for(["ppo", "oracle"], {"oracle": Mark(colour=INK)})
    >>> marks["ppo"].colour, marks["oracle"].colour
    ('#0072b2', '#1f2328')
    """
    out: dict[str, Mark] = {}
    at = 0
    for name in dict.fromkeys(names):
        if pinned and name in pinned:
            out[name] = pinned[name]
            continue
        turn, hue = divmod(at, len(PALETTE))
        # after each turn through the colours both marker and dash change
        out[name] = Mark(
            colour=PALETTE[hue], marker=MARKERS[turn % len(MARKERS)], dash=DASHES[turn % len(DASHES)]
        )
        at += 1
    return out


@cache
def _plain_figure() -> type[Figure]:
    """Return the class of figures that draw texts as they are: names hold dollars, and are no formulas."""
    import matplotlib
    from matplotlib.figure import Figure
    from matplotlib.text import Text

    class PlainFigure(Figure):
        """Draws no text as mathematics, and writes control characters out; says of points what it is told."""

        def __init__(self, *given: Any, **named: Any) -> None:
            super().__init__(*given, **named)
            self.told: list[Told] = []

        def draw(self, renderer: Any) -> None:
            for text in self.findobj(Text):
                assert isinstance(text, Text)
                text.set_parse_math(False)
                text.set_text(visible(text.get_text(), lines=True))
            # ticks make their texts while they are drawn
            with matplotlib.rc_context({"text.parse_math": False}):
                super().draw(renderer)

    return PlainFigure


#: letters of a caption in an inch, and inches of its line
LETTERS, LINE = 16, 0.15


def legend_label(name: str) -> str:
    """Return a name as matplotlib shows it in a legend: it leaves out what begins with an underscore.

    Examples
    --------
    >>> legend_label("cusum"), legend_label("_mine")
    ('cusum', '\\u200b_mine')
    """
    shown = visible(name)
    return f"\u200b{shown}" if shown.startswith("_") else shown


def new_figure(width: float = 7.2, height: float = 3.6) -> Figure:
    """Return an empty figure on an Agg canvas with constrained layout; sizes in inches.

    Examples
    --------
    >>> new_figure(4, 3).get_size_inches().tolist()
    [4.0, 3.0]
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    figure = _plain_figure()(figsize=(width, height), dpi=DPI, layout="constrained", facecolor="white")
    FigureCanvasAgg(figure)
    return figure


def room(names: Sequence[str], usual: int) -> float:
    """Return the inches by which the longest of names is longer than usual: without them no axes is left.

    Parameters
    ----------
    names : sequence of str
    usual : int
        Number of characters that the figure has room for.

    Examples
    --------
    >>> room(["cusum", "ks"], 20), room(["x" * 40], 20)
    (0.0, 1.6)
    """
    return max(0, max((len(visible(name)) for name in names), default=0) - usual) * 0.08


def dress(
    axes: Axes, *, xlabel: str = "", ylabel: str = "", title: str = "", grid: str = "both", text: float = TEXT
) -> None:
    """Set labels, fonts, spines and grid of an axes; ``grid`` is x, y, both or none."""
    axes.set_axisbelow(True)
    for side, spine in axes.spines.items():
        spine.set_visible(side in ("left", "bottom"))
        spine.set_color(RULE)
    axes.tick_params(which="both", labelsize=text - 0.5, colors=MUTED, length=0, pad=4)
    for axis in (axes.xaxis, axes.yaxis):
        if axis.get_scale() == "log":
            _plain_log_ticks(axis)
    if grid in ("x", "both"):
        axes.grid(True, axis="x", color=RULE, linewidth=0.6)
    if grid in ("y", "both"):
        axes.grid(True, axis="y", color=RULE, linewidth=0.6)
    axes.set_xlabel(xlabel, fontsize=text, color=INK)
    axes.set_ylabel(ylabel, fontsize=text, color=INK)
    if title:
        axes.set_title(title, fontsize=text + 1.5, color=INK, loc="left", pad=8, fontweight="bold")


def _plain_log_ticks(axis: Axis) -> None:
    """Write 200 rather than 2 x 10^2, and minor numbers only where a decade or less is shown."""
    from matplotlib.ticker import FuncFormatter, NullFormatter

    low, high = sorted(axis.get_view_interval())
    axis.set_major_formatter(FuncFormatter(lambda v, _: f"{v:,.10g}"))
    narrow = high / low < 30
    axis.set_minor_formatter(
        FuncFormatter(lambda v, _: f"{v:,.10g}" if f"{v:e}"[0] in "235" else "")
        if narrow
        else NullFormatter()
    )


def caption(figure: Figure, text: str) -> None:
    """Write a small line under the figure (n, exclusions, what bars are)."""
    if text:
        figure.supxlabel(text, fontsize=SMALL, color=MUTED, x=0.01, ha="left")


def add_to_caption(figure: Figure, text: str) -> None:
    """Add a line to the caption of a finished figure, which grows by it.

    Examples
    --------
    >>> figure = new_figure(4, 3)
    >>> caption(figure, "n = 5")
    >>> add_to_caption(figure, "means")
    >>> figure.get_supxlabel().split(chr(10))
    ['n = 5', 'means']
    """
    import textwrap

    width, height = figure.get_size_inches()
    lines = textwrap.wrap(text, width=max(40, int(width * LETTERS)), break_long_words=False)
    figure.set_size_inches(width, height + len(lines) * LINE)
    caption(figure, "\n".join([*filter(None, [figure.get_supxlabel()]), *lines]))


def _settle(figure: Figure) -> None:
    """Lay the figure out and keep that: constrained layout moves a little each time it runs."""
    if figure.get_layout_engine() is not None:
        # the first run does not know yet how far labels beside the axes reach
        figure.draw_without_rendering()
        figure.draw_without_rendering()
        figure.set_layout_engine("none")


def to_png(figure: Figure) -> bytes:
    """Render as PNG, without a date or version in it; the first rendering fixes the layout."""
    _settle(figure)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=DPI, metadata={"Software": None})
    return buffer.getvalue()


def to_svg(figure: Figure) -> bytes:
    """Render as SVG with text as outlines: the same bytes each time, the same look on every machine."""
    import matplotlib

    _settle(figure)
    buffer = io.BytesIO()
    with matplotlib.rc_context({"svg.hashsalt": "mlopsim", "svg.fonttype": "path"}):
        figure.savefig(
            buffer, format="svg", metadata={"Date": None, "Creator": None, "Format": None, "Type": None}
        )
    return _small(buffer.getvalue())


def _small(svg: bytes) -> bytes:
    """Write an SVG of matplotlib in fewer bytes, with the same look: figures are committed and in pages.

    Coordinates are in points, of which a hundredth cannot be seen; scales and angles stay as they are. What
    is small already stays the same to the byte.
    """

    def rounded(match: re.Match[bytes]) -> bytes:
        return re.sub(
            rb"-?\d+\.\d{3,}",
            lambda number: f"{round(float(number[0]), 2) + 0.0:.2f}".rstrip("0").rstrip(".").encode(),
            match[0],
        )

    svg = re.sub(rb' (?:d|x|y|width|height)="[^"]*"|translate\([^)]*\)', rounded, svg)
    svg = svg.replace(b"DejaVuSans-", b"S-")
    svg = re.sub(rb"translate\(([-.\d]+) 0\)", rb"translate(\1)", svg)
    svg = re.sub(rb'style="[^"]*"', lambda style: style[0].replace(b"; ", b";").replace(b": ", b":"), svg)
    # names that nothing refers to
    svg = re.sub(rb' id="(?:text|line2d|patch|[xy]tick)_\d+"', b"", svg)
    # indentation, and the blanks at line ends that text tools would strip from committed figures
    svg = re.sub(rb"[ \t]*\n[ \t]*", b"\n", svg)
    return svg.replace(b"<g/>\n", b"")


def save(figure: Figure, stem: str | Path) -> tuple[Path, Path]:
    """Write ``stem.png`` and ``stem.svg`` atomically and return their paths.

    Examples
    --------
    >>> import tempfile
    >>> paths = save(new_figure(2, 2), Path(tempfile.mkdtemp()) / "empty")
    >>> [path.name for path in paths]
    ['empty.png', 'empty.svg']
    """
    stem = Path(stem)
    png = write_bytes(stem.with_name(stem.name + ".png"), to_png(figure))
    svg = write_bytes(stem.with_name(stem.name + ".svg"), to_svg(figure))
    return png, svg
