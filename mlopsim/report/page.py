"""One self-contained HTML page: no network, readable without scripts, light and dark."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from markupsafe import Markup

from mlopsim.core.errors import ConfigError, nearest
from mlopsim.core.section import Unmade
from mlopsim.core.track import Section
from mlopsim.report import hover
from mlopsim.report.datatables import bundle, inline, source_hash
from mlopsim.report.drawer import Drawer
from mlopsim.report.figures import check_figure, figure_html, slug
from mlopsim.report.methods import methods_html
from mlopsim.report.prose import glossary, prose
from mlopsim.report.templating import fill, packaged
from mlopsim.report.typeset import table_html

META_KEYS = ("title", "lead", "words", "methods", "summary", "notes", "failures", "provenance")
_FAILURE_LABELS = ("task", "method", "seed", "fit", "key")


@dataclass(frozen=True, kw_only=True)
class _Entry:
    """A line of the contents."""

    anchor: str
    title: str


@dataclass(frozen=True, kw_only=True)
class _Part:
    """A section, typeset."""

    anchor: str
    title: str
    text: Markup
    figures: list[Markup] = field(default_factory=list)
    table: Markup | None = None


def render(
    title: str,
    sections: Sequence[Section],
    meta: Mapping[str, Any],
    *,
    unmade: Sequence[Unmade] = (),
    svgs: Mapping[tuple[int, str], bytes] | None = None,
) -> str:
    """Render a report of one grid.

    Parameters
    ----------
    title : str
        Name and version of the suite, e.g. ``quick-v1 (modified)``.
    sections : sequence of Section
        Their tables follow the rules of `typeset`; their texts those of `prose`: Markdown of paragraphs,
        lists, ``code`` in backticks, ``**bold**`` and links into the page.
    meta : mapping
        Optional keys: ``lead`` (str: what this is, in a sentence or two), ``words`` (str: what the numbers
        say, in a paragraph), ``methods`` (:class:`mlopsim.report.methods.MethodsView`: what a click on a
        method shows), ``summary`` (mapping: figures at the top, such as cells done), ``notes`` (sequence of
        str: warnings at the top), ``failures`` (sequence of mappings with ``status``, ``traceback`` and any
        of task, method, seed, fit, key), ``provenance`` (mapping; nested mappings are flattened). ``title``
        is for `write_report`.
    unmade : sequence of Unmade
        Sections that could not be made, which are named with their reasons.
    svgs : mapping of (section number, figure name) to bytes, optional
        Figures that are rendered already.

    Returns
    -------
    str
        The page; every text in it is escaped. It allows its own scripts only, and no requests.

    Raises
    ------
    ConfigError
        On an unknown key of ``meta`` or a table or figure of a wrong type.

    Examples
    --------
    >>> page = render("quick-v1", [Section(title="A < B", text="It is.")], {"summary": {"cells": 12}})
    >>> "A &lt; B" in page, "default-src 'none'" in page.replace("&#39;", "'")
    (True, True)
    """
    for key in meta:
        if key not in META_KEYS:
            raise ConfigError(f"unknown key '{key}' of a report's meta{nearest(key, META_KEYS)}")
    failures = [_failure(failure) for failure in meta.get("failures") or []]
    provenance = _flatten(meta.get("provenance") or {})
    drawer = Drawer()
    parts = [_part(section, number, title, svgs or {}, drawer) for number, section in enumerate(sections)]
    contents = [_Entry(anchor=part.anchor, title=part.title) for part in parts]
    if unmade:
        contents.append(_Entry(anchor="unmade", title=f"Sections that could not be made ({len(unmade)})"))
    if failures:
        contents.append(_Entry(anchor="failures", title=f"Failures ({len(failures)})"))
    contents.append(_Entry(anchor="glossary", title="Glossary"))
    if provenance:
        contents.append(_Entry(anchor="provenance", title="Provenance"))
    scripts = {"theme": inline(packaged("theme.js"))}
    told = hover.library() if any('class="points"' in one for part in parts for one in part.figures) else None
    if told:
        scripts |= {"bokeh": Markup(told.script), "hover": inline(packaged("hover.js"))}
    library = bundle() if any(part.table is not None for part in parts) else None
    if library:
        scripts |= {"library": library.script, "tables": inline(packaged("tables.js"))}
    page = fill(
        "page.html",
        title=title,
        policy=_policy(list(scripts.values())),
        style=Markup(packaged("page.css")),
        drawer=drawer if any(part.figures for part in parts) else None,
        theme=scripts["theme"],
        tables=scripts.get("tables"),
        bundle=library,
        told=told,
        hover=scripts.get("hover"),
        contents=contents,
        lead=prose(str(meta["lead"])) if meta.get("lead") else None,
        words=prose(str(meta["words"])) if meta.get("words") else None,
        summary=list(dict(meta.get("summary") or {}).items()),
        notes=list(meta.get("notes") or []),
        sections=parts,
        methods=methods_html(meta["methods"]) if meta.get("methods") and library else None,
        unmade=unmade,
        failures=failures,
        glossary=glossary(),
        provenance=provenance,
    )
    # a plain text: markup escapes what is joined to it
    return str(page)


def _policy(scripts: Sequence[str]) -> str:
    """Return what a browser lets the page do: run these very scripts, style itself, show pictures in it."""
    allowed = " ".join(f"'{source_hash(script)}'" for script in scripts)
    return (
        f"default-src 'none'; script-src {allowed}; style-src 'unsafe-inline'; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )


def _part(
    section: Section, number: int, title: str, svgs: Mapping[tuple[int, str], bytes], drawer: Drawer
) -> _Part:
    figures = []
    for place, (name, figure) in enumerate(section.figures.items()):
        svg = svgs.get((number, name))
        figures.append(
            figure_html(check_figure(figure, name), name, f"f{number + 1}.{place + 1}", drawer, svg)
        )
    table = None
    if section.table is not None:
        file = f"{slug(title)}-{slug(section.title)}"
        table = table_html(section.table, section.title, file=file, main=number == 0)
    return _Part(
        anchor=f"s{number + 1}-{slug(section.title)}",
        title=section.title,
        text=prose(section.text),
        figures=figures,
        table=table,
    )


def _failure(failure: Mapping[str, Any]) -> dict[str, str]:
    trace = str(failure.get("traceback") or "").strip()
    last = trace.splitlines()[-1] if trace else "no traceback was recorded"
    labels = [
        f"{label} {failure[label]}" for label in _FAILURE_LABELS if failure.get(label) not in (None, "")
    ]
    return {
        "status": str(failure.get("status", "failed")),
        "cell": ", ".join(labels) or "unknown cell",
        "last": last,
        "trace": trace or last,
    }


def _flatten(values: Mapping[str, Any], prefix: str = "") -> list[tuple[str, str]]:
    out: list[tuple[str, str]] = []
    for key, value in values.items():
        name = f"{prefix}{key}"
        if isinstance(value, Mapping):
            out.extend(_flatten(value, f"{name}."))
        elif isinstance(value, (list, tuple)):
            out.append((name, ", ".join(str(v) for v in value)))
        else:
            out.append((name, str(value)))
    return out
