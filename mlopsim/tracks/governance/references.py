"""Names of the methods that all others are measured against."""

from __future__ import annotations

#: never acts, suspends at once and for good, knows the scenario
NEVER, SUSPENDED, OPTIMUM = "never", "suspend_always", "optimum"
