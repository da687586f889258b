"""The contract checks hold for every component; tests/<room>/ plants faults that they find."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from mlopsim.checks import general
from mlopsim.checks.run import check_component, checks_for
from mlopsim.core.errors import ConfigError
from mlopsim.core.registry import PACKAGES, find, names

EVERYTHING = [(kind, name) for kind in PACKAGES for name in names(kind)]


@pytest.mark.parametrize(("kind", "name"), EVERYTHING, ids=[f"{k}/{n}" for k, n in EVERYTHING])
def test_every_component_fulfils_its_contract(kind: str, name: str) -> None:
    problems = {v.check: v.problem for v in check_component(find(kind, name)) if v.problem}
    assert not problems


#: a section shows results: its check makes it of a small run, two lines of a docstring could not
WITH_EXAMPLE = [(kind, name) for kind, name in EVERYTHING if kind != "section"]


@pytest.mark.parametrize(("kind", "name"), WITH_EXAMPLE, ids=[f"{k}/{n}" for k, n in WITH_EXAMPLE])
def test_every_component_has_an_example(kind: str, name: str) -> None:
    assert ">>>" in (find(kind, name).__doc__ or "")


@pytest.mark.parametrize("kind", PACKAGES)
def test_every_kind_has_checks_of_its_own(kind: str) -> None:
    own = [check.name for check in checks_for(kind)[len(general.CHECKS) :]]
    assert own
    assert len({check.name for check in checks_for(kind)}) == len(checks_for(kind))


def test_an_unknown_kind_names_the_nearest() -> None:
    with pytest.raises(ConfigError, match="did you mean 'detector'"):
        checks_for("detectr")


def test_the_architecture_page_has_a_row_for_each_kind() -> None:
    page = (Path(__file__).parent.parent / "docs" / "ARCHITECTURE.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `([a-z]+)` \| `([^`]+)` \| .{20,} \|$", page, flags=re.MULTILINE)
    places = {kind: "mlopsim." + place.removesuffix(".py").replace("/", ".") for kind, place in rows}
    assert places == PACKAGES
