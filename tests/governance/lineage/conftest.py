from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture(scope="session")
def _lineage_worlds(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("lineage-worlds")


@pytest.fixture(autouse=True)
def worlds(_lineage_worlds: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Worlds are shared by all tests of lineage."""
    monkeypatch.setenv("MLOPSIM_CACHE", str(_lineage_worlds))
    return _lineage_worlds
