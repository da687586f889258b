"""What the figures of a page have in common, kept once: outlines of letters, whole labels, styles."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from markupsafe import Markup

#: an outline, as matplotlib defines it in each figure, and a place where it is drawn
_OUTLINE = re.compile(r'<path id="([^"]*)" ((?:d="[^"]*" )?transform="scale\([^)]*\)")/>\n?')
_PLACE = re.compile(r'<use (?:xlink:)?href="#([^"]*)"(?: transform="translate\((-?[\d.]+)\)")?/>')
_LABEL = re.compile(r'(?:<use href="#og\d+"[^>]*/>\n?){2,}')
_STYLE = re.compile(r' style="([^"]*)"')


def thin(svg: str) -> str:
    r"""Write an SVG in fewer bytes: no ids that nothing refers to, no blanks that a path does not need.

    Examples
    --------
    >>> thin('<g id="a"><path d="M 1 2\nL 3 -4\nz\n"/></g>')
    '<g><path d="M1 2L3 -4z"/></g>'
    >>> thin('<path id="a" d="M0 0"/><use href="#a"/>')
    '<path id="a" d="M0 0"/><use href="#a"/>'
    """
    used = set(re.findall(r'href="#([^"]*)"|url\(#([^)]*)\)', svg))
    names = {name for pair in used for name in pair if name}
    svg = re.sub(r' id="([^"]*)"', lambda found: found[0] if found[1] in names else "", svg)

    def joined(path: re.Match[str]) -> str:
        return re.sub(r"\s*([A-Za-z])\s*", r"\1", re.sub(r"\s+", " ", path[0][4:-1])).strip()

    svg = re.sub(r' d="[^"]*"', lambda path: f' d="{joined(path)}"', svg)
    return re.sub(r"<defs>\s*</defs>\n?", "", svg)


@dataclass(kw_only=True)
class Drawer:
    """Outlines, labels and styles of a page's figures.

    A label of matplotlib is a row of letters, each of them a reference to an outline that the figure defines
    for itself. A report of a hundred figures holds a hundred copies of the same outlines and method names.
    """

    _outlines: dict[str, str] = field(default_factory=dict)
    _labels: dict[str, str] = field(default_factory=dict)
    _styles: dict[str, str] = field(default_factory=dict)

    def put(self, svg: str) -> str:
        """Return a figure that refers to what is kept here; its look is the same.

        Parameters
        ----------
        svg : str
            As from :func:`mlopsim.report.figures.inline_svg`.

        Examples
        --------
        >>> drawer = Drawer()
        >>> one = '<defs><path id="f1-A" d="M0 0" transform="scale(0.1)"/></defs><use href="#f1-A"/>'
        >>> two = drawer.put(one + '<use href="#f1-A" transform="translate(6.5)"/>')
        >>> two, drawer.put(one.replace("f1", "f2"))
        ('<use href="#ol0"/>', '<use href="#og0"/>')
        >>> print(drawer.definitions)
        <path id="og0" d="M0 0" transform="scale(0.1)"/>
        <g id="ol0"><use href="#og0"/><use href="#og0" x="6.5"/></g>
        """
        kept: dict[str, str] = {}

        def outline(found: re.Match[str]) -> str:
            kept[found[1]] = self._outlines.setdefault(found[2], f"og{len(self._outlines)}")
            return ""

        def place(found: re.Match[str]) -> str:
            if found[1] not in kept:
                return found[0]
            moved = f' x="{found[2]}"' if found[2] else ""
            return f'<use href="#{kept[found[1]]}"{moved}/>'

        def label(found: re.Match[str]) -> str:
            row = found[0].replace("\n", "")
            return f'<use href="#{self._labels.setdefault(row, f"ol{len(self._labels)}")}"/>'

        def style(found: re.Match[str]) -> str:
            return f' class="{self._styles.setdefault(found[1], f"os{len(self._styles)}")}"'

        svg = _OUTLINE.sub(outline, svg)
        svg = _PLACE.sub(place, svg)
        # outlines that are moved in another way than along the line
        svg = re.sub(
            r'(?:xlink:)?href="#([^"]*)"',
            lambda found: f'href="#{kept.get(found[1], found[1])}"',
            svg,
        )
        svg = re.sub(r"<defs>\s*</defs>\n?", "", _LABEL.sub(label, svg))
        return _STYLE.sub(style, svg)

    @property
    def definitions(self) -> Markup:
        """Outlines and labels, to stand once in the page."""
        lines = [f'<path id="{name}" {path}/>' for path, name in self._outlines.items()]
        lines += [f'<g id="{name}">{row}</g>' for row, name in self._labels.items()]
        return Markup("\n".join(lines))

    @property
    def rules(self) -> Markup:
        """The styles, for the page's own; they go before what the page says of all figures.

        Examples
        --------
        >>> drawer = Drawer()
        >>> drawer.put('<path style="fill:none"/>'), str(drawer.rules)
        ('<path class="os0"/>', '.card .os0{fill:none}')
        """
        return Markup("\n".join(f".card .{name}{{{style}}}" for style, name in self._styles.items()))
