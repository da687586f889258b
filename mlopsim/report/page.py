"""One self-contained HTML page: no network, readable without scripts, light and dark."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from mlopsim.core.errors import ConfigError, nearest
from mlopsim.core.track import Section
from mlopsim.report.figures import check_figure, figure_html, slug
from mlopsim.report.theme import SCRIPT, STYLE
from mlopsim.report.typeset import escape, table_html

META_KEYS = ("title", "lead", "summary", "notes", "failures", "provenance")
#: longer tables are folded
FOLDED = 60
_FAILURE_LABELS = ("task", "method", "seed", "fit", "key")


def render(
    title: str,
    sections: Sequence[Section],
    meta: Mapping[str, Any],
    *,
    svgs: Mapping[tuple[int, str], bytes] | None = None,
) -> str:
    """Render a report of one grid.

    Parameters
    ----------
    title : str
        Name and version of the suite, e.g. ``quick-v1 (modified)``.
    sections : sequence of Section
        Their tables follow the rules of `table_html`; texts are paragraphs parted by blank lines, with
        lists (lines that start with ``- ``), ``code`` in backticks and ``**bold**``.
    meta : mapping
        Optional keys: ``lead`` (str: what this is, in a sentence or two), ``summary`` (mapping: figures at
        the top, such as cells done), ``notes`` (sequence of str: warnings at the top), ``failures``
        (sequence of mappings with ``status``, ``traceback`` and any of task, method, seed, fit, key),
        ``provenance`` (mapping; nested mappings are flattened). ``title`` is for `write_report`.
    svgs : mapping of (section number, figure name) to bytes, optional
        Figures that are rendered already.

    Returns
    -------
    str
        The page; every text in it is escaped.

    Raises
    ------
    ConfigError
        On an unknown key of ``meta`` or a table or figure of a wrong type.

    Examples
    --------
    >>> page = render("quick-v1", [Section(title="A < B", text="It is.")], {"summary": {"cells": 12}})
    >>> "A &lt; B" in page, "http://" in page.replace("http://www.w3.org", "")
    (True, False)
    """
    for key in meta:
        if key not in META_KEYS:
            raise ConfigError(f"unknown key '{key}' of a report's meta{nearest(key, META_KEYS)}")
    failures = list(meta.get("failures") or [])
    provenance = _flatten(meta.get("provenance") or {})
    anchors: list[tuple[str, str]] = []
    parts: list[str] = []
    for number, section in enumerate(sections):
        anchor = f"s{number + 1}-{slug(section.title)}"
        anchors.append((anchor, section.title))
        parts.append(_section(section, number, anchor, svgs or {}))
    if failures:
        anchors.append(("failures", f"Failures ({len(failures)})"))
        parts.append(_failures(failures))
    if provenance:
        anchors.append(("provenance", "Provenance"))
        rows = "".join(f"<tr><th>{escape(k)}</th><td>{escape(v)}</td></tr>" for k, v in provenance)
        parts.append(
            '<section id="provenance"><h2>Provenance</h2>'
            f'<div class="scroll"><table class="plain">{rows}</table></div></section>'
        )
    contents = "".join(f'<li><a href="#{anchor}">{escape(text)}</a></li>' for anchor, text in anchors)
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n'
        f"<title>{escape(title)}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n"
        f'<nav aria-label="Contents"><strong>Contents</strong><ul>{contents}</ul></nav>\n<main>\n'
        f"{_header(title, meta, len(failures))}\n" + "\n".join(parts) + "\n</main>\n"
        f"<script>\n{SCRIPT}</script>\n</body>\n</html>\n"
    )


def _header(title: str, meta: Mapping[str, Any], failed: int) -> str:
    out = [f"<header><h1>{escape(title)}</h1>"]
    if meta.get("lead"):
        out.append(f'<div class="lead">{prose(str(meta["lead"]))}</div>')
    summary = dict(meta.get("summary") or {})
    if summary:
        tiles = "".join(
            f"<div><dt>{escape(key)}</dt><dd>{escape(value)}</dd></div>" for key, value in summary.items()
        )
        out.append(f'<dl class="tiles">{tiles}</dl>')
    notes = [escape(note) for note in meta.get("notes") or []]
    if failed:
        word = "cell or fit" if failed == 1 else "cells or fits"
        notes.append(
            f'{failed} {word} failed and count in no number here: <a href="#failures">see below</a>.'
        )
    out.extend(f'<p class="warn">{note}</p>' for note in notes)
    return "".join(out) + "</header>"


def _section(section: Section, number: int, anchor: str, svgs: Mapping[tuple[int, str], bytes]) -> str:
    out = [f'<section id="{anchor}"><h2>{escape(section.title)}</h2>']
    if section.text:
        out.append(prose(section.text))
    for name, figure in section.figures.items():
        prefix = f"f{number + 1}-{slug(name)}"
        out.append(figure_html(check_figure(figure, name), name, prefix, svgs.get((number, name))))
    if section.table is not None:
        table, rows = table_html(section.table), len(section.table)
        folded = f"<details><summary>Table of {rows} rows</summary>{table}</details>"
        # the first is what the page is about
        out.append(folded if number and rows > FOLDED else table)
    return "\n".join(out) + "</section>"


def _failures(failures: Sequence[Mapping[str, Any]]) -> str:
    out = ['<section id="failures"><h2>Failures</h2>']
    for failure in failures:
        trace = str(failure.get("traceback") or "").strip()
        last = trace.splitlines()[-1] if trace else "no traceback was recorded"
        labels = [
            f"{label} {failure[label]}" for label in _FAILURE_LABELS if failure.get(label) not in (None, "")
        ]
        out.append(
            f'<details><summary><span class="status">{escape(failure.get("status", "failed"))}</span> '
            f"{escape(', '.join(labels) or 'unknown cell')}<br><code>{escape(last)}</code></summary>"
            f"<pre>{escape(trace or last)}</pre></details>"
        )
    return "\n".join(out) + "</section>"


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


def prose(text: str) -> str:
    """Turn plain text into paragraphs and lists, everything escaped.

    Examples
    --------
    >>> prose("See `a<b`.\\n\\n- one\\n- two")
    '<p>See <code>a&lt;b</code>.</p>\\n<ul><li>one</li><li>two</li></ul>'
    """
    out = []
    for block in re.split(r"\n\s*\n", text.strip()):
        lines = [line.strip() for line in block.splitlines() if line.strip()]
        if lines and all(line.startswith("- ") for line in lines):
            out.append("<ul>" + "".join(f"<li>{_spans(line[2:])}</li>" for line in lines) + "</ul>")
        elif lines:
            out.append(f"<p>{_spans(' '.join(lines))}</p>")
    return "\n".join(out)


def _spans(text: str) -> str:
    safe = re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(text))
    return re.sub(r"\*\*([^*]+)\*\*", r"<strong>\1</strong>", safe)
