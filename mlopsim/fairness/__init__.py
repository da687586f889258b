"""Audits of models for bias against groups, alone and in batteries, at matched false alarms.

Models have two classes; class 1 is the one that is wished for. Everything works on the rows of many windows
at once: a statistic a window.
"""

import lazy_loader as lazy

__getattr__, __dir__, __all__ = lazy.attach_stub(__name__, __file__)
