"""What was made of a pool of Worlds, kept as long as the pool."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar
from weakref import WeakKeyDictionary

from mlopsim.core.digest import canonical_json

if TYPE_CHECKING:
    from mlopsim.delivery.pool import WorldPool

R = TypeVar("R")

_made: WeakKeyDictionary[WorldPool, dict[str, Any]] = WeakKeyDictionary()


def once(pool: WorldPool, key: Any, make: Callable[[], R]) -> R:
    """Return what ``make`` gives for a pool; it is asked once for each key.

    Parameters
    ----------
    pool : WorldPool
    key : object
        JSON-like: what it depends on beside the pool.
    make : callable
    """
    known = _made.setdefault(pool, {})
    name = canonical_json(key)
    if name not in known:
        known[name] = make()
    found: R = known[name]
    return found
