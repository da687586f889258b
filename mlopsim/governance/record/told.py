"""What a record tells by itself: a deployment is rebuilt from its records alone, without any replay."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from mlopsim.core.errors import DataError
from mlopsim.governance.record.log import Record, pruned, strict_json, unknown_window


@dataclass(frozen=True, kw_only=True)
class Told:
    """What happened, as the lines of the decisions tell it; window t is entry t - first.

    Parameters
    ----------
    first : int
        The first window on record: that of the first decision, in which nothing served yet.
    served, since, candidate : ndarray of int64, shape (windows,)
        Version that served each window, first window in which it has served since, canary beside it;
        -1: none, -2: the fallback.
    action : ndarray of int64, shape (windows,)
        What was asked for at the end of each window; -1 where the deployment had ended.
    approved_by : dict of int to str
        Who approved, by version, where somebody did.
    """

    first: int
    served: np.ndarray
    since: np.ndarray
    candidate: np.ndarray
    action: np.ndarray
    approved_by: dict[int, str]

    def at(self, window: int) -> tuple[int, int]:
        """Return what served a window, and since when.

        Raises
        ------
        ConfigError
            If the record does not hold the window.
        """
        held = list(range(self.first, self.first + len(self.served)))
        if window not in held:
            raise unknown_window(window, list[int | None](held))
        return int(self.served[window - self.first]), int(self.since[window - self.first])


def tell(record: Record) -> Told:
    """Rebuild a deployment from its record.

    Parameters
    ----------
    record : Record
        Verified before: nothing is checked here. Payloads must be there from its first window on.

    Raises
    ------
    DataError
        If payloads are missing.
    """
    closing: list[dict[str, Any]] = []
    approved: dict[int, str] = {}
    for line in record.decisions:
        if pruned(line) is not None:
            raise DataError(
                "payloads of the record are missing: it tells a part of the deployment",
                remedy="derive it anew in another folder: mlopsim audit-log write",
            )
        value = strict_json(line)
        content = value["content"]
        if value["kind"] == "window":
            closing.append(value)
        elif value["kind"] == "arrival" and content["approved_by"] is not None:
            approved[content["version"]] = content["approved_by"]
    if not closing:
        raise DataError("the record tells of no window", remedy="see mlopsim audit-log verify")
    return Told(
        first=closing[0]["window"],
        served=_numbers([value["served"] for value in closing]),
        since=_numbers([value["since"] for value in closing]),
        candidate=_numbers([value["content"]["candidate"] for value in closing]),
        action=_numbers([value["content"]["action"] for value in closing]),
        approved_by=approved,
    )


def _numbers(values: list[int | None]) -> np.ndarray:
    return np.array([-1 if value is None else value for value in values], dtype=np.int64)
