"""Where scripts of version 0.1 import ``read_frame`` from; it is in :mod:`mlopsim.streams.files.readers`."""

from __future__ import annotations

from mlopsim.streams.files.readers import read_frame

__all__ = ["read_frame"]
