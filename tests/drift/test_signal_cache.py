"""Drift-free signals on disk: what is read back is what was drawn, and damage is noticed."""

from __future__ import annotations

import os
import pickle
from pathlib import Path

import numpy as np
import pytest

from mlopsim.core.digest import canonical_json
from mlopsim.core.errors import CacheError
from mlopsim.core.spec import canonical
from mlopsim.drift import signal_cache
from mlopsim.drift.signal_cache import SignalCache, default_signal_cache, signals_key
from mlopsim.tracks.drift import fits
from mlopsim.world.cache import CacheWarning

SIGNALS = [
    np.array([0.0, 1.0, 1.0]),
    np.array([0, 1, 0, 1, 1, 0, 0, 1, 1], dtype=np.int64),
    np.array([-0.0, 1.0]),
    np.array([0.5, np.nan, np.inf], dtype=np.float32),
    np.arange(12.0).reshape(2, 3, 2),
    np.zeros((0, 2)),
    np.array([True, False]),
]


@pytest.fixture
def cache(tmp_path: Path) -> SignalCache:
    return SignalCache(tmp_path / "c", 10**6)


def test_what_is_read_is_what_was_stored_to_the_bit(cache: SignalCache) -> None:
    assert cache.load("0f") is None
    cache.store("0f", SIGNALS)
    again = cache.load("0f")
    assert again is not None
    assert [(a.dtype, a.shape, a.tobytes()) for a in again] == [
        (a.dtype, a.shape, a.tobytes()) for a in SIGNALS
    ]
    again[0][0] = 7.0  # as a drawn one may be written to


def test_a_damaged_file_is_said_and_not_believed(cache: SignalCache) -> None:
    cache.store("0f", SIGNALS)
    path = cache.path("0f")
    whole = path.read_bytes()
    changed = bytearray(whole)
    changed[-3] ^= 1
    for content in (whole[:-1], bytes(changed), b"", pickle.dumps(SIGNALS), b"MLOPSIMQ"):
        path.write_bytes(content)
        with pytest.warns(CacheWarning, match="is damaged"):
            assert cache.load("0f") is None
    # a sound file at another's place
    cache.store("1e", SIGNALS)
    cache.path("1e").replace(path)
    with pytest.warns(CacheWarning, match="holds the signals of 1e"):
        assert cache.load("0f") is None


def test_the_least_recently_used_go_beyond_the_cap(tmp_path: Path) -> None:
    one = [np.arange(1000.0)]
    cache = SignalCache(tmp_path, 20_000)
    for number, key in enumerate(("aa", "bb")):
        cache.store(key, one)
        os.utime(cache.path(key), (number, number))
    assert cache.load("aa") is not None
    cache.store("cc", one)
    assert cache.load("bb") is None and cache.load("aa") is not None and cache.size() < 20_000


def test_a_folder_that_cannot_be_written_names_the_remedy(tmp_path: Path) -> None:
    (tmp_path / "c").touch()
    with pytest.raises(CacheError, match="MLOPSIM_CACHE"):
        SignalCache(tmp_path / "c", 10).store("0f", SIGNALS)


def test_the_address_covers_law_split_number_and_code(monkeypatch: pytest.MonkeyPatch) -> None:
    law = {"channel": "errors", "root": 0}
    keys = {signals_key(law, "train", 5), signals_key(law, "validation", 5), signals_key(law, "train", 6)}
    keys.add(signals_key({**law, "root": 1}, "train", 5))
    monkeypatch.setattr(signal_cache, "_code", lambda: "other")
    keys.add(signals_key(law, "train", 5))
    assert len(keys) == 5


def test_the_next_process_reads_what_the_first_drew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLOPSIM_CACHE", str(tmp_path))
    stream = canonical("stream", {"synthetic": {"windows": 8, "rows": 20, "warmup": 4, "schedule": "none"}})
    law = {
        "signal": canonical("signal", "model"), "stream": stream, "learner": canonical("learner", "ridge"),
        "channel": "errors", "horizon": 60, "root": 0,
    }  # fmt: skip
    fits._quiet.cache_clear()
    drawn = [signal.copy() for signal in fits._quiet(canonical_json(law), "train", 4)]
    assert default_signal_cache().size() > 0
    fits._quiet.cache_clear()
    again = fits._quiet(canonical_json(law), "train", 4)
    monkeypatch.setattr(again, "_draw", lambda place: pytest.fail("it was drawn again"))
    assert [s.tobytes() for s in again] == [s.tobytes() for s in drawn]
    # independent ticks are drawn as fast as they are read, and windows of many features would fill the disk
    before = default_signal_cache().size()
    iid = {
        **law,
        "signal": canonical("signal", {"iid": {"ticks": 200, "change": 50}}),
        "stream": {},
        "learner": {},
    }
    assert len(list(fits._quiet(canonical_json({**iid, "channel": "errors"}), "train", 3))) == 3
    monkeypatch.setattr(fits, "LARGEST", 1)
    assert len(list(fits._quiet(canonical_json(law), "validation", 3))) == 3
    assert default_signal_cache().size() == before
    fits._quiet.cache_clear()
