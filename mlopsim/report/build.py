"""Writing a report and its figures into a results folder."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mlopsim.core.errors import ConfigError
from mlopsim.core.files import ensure_writable, write_bytes, write_text
from mlopsim.core.section import Unmade
from mlopsim.core.track import Section
from mlopsim.plots.style import to_png, to_svg
from mlopsim.report.figures import check_figure, slug
from mlopsim.report.page import render


def figure_stems(sections: Sequence[Section]) -> dict[tuple[int, str], str]:
    """File stems by (section number, figure name): the name, with the section's title before it if taken.

    Examples
    --------
    >>> a, b = Section(title="A", figures={"Time line": 0}), Section(title="B", figures={"Time line": 0})
    >>> figure_stems([a, b])
    {(0, 'Time line'): 'time-line', (1, 'Time line'): 'b-time-line'}
    """
    stems: dict[tuple[int, str], str] = {}
    taken: set[str] = set()
    for number, section in enumerate(sections):
        for name in section.figures:
            tries = [slug(name), f"{slug(section.title)}-{slug(name)}", f"{number + 1}-{slug(name)}"]
            stem = next((t for t in tries if t not in taken), None)
            if stem is None:
                raise ConfigError(
                    f"two figures of section '{section.title}' would be written as '{tries[0]}'",
                    remedy="give them names that differ in letters or digits",
                )
            taken.add(stem)
            stems[number, name] = stem
    return stems


def write_report(
    results_dir: str | Path,
    sections: Sequence[Section],
    meta: Mapping[str, Any],
    unmade: Sequence[Unmade] = (),
) -> Path:
    """Write ``report.html`` and ``figures/*.png`` and ``*.svg``, each whole or not at all.

    Parameters
    ----------
    results_dir : str or Path
        Created if needed.
    sections : sequence of Section
    meta : mapping
        As for `render`; ``title`` is required.
    unmade : sequence of Unmade
        Sections that could not be made; the page names them with their reasons.

    Returns
    -------
    Path
        Of the page. It is written last: a page that exists has all of its figures.

    Raises
    ------
    ConfigError
        If meta has no title or a section's content is of a wrong type.
    MlopsimError
        If the folder cannot be written to.

    Examples
    --------
    >>> import tempfile
    >>> write_report(tempfile.mkdtemp(), [Section(title="Empty")], {"title": "quick-v1"}).name
    'report.html'
    """
    if not meta.get("title"):
        raise ConfigError("a report needs meta['title'], such as 'quick-v1 (modified)'")
    folder = ensure_writable(results_dir)
    svgs: dict[tuple[int, str], bytes] = {}
    for (number, name), stem in figure_stems(sections).items():
        figure = check_figure(sections[number].figures[name], name)
        svgs[number, name] = to_svg(figure)
        write_bytes(folder / "figures" / f"{stem}.svg", svgs[number, name])
        write_bytes(folder / "figures" / f"{stem}.png", to_png(figure))
    page = render(str(meta["title"]), sections, meta, unmade=unmade, svgs=svgs)
    return write_text(folder / "report.html", page)
