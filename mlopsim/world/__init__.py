"""Everything that does not depend on decisions: building, caching, reading.

>>> from mlopsim.world.spec import WorldSpec
>>> from mlopsim.world.cache import open_world, open_worlds
"""
