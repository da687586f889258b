"""What scripts of users imported from version 0.1 is still found there, and is the same object."""

import importlib

import pytest


@pytest.mark.parametrize(
    ("old", "new", "name"),
    [
        ("mlopsim.streams.readers", "mlopsim.streams.files.readers", "read_frame"),
        ("mlopsim.streams.tables", "mlopsim.streams.files.tables", "table_of"),
        ("mlopsim.fairness.oneoff", "mlopsim.fairness.dataset_audit", "prepare"),
    ],
)
def test_old_places_give_the_same(old, new, name):
    assert getattr(importlib.import_module(old), name) is getattr(importlib.import_module(new), name)
