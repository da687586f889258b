"""What a paper cites: the software, the suite with its version, its data and its methods, as BibTeX.

References stand in the docstrings of components and nowhere else; what has none is said, and none is made up.
"""

from __future__ import annotations

import inspect
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlopsim import __version__
from mlopsim.core import registry
from mlopsim.core.errors import DataError
from mlopsim.core.text import visible

if TYPE_CHECKING:
    from mlopsim.compose.study import Study

FILE_NAME = "CITATION.cff"
SECTION = re.compile(r"^References\n-{10}\n(.*?)(?=\n\n\S[^\n]*\n-{3,}\n|\Z)", re.S | re.M)
#: ``authors, "title", where and when``
FORM = re.compile(r'(?P<authors>[^"]+), "(?P<title>[^"]+?),?"[,.]? ?(?P<rest>.*)')
YEAR = re.compile(r"\b(?:1[89]|20)\d\d\b")
#: where data come from, where no work is named
SOURCE = re.compile(r"^Source: (.*?)\.?(?=\n\n|\Z)", re.S | re.M)
#: words of a title that name nothing
SMALL = ("a", "an", "the", "on", "of", "in", "for", "to", "and", "from", "with", "is", "are", "how")


@dataclass(frozen=True, kw_only=True)
class Reference:
    """A work that is cited.

    Parameters
    ----------
    authors : tuple of str
    title, year : str
    place : str
        Journal or publisher, volume, pages, as it is written.
    doi, arxiv : str
        Empty where there is none.
    """

    authors: tuple[str, ...]
    title: str
    year: str
    place: str
    doi: str = ""
    arxiv: str = ""

    @property
    def key(self) -> str:
        """Name of the entry: first author, year, first word of the title that says something.

        Examples
        --------
        >>> Reference(authors=("R. Gavaldà",), title="The time", year="2007", place="").key
        'gavalda2007time'
        """
        words = [word for word in _ascii(self.title).lower().split() if word not in SMALL]
        return f"{_ascii(self.authors[0]).split()[-1].lower()}{self.year}{words[0] if words else ''}"


def references_of(cls: type[Any]) -> list[Reference]:
    """Return what the docstring of a component cites.

    Parameters
    ----------
    cls : type
        With a numpydoc section ``References``, or without one.

    Raises
    ------
    DataError
        If an entry is not ``authors, "title", where, year``.

    Examples
    --------
    >>> [found.key for found in references_of(registry.find("detector", "adwin"))]
    ['bifet2007learning']
    """
    section = SECTION.search(inspect.getdoc(cls) or "")
    if section is None:
        return []
    entries = re.split(r"^\.\. \[\d+\] ", section[1], flags=re.M)[1:]
    return [read_reference(" ".join(entry.split()), cls.__name__) for entry in entries]


def read_reference(text: str, where: str = "") -> Reference:
    """Read a reference as docstrings write it.

    Raises
    ------
    DataError
        If it is written otherwise.

    Examples
    --------
    >>> read_reference('J. A. Doe and B. Roe, "A law", Journal 3, 1999, 1-9. doi:10.1/x (theorem 2)').doi
    '10.1/x'
    """
    form = FORM.fullmatch(text)
    year = None if form is None else YEAR.search(form["rest"])
    if form is None or year is None:
        raise DataError(
            f"a reference of {where or 'a docstring'} cannot be read: {text}",
            remedy='write: A. Author and B. Author, "Title", Journal 1, 1999, 1-9. doi:10.1000/x',
        )
    rest = form["rest"]
    doi, arxiv = re.search(r"doi:(\S+)", rest), re.search(r"arXiv:(\S+)", rest)
    place = re.sub(r"\(?(?:doi|arXiv):\S+", "", rest).strip(" .,")
    place = "" if place == year[0] else place
    authors = re.split(r",? and |, ", form["authors"])
    return Reference(
        authors=tuple("others" if a.startswith("et al") else a.strip() for a in authors),
        title=form["title"],
        year=year[0],
        place=" ".join(place.split()),
        doi=doi[1].rstrip(".,)") if doi else "",
        arxiv=arxiv[1].rstrip(".,)") if arxiv else "",
    )


def software() -> Mapping[str, Any]:
    """Return what ``CITATION.cff`` says: inside the package in a wheel, beside it in a checkout."""
    from yaml import safe_load

    package = Path(__file__).resolve().parent.parent
    inside = package / FILE_NAME
    file = inside if inside.is_file() else package.parent / FILE_NAME
    if not file.is_file():
        raise DataError(f"{FILE_NAME} is not here", remedy="reinstall mlopsim")
    found: Mapping[str, Any] = safe_load(file.read_text(encoding="utf-8"))
    return found


@dataclass(frozen=True, kw_only=True)
class Cited:
    """What is cited: data or a method, its name, its references, what its docstring calls the source."""

    what: str
    name: str
    references: tuple[Reference, ...]
    source: str = ""


