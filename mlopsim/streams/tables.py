"""Where scripts of version 0.1 import ``table_of`` from; it is in :mod:`mlopsim.streams.files.tables`."""

from __future__ import annotations

from mlopsim.streams.files.tables import table_of

__all__ = ["table_of"]
