"""What scripts of users imported from version 0.1 is still found there, and does the same."""

import importlib

import numpy as np
import pytest


@pytest.mark.parametrize(
    ("old", "new", "name"),
    [
        ("mlopsim.streams.readers", "mlopsim.streams.files.readers", "read_frame"),
        ("mlopsim.streams.tables", "mlopsim.streams.files.tables", "table_of"),
    ],
)
def test_old_places_give_the_same(old, new, name):
    assert getattr(importlib.import_module(old), name) is getattr(importlib.import_module(new), name)


def test_prepare_takes_equal_rows_for_other_people_as_it_did():
    from mlopsim.fairness.explaining import Explaining
    from mlopsim.fairness.oneoff import prepare
    from mlopsim.streams.files.tables import Table

    rng = np.random.default_rng(0)
    table = Table(
        X=rng.integers(0, 2, (400, 1)).astype(float),
        y=rng.integers(0, 2, 400),
        g=rng.integers(0, 2, 400),
        classes=("no", "yes"),
        features=("x",),
        groups=("a", "b"),
    )
    subject = prepare(table, "ridge", Explaining(background=20), np.random.SeedSequence(0))
    assert len(subject.evidence.group) == 160
