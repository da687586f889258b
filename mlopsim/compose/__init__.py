"""From presets, overrides (Hydra) or plain Python to a study, and from its folder to results."""

import lazy_loader as lazy

__getattr__, __dir__, __all__ = lazy.attach_stub(__name__, __file__)
