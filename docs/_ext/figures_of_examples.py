"""Figures of the gallery: those of an example that stand in a variable, or were its last value.

mlopsim's figures are drawn without pyplot, so that nothing is kept between calls; the gallery's own scraper
sees those of pyplot only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sphinx_gallery.scrapers import figure_rst

if TYPE_CHECKING:
    from collections.abc import Mapping


def scraper(block: object, variables: Mapping[str, Any], settings: Mapping[str, Any]) -> str:
    """Save each figure of an example that was not saved before, as PNG.

    Parameters
    ----------
    block : object
        Not read.
    variables : mapping of str to Any
        What the gallery knows of the block: names of the example, where its pictures go.
    settings : mapping of str to Any
        Of the gallery.

    Returns
    -------
    str
        reStructuredText that shows them.
    """
    from matplotlib.figure import Figure

    from mlopsim.plots.style import to_png

    names = variables["example_globals"]
    seen: list[Figure] = names.setdefault("__figures_shown__", [])
    saved = []
    for figure in [value for name, value in names.items() if isinstance(value, Figure)]:
        if any(figure is other for other in seen):
            continue
        seen.append(figure)
        path = variables["image_path_iterator"].next()
        with open(path, "wb") as stream:  # noqa: PTH123 -- the path is the gallery's text
            stream.write(to_png(figure))
        saved.append(path)
    return figure_rst(saved, settings["src_dir"])
