"""Worlds of files: a moved file keeps its key, a changed one is never mistaken for the old one."""

import shutil

import numpy as np
import pytest

from mlopsim.core.errors import DataError
from mlopsim.world.build import build_world
from mlopsim.world.spec import WorldSpec


def write(path, seed):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(300, 2))
    y = (X[:, 0] + 0.3 * rng.normal(size=300) > 0).astype(int)
    rows = [f"{a:.6f},{b:.6f},{c}" for (a, b), c in zip(X, y, strict=True)]
    path.write_text("\n".join(["a,b,label", *rows]))


def spec_of(path):
    return WorldSpec.of({"file": {"path": str(path), "label": "label", "rows": 20, "warmup": 4}})


def test_a_moved_file_is_the_same_world(tmp_path):
    write(tmp_path / "one.csv", 0)
    shutil.copy(tmp_path / "one.csv", tmp_path / "two.csv")
    write(tmp_path / "other.csv", 1)
    one, two, other = (spec_of(tmp_path / f"{name}.csv") for name in ("one", "two", "other"))
    assert one.key == two.key != other.key
    assert np.array_equal(build_world(one).counts, build_world(two).counts)


def test_a_changed_file_is_an_error(tmp_path):
    write(tmp_path / "data.csv", 0)
    spec = spec_of(tmp_path / "data.csv")
    write(tmp_path / "data.csv", 1)
    with pytest.raises(DataError, match="have changed"):
        build_world(spec)
