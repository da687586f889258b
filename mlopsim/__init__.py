"""mlopsim: simulation and benchmarks for AI-powered MLOps.

>>> import mlopsim
>>> mlopsim.make("selector", "periodic", every=5).every
5
"""

from __future__ import annotations

from mlopsim.core.registry import register
from mlopsim.core.spec import make

__version__ = "0.1.0"
__all__ = ["__version__", "make", "register"]
