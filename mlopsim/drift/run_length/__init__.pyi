from .exact import RunLength, limit_for, make_chart, run_length
from .floor import (
    Reference,
    cusum_reference,
    delay_at,
    floor_delay,
    shiryaev_roberts_reference,
    steady_state_delay,
)
from .limits import exact_boundary

__all__ = [
    "Reference",
    "RunLength",
    "cusum_reference",
    "delay_at",
    "exact_boundary",
    "floor_delay",
    "limit_for",
    "make_chart",
    "run_length",
    "shiryaev_roberts_reference",
    "steady_state_delay",
]