def cited(study: Study) -> list[Cited]:
    """Return data and methods of a study, each with the references of what it is made of.

    A part of a stream (a concept, an injector) and a part of a method (the detector of a rule) bring theirs.
    """
    found = []
    for task in study.suite.tasks:
        stream = task.part.get("stream", {}) if isinstance(task.part, Mapping) else {}
        for full, cls in _components(stream):
            named = SOURCE.search(inspect.getdoc(cls) or "")
            source = "" if named is None else f" (source: {' '.join(named[1].split())})"
            found.append(Cited(what="data", name=full, references=tuple(references_of(cls)), source=source))
    for method in study.suite.methods:
        several = [reference for _, cls in _components(method.part) for reference in references_of(cls)]
        found.append(Cited(what="method", name=method.name, references=tuple(dict.fromkeys(several))))
    return list(dict.fromkeys(found))


def _components(part: Any) -> Iterator[tuple[str, type[Any]]]:
    """Yield the components that a part is made of."""
    stack = [part]
    while stack:
        item = stack.pop()
        if isinstance(item, Mapping):
            # a track may compare things of kinds of its own, which no registry knows
            if {"kind", "name", "params"} <= set(item) and item["kind"] in registry.PACKAGES:
                yield f"{item['kind']}/{item['name']}", registry.find(item["kind"], str(item["name"]))
            stack.extend(reversed(list(item.values())))
        elif isinstance(item, list | tuple):
            stack.extend(reversed(item))


def bibtex(study: Study) -> str:
    """Return entries for software, suite, data and methods; what has no reference is named in a comment.

    Parameters
    ----------
    study : Study
        As of :func:`mlopsim.compose.study.load_suite`.

    Raises
    ------
    DataError
        As of :func:`references_of` and :func:`software`.
    """
    about = software()
    writers = tuple(_writer(author) for author in about["authors"])
    released = str(about["date-released"])[:4]
    lines = [_comment("Software and suite; entries hold UTF-8, as biber and today's bibtex read it.")]
    lines.append(
        _entry(
            "misc",
            "mlopsim",
            {
                "author": " and ".join(f"{{{name}}}" for name in writers),
                "title": f"{{{_tex(about['title'])}}}",
                "year": released,
                "version": __version__,
                "note": f"version {__version__}",
            },
        )
    )
    size = (
        f"{len(study.suite.tasks)} tasks, {len(study.suite.methods)} methods, {len(study.suite.seeds)} seeds"
    )
    lines.append(
        _entry(
            "misc",
            re.sub(r"[^A-Za-z0-9.-]+", "-", study.title).strip("-"),
            {
                "author": " and ".join(f"{{{name}}}" for name in writers),
                "title": f"{{{_tex(study.title)}: a suite of mlopsim}}",
                "year": released,
                "note": _tex(f"{size}; grid {study.grid.digest[:12]}; mlopsim {__version__}"),
            },
        )
    )
    things = cited(study)
    names: dict[Reference, str] = {}
    for reference in dict.fromkeys(ref for thing in things for ref in thing.references):
        taken = sum(key == reference.key or key[:-1] == reference.key for key in names.values())
        names[reference] = reference.key + (chr(ord("a") + taken) if taken else "")
    told: set[Reference] = set()
    for what, head in (("data", "Data"), ("method", "Methods")):
        several = [thing for thing in things if thing.what == what]
        if several:
            lines.append(_comment(f"{head}: " + "; ".join(_named(t, names) for t in several if t.references)))
        if bare := [thing.name + thing.source for thing in several if not thing.references]:
            lines.append(_comment(f"without a reference in its docstring: {', '.join(bare)}"))
        for reference in dict.fromkeys(ref for thing in several for ref in thing.references):
            if reference not in told:
                lines.append(_published(reference, names[reference]))
                told.add(reference)
    return "\n".join(lines)


def _named(thing: Cited, names: Mapping[Reference, str]) -> str:
    return f"{thing.name} ({', '.join(names[reference] for reference in thing.references)})"


def _published(reference: Reference, key: str) -> str:
    return _entry(
        "misc",
        key,
        {
            "author": " and ".join(map(_tex, reference.authors)),
            "title": f"{{{_tex(reference.title)}}}",
            "year": reference.year,
            "howpublished": _tex(reference.place),
            "doi": reference.doi,
            "eprint": reference.arxiv,
            "archiveprefix": "arXiv" if reference.arxiv else "",
        },
    )


def _writer(author: Mapping[str, str]) -> str:
    given = " ".join(filter(None, (author.get("given-names"), author.get("family-names"))))
    return _tex(author.get("name") or given)


def _entry(kind: str, key: str, values: Mapping[str, str]) -> str:
    width = max(map(len, values))
    lines = [f"  {name:<{width}} = {{{value}}}," for name, value in values.items() if value]
    return "\n".join([f"@{kind}{{{key},", *lines, "}", ""])


def _comment(text: str) -> str:
    # BibTeX reads entries wherever this sign stands
    return f"% {visible(text).replace('@', '(at)')}\n"


def _tex(text: object) -> str:
    return re.sub(r"([&%$#_])", r"\\\1", visible(text).replace("{", "(").replace("}", ")").replace("\\", "/"))


def _ascii(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return re.sub(r"[^A-Za-z0-9 ]+", "", plain)


def all_references(kinds: Iterable[str] = tuple(registry.PACKAGES)) -> dict[str, list[Reference]]:
    """Return the references of every component of some kinds, by full name."""
    return {
        f"{kind}/{name}": references_of(registry.find(kind, name))
        for kind in kinds
        for name in registry.names(kind)
    }
