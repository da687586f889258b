"""Attributions of model outputs to features: exact where there is a closed form, sampled, and by LIME."""

import lazy_loader as lazy

__getattr__, __dir__, __all__ = lazy.attach_stub(__name__, __file__)
