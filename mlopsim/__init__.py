"""mlopsim: simulation and benchmarks for AI-powered MLOps.

Importing it registers the Gymnasium environments ``mlopsim/Delivery-v1`` and ``mlopsim/ClosedLoop-v0``; all
else is imported on first use.
The public names stand in ``__init__.pyi``, here and in the rooms.

>>> import mlopsim
>>> mlopsim.make("selector", "periodic", every=5).every
5
>>> mlopsim.drift.ADWIN(delta=0.01).delta
0.01
>>> mlopsim.load_suite("quick", seeds=2, methods=["never", "ks"]).title
'quick-v... (modified)'
"""

from __future__ import annotations

import lazy_loader as lazy

from mlopsim.delivery.registration import register_envs
from mlopsim.governance.registration import register_closed_loop

__version__ = "0.2.0.dev0"
__getattr__, __dir__, __all__ = lazy.attach_stub(__name__, __file__)

# importing gymnasium takes less time than numpy; the environments themselves are imported when they are made
register_envs()
register_closed_loop()
