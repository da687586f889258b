"""The closed loop and its guards: what serves is constrained, monitored, decided about and recorded."""

import lazy_loader as lazy

__getattr__, __dir__, __all__ = lazy.attach_stub(__name__, __file__)
