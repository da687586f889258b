"""Where scripts of version 0.1 import ``prepare`` from; it is in :mod:`mlopsim.fairness.dataset_audit`."""

from __future__ import annotations

from mlopsim.fairness.dataset_audit import prepare

__all__ = ["prepare"]
