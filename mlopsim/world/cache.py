"""Worlds on disk: content-addressed, verified, size-capped."""

from __future__ import annotations

import os
import time
import warnings
import weakref
from collections.abc import Callable, Sequence
from pathlib import Path

from mlopsim.core.errors import CacheError, ConfigError, MlopsimError
from mlopsim.core.files import ensure_writable
from mlopsim.core.fingerprint import world_platform_digest
from mlopsim.world.build import build_world
from mlopsim.world.spec import WorldSpec
from mlopsim.world.storage import read_world, write_world
from mlopsim.world.world import World

SUFFIX = ".world"
DEFAULT_GB = 8.0
#: temporary files older than this belong to a process that was killed
STALE_SECONDS = 24 * 3600.0
#: to look a folder through takes as long as it has Worlds. So at the cap a tenth of them goes or, where
#: too much is in use for that, the next look waits until a tenth more was stored: storing n takes n steps.
SPARE = 10
REMEDY = "set MLOPSIM_CACHE to a folder with room that can be written to"

#: What is open in this process, and the state of the file when it was verified. A file is verified whole
#: (its checksum covers every byte) when it is opened, and again whenever its state differs: inode, size,
#: time of change of content and of anything. The last cannot be set by a program, so a file that was changed
#: in place is noticed although its size and modification time were put back; a look costs microseconds.
_open: weakref.WeakValueDictionary[str, World] = weakref.WeakValueDictionary()
_stamps: dict[str, tuple[int, int, int, int]] = {}
#: of each folder and cap: its bytes as far as this process knows, and the bytes beyond which it looks again
_folders: dict[tuple[str, int], tuple[int, int]] = {}


class CacheWarning(UserWarning):
    """A stored World was damaged and has been built again."""


def stored_files(folder: Path, suffix: str) -> list[tuple[int, Path, int]]:
    """Return time of last use, path and size of every file that a cache stored; removes what was left.

    Parameters
    ----------
    folder : Path
        Of the cache: its files are one folder below.
    suffix : str
        Of its files. Temporary ones, which begin with a dot, are removed once they are stale: a process that
        was killed left them.

    Examples
    --------
    >>> import tempfile
    >>> stored_files(Path(tempfile.mkdtemp()), SUFFIX)
    []
    """
    found = []
    for path in folder.glob(f"??/*{suffix}"):
        try:
            state = path.stat()
        except FileNotFoundError:
            continue
        if path.name.startswith("."):
            if time.time() - state.st_mtime > STALE_SECONDS:
                path.unlink(missing_ok=True)
            continue
        found.append((state.st_mtime_ns, path, state.st_size))
    return found


