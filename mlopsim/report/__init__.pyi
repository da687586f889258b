from .build import write_report
from .page import render

__all__ = [
    "render",
    "write_report",
]
