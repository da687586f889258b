from .results import Results, open_results
from .study import RunOptions, Study, load_suite

__all__ = [
    "Results",
    "RunOptions",
    "Study",
    "load_suite",
    "open_results",
]
