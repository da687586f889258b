"""The contract checks hold for every component; tests/<room>/ plants faults that they find."""

from __future__ import annotations

import pytest

from mlopsim.checks.base import check_component, checks_for
from mlopsim.core.registry import PACKAGES, find, names

EVERYTHING = [(kind, name) for kind in PACKAGES for name in names(kind)]


@pytest.mark.parametrize(("kind", "name"), EVERYTHING, ids=[f"{k}/{n}" for k, n in EVERYTHING])
def test_every_component_fulfils_its_contract(kind: str, name: str) -> None:
    problems = {v.check: v.problem for v in check_component(find(kind, name)) if v.problem}
    assert not problems


@pytest.mark.parametrize(("kind", "name"), EVERYTHING, ids=[f"{k}/{n}" for k, n in EVERYTHING])
def test_every_component_has_an_example(kind: str, name: str) -> None:
    assert ">>>" in (find(kind, name).__doc__ or "")


@pytest.mark.parametrize(
    "kind",
    [
        "concept",
        "schedule",
        "duration",
        "shift",
        "bias",
        "stream",
        "learner",
        "training",
        "detector",
        "selector",
        "gate",
        "explainer",
        "audit",
    ],
)
def test_rooms_add_checks_of_their_own(kind: str) -> None:
    own = {check.name for check in checks_for(kind)} - {check.name for check in checks_for("track")}
    assert own
    assert len({check.name for check in checks_for(kind)}) == len(checks_for(kind))
