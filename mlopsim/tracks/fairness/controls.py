"""Controls of the fairness track: what no audit, a blocked door and full knowledge of harm would give."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from mlopsim.core.track import Attribute
from mlopsim.learners.base import Model


@dataclass(frozen=True, kw_only=True)
class Control(ABC):
    """A method that is always in the table, to compare the others with.

    Attributes
    ----------
    name : str
        Its name, also in keys.
    reads, needs, known : str
        What it looks at, what somebody must have for it, and what it knows that nobody knows elsewhere.
    shows_truth : bool
        Whether its cells keep the violations of the audited models as curves.
    """

    name: ClassVar[str]
    reads: ClassVar[str] = "nothing"
    needs: ClassVar[str] = "none"
    known: ClassVar[str] = "nothing"
    shows_truth: ClassVar[bool] = False

    @abstractmethod
    def alarms(self, models: Sequence[Model], harms: Callable[[Model, int], bool]) -> np.ndarray:
        """Return the windows in which it blocks, bool (T,).

        Parameters
        ----------
        models : sequence of T models
            Of the audited windows.
        harms : callable
            Says whether a model violates the norm of the bias in a window by more than is tolerated.
        """

    def facts(self) -> dict[str, Attribute]:
        """Return its attributes."""
        return {
            "family": "reference",
            "role": "control",
            "reads": self.reads,
            "needs": self.needs,
            "known": self.known,
            "limit": "none",
            "battery": False,
            "audits": None,
        }


class Never(Control):
    """No audit."""

    name: ClassVar[str] = "never"

    def alarms(self, models: Sequence[Model], harms: Callable[[Model, int], bool]) -> np.ndarray:
        """Return no window.

        Examples
        --------
        >>> Never().alarms([], lambda model, t: True).tolist()
        []
        """
        return np.zeros(len(models), dtype=np.bool_)


class Always(Control):
    """A block in every window."""

    name: ClassVar[str] = "always"

    def alarms(self, models: Sequence[Model], harms: Callable[[Model, int], bool]) -> np.ndarray:
        """Return every window."""
        return np.ones(len(models), dtype=np.bool_)


class Oracle(Control):
    """A block where the model does harm."""

    name: ClassVar[str] = "oracle"
    reads: ClassVar[str] = "the truth"
    needs: ClassVar[str] = "the truth"
    known: ClassVar[str] = "the truth"
    shows_truth: ClassVar[bool] = True

    def alarms(self, models: Sequence[Model], harms: Callable[[Model, int], bool]) -> np.ndarray:
        """Return the windows in which the model does harm."""
        return np.array([harms(model, t) for t, model in enumerate(models)], dtype=np.bool_)


#: always in the table, by name
CONTROLS: dict[str, Control] = {control.name: control for control in (Never(), Always(), Oracle())}
