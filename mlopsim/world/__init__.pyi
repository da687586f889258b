from .build import build_from_stream, build_world
from .cache import WorldCache, default_cache, open_world, open_worlds
from .spec import WorldSpec
from .storage import read_world, write_world
from .world import World

__all__ = [
    "World",
    "WorldCache",
    "WorldSpec",
    "build_from_stream",
    "build_world",
    "default_cache",
    "open_world",
    "open_worlds",
    "read_world",
    "write_world",
]
