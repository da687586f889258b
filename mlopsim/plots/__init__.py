"""Figures from tables, with no knowledge of tracks.

One file a figure; what is public are these files, e.g. ``mlopsim.plots.curves.curves``.
"""

import lazy_loader as lazy

__getattr__, __dir__, __all__ = lazy.attach_stub(__name__, __file__)
