"""Run lengths of charts: as Markov chains, exactly, and the least delay that anybody can attain."""

import lazy_loader as lazy

__getattr__, __dir__, __all__ = lazy.attach_stub(__name__, __file__)
