"""The disk cache: round trip, damage, concurrency, eviction."""

from __future__ import annotations

import gc
import os
import time
import warnings
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pytest
from _world_fixtures import LastTwo, make_stream

from mlopsim.core.errors import CacheError, ConfigError
from mlopsim.world import storage
from mlopsim.world.build import build_from_stream, build_world
from mlopsim.world.cache import CacheWarning, WorldCache, default_cache, open_world, open_worlds
from mlopsim.world.spec import WorldSpec
from mlopsim.world.storage import read_world, write_world

STREAM = {"synthetic": {"windows": 14, "rows": 25, "warmup": 3}}


def spec_of(index: int = 0, **changes: object) -> WorldSpec:
    return WorldSpec.of(STREAM, "ridge", {"last": {"windows": 3}}, index=index, **changes)


def same(a, b) -> None:
    assert a.digest() == b.digest()
    assert a.spec.key == b.spec.key
    for name in ("warmup", "classes", "features", "groups"):
        assert getattr(a, name) == getattr(b, name)
    assert repr(a.events) == repr(b.events)


def open_in_worker(folder: str, index: int) -> str:
    return WorldCache(folder).open(spec_of(index)).digest()


def test_round_trip(tmp_path: Path) -> None:
    cache = WorldCache(tmp_path / "new" / "cache")
    spec = spec_of()
    assert spec not in cache and cache.size() == 0
    world = cache.open(spec)
    same(world, build_world(spec))
    assert cache.open(spec) is world
    assert spec in cache and cache.size() == cache.path(spec).stat().st_size and cache.check() == []
    digest = world.digest()
    del world
    gc.collect()
    again = cache.open(spec)
    assert again.digest() == digest
    with pytest.raises(ValueError, match="read-only"):
        again.counts[0] = 1
    # the refit from the stored World equals what was counted
    answers = again.model(8).predict(again.encoded())
    right = np.unpackbits(again.bits[8])[: len(again.y)].astype(bool)
    np.testing.assert_array_equal(answers == again.y, right)
    np.testing.assert_array_equal(again.stream().y, again.y)
    again.forget()
    np.testing.assert_array_equal(again.stream().y, again.y)


def test_keys() -> None:
    spec = spec_of()
    keys = {
        spec.key,
        spec_of(1).key,
        spec_of(split="train").key,
        spec_of(root=1).key,
        WorldSpec.of(STREAM, "lda", {"last": {"windows": 3}}).key,
        WorldSpec.of(STREAM, "ridge", "last").key,
        WorldSpec.of(
            {"synthetic": {"windows": 15, "rows": 25, "warmup": 3}}, "ridge", {"last": {"windows": 3}}
        ).key,
    }
    assert len(keys) == 7
    twin = WorldSpec.from_dict(spec.as_dict())
    assert twin == spec and hash(twin) == hash(spec) and twin.key == spec.key
    assert spec.at(1) == spec_of(1) and spec.at(2, split="train") == spec_of(2, split="train")
    assert spec.scenario_seed.spawn_key == (1, 3, 0) and spec.learner_seed(5).spawn_key == (2, 3, 0, 5)
    with pytest.raises(ConfigError, match="unknown split"):
        spec_of(split="tset")
    with pytest.raises(ConfigError, match="index"):
        spec_of(-1)
    with pytest.raises(ConfigError, match="canonical part of a learner"):
        WorldSpec(stream=spec.stream, learner=spec.training, training=spec.training)


def damage_truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-100])


def damage_empty(path: Path) -> None:
    path.write_bytes(b"")


def damage_flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 4
    path.write_bytes(bytes(content))


