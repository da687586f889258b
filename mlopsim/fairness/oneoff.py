"""Where scripts of version 0.1 import ``prepare`` from; it is in :mod:`mlopsim.fairness.dataset_audit`.

Equal rows were other people to these scripts, and still are: whether they are copies was not asked then.
"""

from __future__ import annotations

import functools

from mlopsim.fairness import dataset_audit
from mlopsim.fairness.copied_rows import Copies

prepare = functools.partial(dataset_audit.prepare, copies=Copies.ANYWHERE)

__all__ = ["prepare"]
