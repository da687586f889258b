"""What is said of a part in every task is merged into the entries, once."""

from __future__ import annotations

from typing import Any

import pytest

from mlopsim.compose.entries import by_name, merged
from mlopsim.core.errors import ConfigError
from mlopsim.core.registry import find

PARTS = find("track", "delivery").parts
DRIFT = find("track", "drift").parts
IID: dict[str, Any] = {"name": "errors", "signal": {"iid": {"p": 0.1}}}
SLOW = {"deployment": {"": {"label_delay": 5}}}


def test_a_pin_replaces_and_a_parameter_is_merged() -> None:
    entry = {"name": "a", "learner": "tree", "deployment": {"standard": {"latency": 1}}}
    (one,) = merged([entry], SLOW, PARTS)
    assert one == {**entry, "deployment": {"standard": {"latency": 1, "label_delay": 5}}}
    (one,) = merged([entry], {"learner": "lda"}, PARTS)
    # its name might speak of the tree
    assert one == {"learner": "lda", "deployment": {"standard": {"latency": 1}}}
    assert entry["learner"] == "tree"


def test_a_parameter_is_merged_into_the_default() -> None:
    assert merged([{"name": "a"}], SLOW, PARTS) == [
        {"name": "a", "deployment": {"standard": {"label_delay": 5}}}
    ]


def test_a_pinned_stream_takes_every_name() -> None:
    assert (
        merged([{"name": "a"}, {"name": "b"}], {"stream": "procedural"}, PARTS)
        == [{"stream": "procedural"}] * 2
    )


def test_what_a_task_does_without_is_left_out() -> None:
    worth = {"name": "worth", "deployment": "standard"}
    found = merged([IID, worth, {"name": "no worth"}], SLOW, DRIFT)
    assert found == [IID, {**worth, "deployment": {"standard": {"label_delay": 5}}}, {"name": "no worth"}]


def test_a_signal_that_reads_no_stream_has_no_learner_that_could_be_pinned() -> None:
    found = merged([IID, {"name": "sea", "stream": "synthetic"}], {"learner": "tree"}, DRIFT)
    assert found == [IID, {"name": "sea", "stream": "synthetic", "learner": "tree"}]


def test_a_pinned_signal_takes_the_place_of_the_stream() -> None:
    pins = {"signal": "iid"}
    assert merged([{"name": "sea", "stream": "synthetic", "learner": "tree"}], pins, DRIFT) == [pins]
    both = {**pins, "stream": "synthetic"}
    with pytest.raises(ConfigError, match="signal/iid has no stream"):
        find("track", "drift")().tasks(merged([{"name": "sea"}], both, DRIFT))


@pytest.mark.parametrize(
    ("pins", "parts"), [({"signal": "iid"}, PARTS), (SLOW, DRIFT), (SLOW, find("track", "fairness").parts)]
)
def test_a_pin_without_effect_is_an_error(pins: dict[str, Any], parts: Any) -> None:
    (name,) = pins
    with pytest.raises(ConfigError, match=f"'{name}' has no effect: no task of this suite has a {name}"):
        merged([{"name": "a"}], pins, parts)


def test_a_name_that_the_suite_does_not_have() -> None:
    with pytest.raises(ConfigError, match="no task 'abrup'; did you mean 'abrupt'"):
        by_name(["abrup"], [{"name": "abrupt"}], "quick")
