"""Controls of the drift track: detectors that stand in every table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeGuard

from mlopsim.core.registry import find
from mlopsim.core.spec import split_spec
from mlopsim.drift.control import Control
from mlopsim.drift.detector import Detector
from mlopsim.tracks.base import always_listed


def with_controls(entries: Sequence[Any]) -> list[Any]:
    """Return entries of methods and, after them, the controls that are not listed.

    Examples
    --------
    >>> with_controls(["ks", "always"])
    ['ks', 'always', 'never', 'periodic', 'random', 'clairvoyant']
    """
    names = [split_spec("detector", entry)[0].split("/")[-1] for entry in entries]
    controls = sorted(always_listed("detector"), key=_place)
    return [*entries, *(name for name in controls if name not in names)]


def _place(name: str) -> tuple[bool, bool, str]:
    """Return the key of its place: the lower end of the scale first, what knows the changes last."""
    cls = find("detector", name)
    return cls.knows_changes, cls.bound != "lower", name


def follows_rate(detector: Detector) -> TypeGuard[Control]:
    """Return whether the alarms of a control follow from the asked run length, without a calibration.

    Examples
    --------
    >>> from mlopsim.core.spec import make
    >>> follows_rate(make("detector", "periodic")), follows_rate(make("detector", "never"))
    (True, False)
    """
    return isinstance(detector, Control) and detector.by_rate


def is_upper(detector: Detector) -> bool:
    """Return whether a control is the upper end of the scale on which retrain triggers are scored.

    Examples
    --------
    >>> from mlopsim.core.spec import make
    >>> is_upper(make("detector", "clairvoyant")), is_upper(make("detector", "never"))
    (True, False)
    """
    return isinstance(detector, Control) and detector.bound == "upper"


def knows_changes(detector: Detector) -> bool:
    """Return whether it alarms at the true changes.

    Examples
    --------
    >>> from mlopsim.core.spec import make
    >>> knows_changes(make("detector", "clairvoyant")), knows_changes(make("detector", "never"))
    (True, False)
    """
    return isinstance(detector, Control) and detector.knows_changes
