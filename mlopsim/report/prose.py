"""Texts of a page from Markdown: of sections only a part of it, so that names stay as they are."""

from __future__ import annotations

import functools
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.rules_core import StateCore
from markdown_it.token import Token
from markupsafe import Markup

from mlopsim.core.text import visible

GLOSSARY = Path(__file__).parent / "glossary.md"


def _inside(url: str) -> bool:
    """Whether a link stays in the page."""
    return url.startswith("#")


def _only_bold(state: StateCore) -> None:
    """Take back what is not ``**bold**``: ``*a*``, ``_a_`` and ``__a__`` are names."""
    for block in state.tokens:
        for token in block.children or []:
            if token.type in ("em_open", "em_close") or (token.tag == "strong" and token.markup == "__"):
                token.type, token.tag, token.nesting, token.content = "text", "", 0, token.markup


@functools.cache
def _texts() -> MarkdownIt:
    # neither HTML, entities and backslashes, which are the user's, nor headings, tables and pictures
    parser = MarkdownIt("zero", {"html": False})
    parser.enable(["list", "newline", "backticks", "emphasis", "balance_pairs", "fragments_join", "link"])
    parser.validateLink = _inside  # type: ignore[method-assign]
    parser.core.ruler.after("inline", "only_bold", _only_bold)
    return parser


def prose(text: str) -> Markup:
    """Set a text of a section: paragraphs, lists, ``**bold**``, code in backticks and links into the page.

    Examples
    --------
    >>> print(prose("See `a<b` of *x* and **y**."))
    <p>See <code>a&lt;b</code> of *x* and <strong>y</strong>.</p>
    >>> print(prose("<b> [out](https://example.org) [in](#words)"))
    <p>&lt;b&gt; [out](https://example.org) <a href="#words">in</a></p>
    """
    return Markup(_texts().render(visible(text, lines=True)).strip())


def _below_the_title(tokens: list[Token]) -> list[Token]:
    """Leave out the title, which the page has set, and lower the other headings by one."""
    kept = tokens[3:] if tokens and tokens[0].tag == "h1" else tokens
    for token in kept:
        if token.type in ("heading_open", "heading_close"):
            token.tag = f"h{int(token.tag[1]) + 1}"
        if token.type == "table_open":
            token.attrSet("class", "plain")
    return kept


@functools.cache
def glossary() -> Markup:
    """Set the packaged glossary, without its title.

    Examples
    --------
    >>> "<strong>oracle</strong>" in glossary()
    True
    """
    parser = MarkdownIt("commonmark", {"html": False}).enable("table")
    tokens = _below_the_title(parser.parse(GLOSSARY.read_text(encoding="utf-8")))
    return Markup(parser.renderer.render(tokens, parser.options, {}))