class WorldCache:
    """A folder of Worlds; several processes may use it at the same time.

    Parameters
    ----------
    folder : str or Path
        Where; made when the first World is stored.
    max_bytes : int, default 8 GB
        Above it the least recently used Worlds are deleted, except those that are open in this process: the
        cap can therefore be exceeded by what is in use, and by a tenth of that until the folder is looked
        through again.

    Raises
    ------
    ConfigError
        If the cap is negative.

    Examples
    --------
    >>> import tempfile
    >>> cache = WorldCache(tempfile.mkdtemp())
    >>> cache.size(), cache.check()
    (0, [])
    """

    def __init__(self, folder: str | Path, max_bytes: int = int(DEFAULT_GB * 1e9)) -> None:
        if max_bytes < 0:
            raise ConfigError(f"the size cap of the World cache must be >= 0, got {max_bytes}")
        self.folder = Path(folder).expanduser()
        self.max_bytes = max_bytes

    def __repr__(self) -> str:
        return f"WorldCache({str(self.folder)!r}, max_bytes={self.max_bytes})"

    def path(self, spec: WorldSpec) -> Path:
        """Return where the World of this spec and platform is or would be."""
        return self.folder / spec.key[:2] / f"{spec.key}-{world_platform_digest()[:8]}{SUFFIX}"

    def __contains__(self, spec: WorldSpec) -> bool:
        return self.path(spec).is_file()

    def open(self, spec: WorldSpec) -> World:
        """Load a World, or build and store it.

        Parameters
        ----------
        spec : WorldSpec
            Its address.

        Returns
        -------
        World
            Memory-mapped and verified; the same object as long as one is in use.

        Raises
        ------
        CacheError
            If it cannot be read or stored.
        MlopsimError
            If it cannot be built.

        Warns
        -----
        CacheWarning
            If the stored file was damaged; it is built again and replaced.
        """
        path = self.path(spec)
        name = str(path.absolute())
        try:
            world = _open.get(name)
            if world is None or _stamps.get(name) != _stamp(path):
                world = read_world(path, spec)
        except FileNotFoundError:
            return self._build(spec, path)
        except OSError as error:
            raise CacheError(f"cannot read the World cache: {error}", remedy=REMEDY) from error
        except (CacheError, ValueError, KeyError, TypeError) as error:
            # a header that passes its checksum but does not parse was written by something else
            message = error.message if isinstance(error, MlopsimError) else f"{path}: {error!r}"
            warnings.warn(f"{message}; it is built again", CacheWarning, stacklevel=2)
            return self._build(spec, path)
        self._remember(path, world)
        return world

    def _build(self, spec: WorldSpec, path: Path) -> World:
        try:
            ensure_writable(path.parent)  # before the work starts
        except MlopsimError as error:
            raise CacheError(f"the World cache: {error.message}", remedy=REMEDY) from error
        world = build_world(spec)
        try:
            size = write_world(world, path)
        except OSError as error:
            raise CacheError(f"cannot store a World: {error}", remedy=REMEDY) from error
        try:
            world = read_world(path, spec)
        except FileNotFoundError:
            # another process with a tighter cap was quicker; what was built is as good
            return world
        self._remember(path, world)
        self._grow(size)
        return world

    def _remember(self, path: Path, world: World) -> None:
        """Note the use (the order of eviction) and what the verified file looked like."""
        name = str(path.absolute())
        try:
            os.utime(path)
            _stamps[name] = _stamp(path)
        except FileNotFoundError:  # evicted by another process meanwhile; the map stays valid
            _stamps.pop(name, None)
        except PermissionError:  # somebody else's cache: readable, its order of use is theirs
            _stamps[name] = _stamp(path)
        _open[name] = world

    def entries(self) -> list[Path]:
        """Return the stored files, sorted."""
        return sorted(self.folder.glob(f"??/[!.]*{SUFFIX}"))

    def size(self) -> int:
        """Return the bytes that are stored."""
        return sum(size for _, _, size in self._scan())

    def check(self) -> list[str]:
        """Verify every stored World and return one message per damaged file."""
        problems = []
        for path in self.entries():
            try:
                read_world(path)
            except FileNotFoundError:
                continue
            except (CacheError, ValueError, KeyError, TypeError) as error:
                problems.append(error.message if isinstance(error, MlopsimError) else f"{path}: {error!r}")
        return problems

    def evict(self, max_bytes: int | None = None) -> int:
        """Delete the least recently used Worlds until at most ``max_bytes`` are left; returns the bytes left.

        What is open in this process stays.
        """
        return self._evict(self.max_bytes if max_bytes is None else max_bytes, spare=False)[0]

    def _evict(self, limit: int, spare: bool) -> tuple[int, bool]:
        """Delete down to the limit; with ``spare``, if anything has to go, a tenth of the Worlds at least.

        Returns the bytes left, and whether all that should go could go.
        """
        found = self._scan()
        total = sum(size for _, _, size in found)
        least = len(found) // SPARE if spare and total > limit else 0
        for _, path, size in sorted(found):
            if total <= limit and least <= 0:
                break
            if str(path.absolute()) in _open:
                continue
            path.unlink(missing_ok=True)
            total -= size
            least -= 1
        return total, total <= limit and least <= 0

    def _grow(self, size: int) -> None:
        """Count what was stored; look at the folder only when the cap may be reached."""
        name = str(self.folder.absolute()), self.max_bytes
        known, enough = _folders.get(name, (0, -1))
        known += size
        if known > enough:
            known, done = self._evict(self.max_bytes, spare=True)
            enough = self.max_bytes if done else max(self.max_bytes, known + known // SPARE)
        _folders[name] = known, enough

    def _scan(self) -> list[tuple[int, Path, int]]:
        return stored_files(self.folder, SUFFIX)


def _stamp(path: Path) -> tuple[int, int, int, int]:
    state = path.stat()
    return state.st_ino, state.st_size, state.st_mtime_ns, state.st_ctime_ns


def default_cache() -> WorldCache:
    """Return the cache of this user.

    Environment: ``MLOPSIM_CACHE`` (the folder; otherwise ``mlopsim`` in ``$XDG_CACHE_HOME`` or
    ``~/.cache``) and ``MLOPSIM_CACHE_GB`` (the size cap in 1e9 bytes, default 8).

    Raises
    ------
    ConfigError
        If ``MLOPSIM_CACHE_GB`` is no number >= 0.
    """
    folder = os.environ.get("MLOPSIM_CACHE")
    if not folder:
        folder = str(Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache") / "mlopsim")
    text = os.environ.get("MLOPSIM_CACHE_GB", str(DEFAULT_GB))
    try:
        size = int(float(text) * 1e9)
    except (ValueError, OverflowError):
        size = -1
    if size < 0:
        raise ConfigError(f"MLOPSIM_CACHE_GB must be a number >= 0, got {text!r}")
    return WorldCache(folder, size)


def open_world(spec: WorldSpec, cache: WorldCache | None = None) -> World:
    """Load or build one World (from the user's cache unless another is given)."""
    return (default_cache() if cache is None else cache).open(spec)


def open_worlds(
    specs: Sequence[WorldSpec],
    cache: WorldCache | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> list[World]:
    """Load or build many Worlds.

    Parameters
    ----------
    specs : sequence of WorldSpec
        Their addresses; repeated ones are built once.
    cache : WorldCache, optional
        Default: the user's.
    progress : callable, optional
        Called with (done, total) after every World.

    Returns
    -------
    list of World
        In the order of the specs.
    """
    store = default_cache() if cache is None else cache
    worlds: list[World] = []
    for spec in specs:
        worlds.append(store.open(spec))
        if progress is not None:
            progress(len(worlds), len(specs))
    return worlds
