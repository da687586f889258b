"""mlopsim: simulation and benchmarks for AI-powered MLOps.

Importing it registers the Gymnasium environment ``mlopsim/Delivery-v0``.

>>> import mlopsim
>>> mlopsim.make("selector", "periodic", every=5).every
5
"""

from __future__ import annotations

from mlopsim.core.registry import register
from mlopsim.core.spec import make
from mlopsim.delivery.registration import register_envs

__version__ = "0.2.0.dev0"
__all__ = ["__version__", "make", "register"]

# importing gymnasium takes less time than numpy; the environments themselves are imported when they are made
register_envs()