def damage_length(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[12] ^= 1
    path.write_bytes(bytes(content))


def damage_foreign(path: Path) -> None:
    path.write_text("hello, I am not a World")


def damage_other(path: Path) -> None:
    write_world(build_world(spec_of(9)), path)


@pytest.mark.parametrize(
    "damage", [damage_truncate, damage_empty, damage_flip, damage_length, damage_foreign, damage_other]
)
def test_damage_is_found_said_and_mended(tmp_path: Path, damage) -> None:
    cache = WorldCache(tmp_path)
    spec = spec_of()
    expected = cache.open(spec).digest()
    gc.collect()
    damage(cache.path(spec))
    if damage is not damage_other:  # whole in itself, only at the wrong address
        assert len(cache.check()) == 1
    with pytest.warns(CacheWarning, match="built again") as caught:
        assert cache.open(spec).digest() == expected
    assert len(caught) == 1
    gc.collect()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert cache.open(spec).digest() == expected


def test_damage_while_open_is_noticed(tmp_path: Path) -> None:
    cache = WorldCache(tmp_path)
    world = cache.open(spec_of())
    expected = build_world(spec_of()).digest()
    time.sleep(0.02)
    content = bytearray(cache.path(spec_of()).read_bytes())
    content[-200] ^= 255
    cache.path(spec_of()).unlink()
    cache.path(spec_of()).write_bytes(bytes(content))
    with pytest.warns(CacheWarning):
        assert cache.open(spec_of()).digest() == expected
    assert world.digest() == expected


def test_several_processes_build_the_same(tmp_path: Path) -> None:
    indices = [0, 0, 1, 1, 0, 1]
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        digests = list(pool.map(open_in_worker, [str(tmp_path)] * len(indices), indices))
    expected = {index: build_world(spec_of(index)).digest() for index in (0, 1)}
    assert digests == [expected[index] for index in indices]
    assert len(WorldCache(tmp_path).entries()) == 2
    assert len(list(tmp_path.rglob("*.world"))) == 2


def test_open_worlds_keeps_order_and_repeats(tmp_path: Path) -> None:
    specs = [spec_of(i) for i in (0, 1, 2, 1)]
    seen: list[tuple[int, int]] = []
    cache = WorldCache(tmp_path)
    cache.open(specs[2])
    worlds = open_worlds(specs, cache, lambda done, total: seen.append((done, total)))
    assert seen == [(1, 4), (2, 4), (3, 4), (4, 4)]
    assert worlds[1] is worlds[3] and len(cache.entries()) == 3
    for spec, world in zip(specs, worlds, strict=True):
        same(world, build_world(spec))


def test_least_recently_used_goes_first_and_open_ones_stay(tmp_path: Path) -> None:
    cache = WorldCache(tmp_path)
    size = cache.open(spec_of(0)).spec and cache.size()
    small = WorldCache(tmp_path, max_bytes=int(2.5 * size))
    kept = small.open(spec_of(0))
    for index in (1, 2):
        small.open(spec_of(index))
        gc.collect()
        time.sleep(0.01)
    # 0 is open, 1 was used before 2
    assert spec_of(0) in small and spec_of(1) not in small and spec_of(2) in small
    small.open(spec_of(2))
    small.open(spec_of(3))
    assert [spec_of(i) in small for i in range(4)] == [True, False, False, True]
    del kept
    gc.collect()
    assert WorldCache(tmp_path, max_bytes=0).evict() == 0
    assert small.entries() == []


@pytest.mark.parametrize("in_use", [0.0, 0.97, 1.5])
@pytest.mark.parametrize("anew", [False, True])
def test_at_the_cap_the_folder_is_seldom_looked_through(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, in_use: float, anew: bool
) -> None:
    """Storing n Worlds looks at a multiple of n files, whatever is open and whoever holds the cache."""
    cap, count, size = 100, 400, 10
    looked = 0
    stored: list[Path] = []

    def scan(self: WorldCache) -> list[tuple[int, Path, int]]:
        nonlocal looked
        found = [(place, path, size) for place, path in enumerate(stored) if path.is_file()]
        looked += len(found)
        return found

    monkeypatch.setattr(WorldCache, "_scan", scan)
    monkeypatch.setattr("mlopsim.world.cache._open", opened := {})
    cache = WorldCache(tmp_path, max_bytes=cap * size)
    left = []
    for i in range(count):
        path = tmp_path / f"{i}.world"
        path.touch()
        stored.append(path)
        if i < in_use * cap:
            opened[str(path.absolute())] = None
        (WorldCache(tmp_path, max_bytes=cap * size) if anew else cache)._grow(size)
        left.append(sum(one.is_file() for one in stored))
    assert looked <= 15 * count
    assert all(path.is_file() for path in stored[: int(in_use * cap)])
    assert stored[-1].is_file()
    # a tenth more at most than what fits or is in use, and a tenth below the cap at least
    most = max(cap, in_use * cap)
    assert max(left) <= 1.1 * most + 1 and min(left[cap:]) >= 0.85 * cap


def test_leftovers_of_killed_processes_go(tmp_path: Path) -> None:
    cache = WorldCache(tmp_path)
    cache.open(spec_of())
    folder = cache.path(spec_of()).parent
    old, new = folder / ".a.world.1.world", folder / ".b.world.2.world"
    for path in (old, new):
        path.write_bytes(b"half")
    os.utime(old, (0, 0))
    assert len(cache.entries()) == 1 and cache.check() == []
    cache.size()
    assert not old.exists() and new.exists()


def test_beyond_the_descriptor_budget_arrays_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.world"
    world = build_world(spec_of())
    write_world(world, path)
    before = len(storage._maps)
    same(read_world(path), world)
    monkeypatch.setattr(storage, "_map_limit", lambda: 0)
    same(read_world(path, world.spec), world)
    gc.collect()
    assert len(storage._maps) == before


def test_errors_name_the_remedy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(CacheError, match="MLOPSIM_CACHE"):
        WorldCache(tmp_path / "file").open(spec_of())
    with pytest.raises(CacheError, match="without an address"):
        write_world(build_from_stream(make_stream(), "ridge", LastTwo()), tmp_path / "x.world")
    with pytest.raises(ConfigError, match="size cap"):
        WorldCache(tmp_path, max_bytes=-1)
    monkeypatch.setenv("MLOPSIM_CACHE_GB", "lots")
    with pytest.raises(ConfigError, match="MLOPSIM_CACHE_GB"):
        default_cache()


def test_default_cache_reads_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLOPSIM_CACHE", str(tmp_path / "here"))
    monkeypatch.setenv("MLOPSIM_CACHE_GB", "0.5")
    cache = default_cache()
    assert cache.folder == tmp_path / "here" and cache.max_bytes == 500_000_000
    same(open_world(spec_of()), build_world(spec_of()))
    assert spec_of() in cache
    monkeypatch.delenv("MLOPSIM_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert default_cache().folder == tmp_path / "xdg" / "mlopsim"


def test_a_change_in_place_is_noticed_although_size_and_times_were_put_back(tmp_path: Path) -> None:
    cache = WorldCache(tmp_path)
    world = cache.open(spec_of())
    right = world.digest()
    path = cache.path(spec_of())
    before = path.stat()
    with path.open("r+b") as handle:
        handle.seek(-3, os.SEEK_END)
        byte = handle.read(1)
        handle.seek(-1, os.SEEK_CUR)
        handle.write(bytes([byte[0] ^ 1]))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    with pytest.warns(CacheWarning, match="damaged"):
        again = cache.open(spec_of())
    assert again.digest() == right
