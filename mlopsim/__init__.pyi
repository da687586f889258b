from . import (
    checks,
    compose,
    delivery,
    drift,
    explain,
    fairness,
    learners,
    plots,
    quality,
    report,
    stats,
    streams,
    world,
)
from .compose.results import open_results
from .compose.study import Study, load_suite
from .core.errors import ConfigError, DataError, MlopsimError
from .core.registry import find, names, register
from .core.section import Results, SectionMaker, Unavailable
from .core.spec import make, part
from .core.threads import one_thread
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
    "Study",
    "Task",
    "Track",
    "Unavailable",
    "__version__",
    "checks",
    "compose",
    "delivery",
    "drift",
    "explain",
    "fairness",
    "find",
    "learners",
    "load_suite",
    "make",
    "names",
    "one_thread",
    "open_results",
    "part",
    "plots",
    "quality",
    "register",
    "report",
    "stats",
    "streams",
    "world",
]
