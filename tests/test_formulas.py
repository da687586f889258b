"""What the catalogue shows of a component stands in its docstring: a formula, and where it comes from."""

import inspect
import re
from collections.abc import Iterator

import pytest

from mlopsim.core import registry

#: kinds whose components compute a number or change one
COMPUTE = (
    "detector",
    "gate",
    "audit",
    "injector",
    "monitor",
    "constraint",
    "explainer",
    "mechanism",
    "timing",
)
#: those of them that have no formula, and why
WITHOUT = {
    "detector/always": "a control: every tick",
    "detector/never": "a control: no tick",
    "detector/clairvoyant": "a control: the ticks that it is told",
    "detector/river": "the formula is that of the class that is named",
    "gate/none": "a control: no row",
    "gate/oracle": "a control: the rows that it is told",
    "gate/pyod": "the formula is that of the class that is named",
    "gate/schema": "a list of checks, each yes or no",
    "injector/schema_change": "names, types and order of columns",
    "injector/typo": "digits and names",
}
YEAR = re.compile(r"\b(1[89]|20)\d\d\b")


def documented() -> Iterator[tuple[str, str]]:
    """Return name and docstring of each component of ours."""
    for kind in registry.PACKAGES:
        for name in registry.names(kind):
            cls = registry.find(kind, name)
            if cls.__module__.startswith("mlopsim."):
                yield f"{kind}/{name}", inspect.cleandoc(cls.__doc__ or "")


def formulas(text: str) -> list[str]:
    """Return the formulas of a docstring, those within lines and those on lines of their own.

    Examples
    --------
    >>> formulas("Of :math:`a` and\\n\\n.. math::\\n\\n    b\\n    + c\\n\\n.. math:: d\\n")
    ['a', 'b + c', 'd']
    """
    inline = re.findall(r":math:`([^`]+)`", text)
    blocks = re.findall(r"^\.\. math::\n\n((?: {4}.+\n?)+)", text, re.MULTILINE)
    lines = re.findall(r"^\.\. math:: (.+)$", text, re.MULTILINE)
    return [" ".join(found.split()) for found in (*inline, *blocks, *lines)]


def faults(formula: str) -> list[str]:
    """Return what would not be drawn.

    Examples
    --------
    >>> faults(r"\\frac{a}{b}"), faults(r"\\left(\\frac{a}{b}"), faults("$a$")
    ([], ['\\\\left and \\\\right'], ['$'])
    """
    bare = re.sub(r"\\[{}]", "", formula)
    depth = lowest = 0
    for sign in bare:
        depth += (sign == "{") - (sign == "}")
        lowest = min(lowest, depth)
    sides = [len(re.findall(rf"\\{side}(?![a-zA-Z])", formula)) for side in ("left", "right")]
    parts = [len(re.findall(rf"\\{part}\{{", formula)) for part in ("begin", "end")]
    found = {
        "braces": depth != 0 or lowest < 0,
        r"\left and \right": sides[0] != sides[1],
        r"\begin and \end": parts[0] != parts[1],
        "$": "$" in formula,
        # a backslash that was read as one of these: the docstring must be raw
        "control character": any(ord(sign) < 32 for sign in formula),
    }
    return [name for name, wrong in found.items() if wrong]


def references(text: str) -> str:
    """Return the section of references, empty if there is none."""
    found = re.search(
        r"^References\n-+\n(.*?)(?=\n\n[A-Z][A-Za-z ]+\n---|\Z)", text, re.MULTILINE | re.DOTALL
    )
    return found[1] if found else ""


def entries(section: str) -> list[str]:
    """Return the entries of a section of references, each on one line."""
    return [
        " ".join(part.split()) for part in re.split(r"^(?=\S)", section, flags=re.MULTILINE) if part.strip()
    ]


def test_what_computes_a_number_has_its_formula() -> None:
    without = {name for name, text in documented() if name.split("/")[0] in COMPUTE and not formulas(text)}
    assert without == set(WITHOUT)


def test_formulas_can_be_drawn() -> None:
    found = [(name, formula, faults(formula)) for name, text in documented() for formula in formulas(text)]
    assert len(found) > 400
    assert [entry for entry in found if entry[2]] == []


def test_no_section_comes_twice() -> None:
    for name, text in documented():
        found = re.findall(r"^([A-Z][A-Za-z ]+)\n-{3,}$", text, re.MULTILINE)
        assert len(found) == len(set(found)), name


def test_references_are_numbered_and_have_a_year() -> None:
    found = {name: entries(section) for name, text in documented() if (section := references(text))}
    assert len(found) > 130
    for name, listed in found.items():
        for number, entry in enumerate(listed, start=1):
            assert entry.startswith(f".. [{number}] "), (name, entry)
            assert YEAR.search(entry), (name, entry)


@pytest.mark.parametrize(
    "formula", [r"\frac{a}{b", r"a} {b", r"\left( a", r"\begin{cases} a", "$a$", "\frac{a}{b}"]
)
def test_what_cannot_be_drawn_is_found(formula: str) -> None:
    assert faults(formula)


def test_entries_are_told_apart() -> None:
    text = "Sum.\n\nReferences\n----------\n{}\n\nExamples\n--------\n>>> 1\n"
    numbered = text.format(".. [1] Page, Title, 1954.\n   Biometrika.\n.. [2] Roberts, 1959.")
    assert entries(references(numbered)) == [".. [1] Page, Title, 1954. Biometrika.", ".. [2] Roberts, 1959."]
    assert entries(references(text.format("Page (1954), *Title*."))) == ["Page (1954), *Title*."]
    assert references("Sum.\n\nParameters\n----------\na : int\n") == ""
