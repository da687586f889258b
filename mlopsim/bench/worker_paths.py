"""Paths for workers that stand in another folder than their coordinator."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from mlopsim.core.track import Cell, FitJob


def placed(value: Any) -> Any:
    """Return parts with absolute paths where a content stands for the path; keys leave such paths out.

    What needs no change is returned as it is.

    Examples
    --------
    >>> part = {"params": {"path": "a.csv"}, "content": {"blake2b": "0f", "replaces": ["path"]}}
    >>> Path(placed(part)["params"]["path"]).is_absolute()
    True
    >>> placed({"params": {"path": "a.csv"}})
    {'params': {'path': 'a.csv'}}
    """
    if isinstance(value, Mapping):
        result = {key: placed(item) for key, item in value.items()}
        content, params = value.get("content"), result.get("params")
        if isinstance(content, Mapping) and isinstance(params, Mapping) and "replaces" in content:
            params = dict(params)
            for name in content["replaces"]:
                if isinstance(params.get(name), str) and params[name]:
                    params[name] = str(Path(params[name]).expanduser().absolute())
            result["params"] = params
        return result if any(result[key] is not value[key] for key in value) else value
    if isinstance(value, list):
        items = [placed(item) for item in value]
        return items if any(new is not old for new, old in zip(items, value, strict=True)) else value
    return value


class Places:
    """Gives fits and cells absolute paths; a part that many cells share is looked at once.

    Keys leave the paths out (see :func:`mlopsim.core.digest.addressed`), so they stay as they are.
    """

    def __init__(self) -> None:
        self._kept: dict[int, tuple[Mapping[str, Any], Mapping[str, Any]]] = {}

    def _place(self, part: Mapping[str, Any]) -> Mapping[str, Any]:
        # the part is kept beside its copy, so that its id stays its own
        kept = self._kept.get(id(part))
        if kept is None:
            kept = self._kept[id(part)] = (part, placed(part))
        return kept[1]

    def fit(self, job: FitJob) -> FitJob:
        """Return the fit with absolute paths."""
        part = self._place(job.part)
        return job if part is job.part else replace(job, part=part)

    def cell(self, cell: Cell) -> Cell:
        """Return the cell with absolute paths."""
        task, method = self._place(cell.task.part), self._place(cell.method.part)
        if task is cell.task.part and method is cell.method.part:
            return cell
        return replace(cell, task=replace(cell.task, part=task), method=replace(cell.method, part=method))
