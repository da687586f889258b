from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest

# the helper modules beside the tests
sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture(scope="session")
def _cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("worlds")


@pytest.fixture
def bench(tmp_path: Path, _cache: Path, monkeypatch: pytest.MonkeyPatch):
    """The tiny suite in a folder of its own; Worlds are shared by all tests."""
    from cli_kit import SUITE, Bench

    monkeypatch.setenv("MLOPSIM_CACHE", str(_cache))
    monkeypatch.chdir(tmp_path)
    made = Bench(folder=tmp_path)
    made.preset("suite/tiny", SUITE)
    return made


@pytest.fixture(scope="session")
def _finished(tmp_path_factory: pytest.TempPathFactory, _cache: Path) -> Path:
    """Results of the task ``small``."""
    from cli_kit import SUITE, Bench

    made = Bench(folder=tmp_path_factory.mktemp("finished"))
    made.preset("suite/tiny", SUITE)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLOPSIM_CACHE", str(_cache))
        ended = made("--no-report", "tasks=small")
    assert ended.code == 0, ended.err
    return made.results


@pytest.fixture
def done(bench, _finished: Path):
    """A bench with results: whatever comes, they stay as they are."""
    shutil.copytree(_finished, bench.results)
    return bench
