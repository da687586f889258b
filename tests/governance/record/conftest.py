from __future__ import annotations

import sys
from pathlib import Path

import pytest

# the helper modules beside the tests, and the attacks of the experiment
sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[3] / "experiments"))


@pytest.fixture(scope="session")
def _record_worlds(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("record-worlds")


@pytest.fixture(autouse=True)
def worlds(_record_worlds: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Worlds are shared by all tests of records."""
    monkeypatch.setenv("MLOPSIM_CACHE", str(_record_worlds))
    return _record_worlds
