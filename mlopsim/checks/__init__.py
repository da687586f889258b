"""Contract checks: what every component must fulfil, ours and a third party's alike; one file a kind."""

import lazy_loader as lazy

__getattr__, __dir__, __all__ = lazy.attach_stub(__name__, __file__)
