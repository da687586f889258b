"""Everything that does not depend on decisions: building, caching, reading.

>>> from mlopsim.world.spec import WorldSpec
>>> from mlopsim.world.cache import open_world, open_worlds
"""

import lazy_loader as lazy

__getattr__, __dir__, __all__ = lazy.attach_stub(__name__, __file__)
