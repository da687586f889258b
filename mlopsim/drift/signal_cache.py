"""Drift-free signals on disk: content-addressed, verified, size-capped.

To draw the signals of a law takes longer than to read them with a detector, and every detector that is
calibrated on the law reads the same ones. So they are kept beside the Worlds for the detectors of later runs.
A file holds all signals of one law, split and number; what is read back is equal to the bit.
"""

from __future__ import annotations

import hashlib
import json
import os
import warnings
import zlib
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from mlopsim.core.digest import canonical_json, digest, digest_file
from mlopsim.core.errors import CacheError, MlopsimError
from mlopsim.core.files import atomic_path, ensure_writable
from mlopsim.core.fingerprint import world_platform_digest
from mlopsim.world.cache import REMEDY, CacheWarning, default_cache, stored_files

#: of the layout of a file
FORMAT = 1
#: source files that a signal is drawn by
DRAWING = (
    *(f"{room}/**/*.py" for room in ("core", "stats", "numerics", "streams", "learners", "world")),
    *("drift/sources/*.py", "drift/scenario.py", "drift/signal.py"),
)
FOLDER, SUFFIX = "signals", ".signals"
#: bytes of the signals of a law, above which they are drawn again each time: windows of many features
LARGEST = 1 << 26
#: share of the cap of all caches that signals may take
SHARE = 8
MAGIC = b"MLOPSIMQ"


class SignalCache:
    """A folder of drift-free signals; several processes may use it at the same time.

    Parameters
    ----------
    folder : str or Path
        Where; made when the first signals are stored.
    max_bytes : int
        Above it the least recently used files are deleted.

    Examples
    --------
    >>> import tempfile
    >>> cache = SignalCache(tempfile.mkdtemp(), 10**6)
    >>> cache.store("0f", [np.array([0.0, 1.0, 1.0]), np.zeros(2)])
    >>> cache.load("0f"), cache.load("1e")
    ([array([0., 1., 1.]), array([0., 0.])], None)
    """

    def __init__(self, folder: str | Path, max_bytes: int) -> None:
        self.folder = Path(folder).expanduser()
        self.max_bytes = max_bytes

    def path(self, key: str) -> Path:
        """Return where the signals of a key and this platform are or would be."""
        return self.folder / key[:2] / f"{key}-{world_platform_digest()[:8]}{SUFFIX}"

    def load(self, key: str) -> list[np.ndarray] | None:
        """Return stored signals, or None.

        Raises
        ------
        CacheError
            If they cannot be read.

        Warns
        -----
        CacheWarning
            If the file is damaged; then they are drawn again, and replaced.
        """
        path = self.path(key)
        try:
            content = path.read_bytes()
            found = _unpacked(content, key)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise CacheError(f"cannot read the cache of signals: {error}", remedy=REMEDY) from error
        except (ValueError, KeyError, TypeError, zlib.error) as error:
            # what passes its checksum but does not parse was written by something else
            warnings.warn(f"{path} is damaged: {error}; it is made again", CacheWarning, stacklevel=2)
            return None
        try:
            os.utime(path)
        except (FileNotFoundError, PermissionError):
            # evicted by another process meanwhile, or somebody else's cache: its order of use is theirs
            pass
        return found

    def store(self, key: str, signals: Sequence[np.ndarray]) -> None:
        """Store signals, and delete what is beyond the cap.

        Raises
        ------
        CacheError
            If they cannot be stored.
        """
        path = self.path(key)
        try:
            ensure_writable(path.parent)
            with atomic_path(path) as temporary:
                temporary.write_bytes(_packed(signals, key))
        except MlopsimError as error:
            raise CacheError(f"the cache of signals: {error.message}", remedy=REMEDY) from error
        except OSError as error:
            raise CacheError(f"cannot store signals: {error}", remedy=REMEDY) from error
        self._evict()

    def size(self) -> int:
        """Return the bytes that are stored."""
        return sum(size for _, _, size in stored_files(self.folder, SUFFIX))

    def _evict(self) -> None:
        found = stored_files(self.folder, SUFFIX)
        total = sum(size for _, _, size in found)
        for _, path, size in sorted(found):
            if total <= self.max_bytes:
                break
            path.unlink(missing_ok=True)
            total -= size


def default_signal_cache() -> SignalCache:
    """Return the cache of this user: a folder in that of the Worlds, an eighth of whose cap it may take."""
    worlds = default_cache()
    return SignalCache(worlds.folder / FOLDER, worlds.max_bytes // SHARE)


def signals_key(law: Mapping[str, Any], split: str, count: int) -> str:
    """Return the content address of the signals of a law: of all that their numbers depend on, code included.

    Parameters
    ----------
    law : mapping
        Parts of signal, stream and learner with their versions, channel, horizon, root.
    split : str
        Of the seeds.
    count : int
        How many there are.

    Examples
    --------
    >>> signals_key({"root": 0}, "train", 5) == signals_key({"root": 1}, "train", 5)
    False
    """
    return digest({"format": FORMAT, "code": _code(), "law": dict(law), "split": split, "count": count})


@cache
def _code() -> str:
    """Return the digest of the source files that draw signals: if one changes, they are drawn anew."""
    package = Path(__file__).resolve().parents[1]
    state = hashlib.blake2b(digest_size=12)
    for path in sorted(path for pattern in DRAWING for path in package.glob(pattern)):
        state.update(path.relative_to(package).as_posix().encode())
        state.update(digest_file(path).encode())
    return state.hexdigest()


def _packed(signals: Sequence[np.ndarray], key: str) -> bytes:
    """Return magic, checksum of what follows, length of a JSON header, header, arrays one after the other."""
    table: list[dict[str, Any]] = []
    parts: list[bytes] = []
    for signal in signals:
        array = np.ascontiguousarray(signal)
        # of errors one bit a tick: a minus nought is no nought
        bits = np.packbits(array == 1) if _is_binary(array) else None
        data = array.tobytes() if bits is None else bits.tobytes()
        table.append(
            {"dtype": array.dtype.str, "shape": array.shape, "bits": bits is not None, "bytes": len(data)}
        )
        parts.append(data)
    header = canonical_json({"key": key, "signals": table}).encode()
    body = len(header).to_bytes(4, "little") + header + b"".join(parts)
    return MAGIC + zlib.crc32(body).to_bytes(4, "little") + body


def _is_binary(array: np.ndarray) -> bool:
    if array.dtype.kind not in "fiu":
        return False
    return bool(((array == 0) | (array == 1)).all() and not np.signbit(array).any())


def _unpacked(content: bytes, key: str) -> list[np.ndarray]:
    """Return the signals of a file; raises ValueError unless it is whole and of this key."""
    body = content[len(MAGIC) + 4 :]
    if content[: len(MAGIC)] != MAGIC or zlib.crc32(body) != int.from_bytes(content[8:12], "little"):
        raise ValueError(f"its checksum does not fit its {len(content)} bytes")
    start = 4 + int.from_bytes(body[:4], "little")
    header = json.loads(body[4:start])
    if header["key"] != key:
        raise ValueError(f"it holds the signals of {header['key']}")
    found = []
    for entry in header["signals"]:
        dtype, shape = np.dtype(str(entry["dtype"])), tuple(entry["shape"])
        data = body[start : start + entry["bytes"]]
        start += entry["bytes"]
        if entry["bits"]:
            count = int(np.prod(shape))
            array = np.unpackbits(np.frombuffer(data, dtype=np.uint8), count=count).astype(dtype)
        else:
            array = np.frombuffer(data, dtype=dtype).copy()
        found.append(array.reshape(shape))
    return found
