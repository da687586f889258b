"""What is cited: every reference of every component can be read, and none is made up."""

from __future__ import annotations

import datetime
import re

import pytest

import mlopsim
from mlopsim.compose.citations import all_references, bibtex, cited, read_reference, software
from mlopsim.core.errors import DataError


def test_the_citation_file_is_valid_and_of_this_version() -> None:
    found = software()
    assert found["cff-version"] == "1.2.0" and found["type"] == "software"
    assert all(found[name] for name in ("message", "title", "authors", "license", "keywords"))
    assert all({"name"} <= set(author) or {"family-names"} <= set(author) for author in found["authors"])
    assert str(found["version"]) == mlopsim.__version__
    assert isinstance(found["date-released"], datetime.date)
    known = "cff-version message title type authors version date-released license keywords abstract url doi"
    known += " repository-code identifiers references preferred-citation contact license-url"
    assert not set(found) - set(known.split())


def test_every_reference_of_every_component_can_be_read() -> None:
    found = all_references()
    assert sum(map(bool, found.values())) > 100
    for several in found.values():
        for one in several:
            assert one.title and re.fullmatch(r"\d{4}", one.year) and all(one.authors)
            assert re.fullmatch(r"[a-z]+\d{4}[a-z0-9]*", one.key), one
            assert not re.search(r"doi:|arXiv:", one.place)
            assert not one.doi or re.fullmatch(r"10\.\d{4,}/\S+", one.doi)


def entries(text: str) -> dict[str, dict[str, str]]:
    """Read BibTeX as its programs do: an entry begins at an @, wherever it stands."""
    found: dict[str, dict[str, str]] = {}
    for match in re.finditer(r"@(\w+)\{([^,\s]+),\n(.*?)\n\}\n", text, re.S):
        assert match[2] not in found, "one key for two entries"
        fields = re.findall(r"^  ([a-z]+) +?= \{(.*)\},$", match[3], re.M)
        assert len(fields) == len(match[3].splitlines())
        assert all(value.count("{") == value.count("}") for _, value in fields)
        found[match[2]] = dict(fields)
    assert text.count("@") == len(found)
    return found


def test_a_suite_is_cited_with_its_version_and_methods() -> None:
    study = mlopsim.load_suite("drift-quick", methods=["adwin", "ddm"], seeds=2)
    text = bibtex(study)
    found = entries(text)
    assert found["mlopsim"]["version"] == mlopsim.__version__
    suite = next(name for name in found if name.startswith("drift-quick-v"))
    assert suite.endswith("-modified") and study.grid.digest[:12] in found[suite]["note"]
    assert found["bifet2007learning"]["author"] == "A. Bifet and R. Gavaldà"
    assert found["bifet2007learning"]["doi"] == "10.1137/1.9781611972771.42"
    assert "adwin (bifet2007learning)" in text


def test_what_has_no_reference_is_said_and_parts_bring_theirs() -> None:
    rule = {"on_alarm": {"detector": "adwin"}}
    study = mlopsim.load_suite("quick", methods=["never", rule], seeds=1)
    text = bibtex(study)
    bare = "".join(line for line in text.splitlines() if "without a reference" in line)
    assert "never" in bare and "stream/nycflights13 (source: US Bureau of Transportation" in bare
    keys = {reference.key for thing in cited(study) for reference in thing.references}
    assert "bifet2007learning" in keys and keys <= set(entries(text))


def test_names_with_signs_stay_comments() -> None:
    entries(bibtex(mlopsim.load_suite("fairness-core", methods=["four_fifths"], seeds=1)))


@pytest.mark.parametrize("text", ["A. Doe, Title, 1999", 'A. Doe, "Title", Journal', '"Title", 1999'])
def test_a_reference_that_is_written_otherwise_is_an_error(text: str) -> None:
    with pytest.raises(DataError, match="cannot be read"):
        read_reference(text)
