from . import checks, delivery, drift, explain, fairness, learners, quality, report, stats, streams, world
from .core.errors import ConfigError, DataError, MlopsimError
from .core.registry import find, names, register
from .core.section import Results, SectionMaker, Unavailable
from .core.spec import make, part
from .core.track import Cell, FitJob, FitResult, Method, Metric, Outcome, Section, Task, Track

__version__: str

__all__ = [
    "Cell",
    "ConfigError",
    "DataError",
    "FitJob",
    "FitResult",
    "Method",
    "Metric",
    "MlopsimError",
    "Outcome",
    "Results",
    "Section",
    "SectionMaker",
    "Task",
    "Track",
    "Unavailable",
    "__version__",
    "checks",
    "delivery",
    "drift",
    "explain",
    "fairness",
    "find",
    "learners",
    "make",
    "names",
    "part",
    "quality",
    "register",
    "report",
    "stats",
    "streams",
    "world",
]
