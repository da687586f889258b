"""Batteries: several audits that decide together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from mlopsim.core.errors import ConfigError
from mlopsim.core.spec import canonical, label, make
from mlopsim.core.track import Attribute
from mlopsim.fairness.audit import NEEDS, READS, Audit, Findings, Labels, Source
from mlopsim.fairness.evidence import Evidence


@dataclass(kw_only=True)
class Battery(Audit):
    """Base of batteries. A window's position is that of the audit that stands highest on its own chart.

    A battery defines :meth:`members`. Whoever calibrates the audits gives it their positions: it has no score
    of its own.
    """

    family: ClassVar[str] = "battery"

    def members(self) -> list[Any]:
        """Return the specs of the audits."""
        raise NotImplementedError

    def checked(self) -> list[dict[str, Any]]:
        """Return the parts of the audits.

        Raises
        ------
        ConfigError
            If there is none, one is listed twice, or one is a battery.
        """
        parts: list[dict[str, Any]] = []
        for spec in self.members():
            content = canonical("audit", spec)
            if isinstance(make("audit", content), Battery):
                raise ConfigError(
                    f"{self.full_name}: {content['kind']}/{content['name']} is a battery itself",
                    remedy="list its audits",
                )
            if content in parts:
                raise ConfigError(
                    f"{self.full_name}: {content['kind']}/{content['name']} is listed twice",
                    remedy="keep one of them",
                )
            parts.append(content)
        if not parts:
            raise ConfigError(f"{self.full_name} has no audits", remedy="list at least one")
        return parts

    @property
    def needs(self) -> frozenset[Source]:
        """What its audits need."""
        return frozenset().union(*(make("audit", spec).needs for spec in self.members()))

    @property
    def labels_used(self) -> Labels:
        """Observed labels, if any of its audits uses labels."""
        used = {make("audit", spec).labels_used for spec in self.members()}
        return Labels.OBSERVED if used - {Labels.NONE} else Labels.NONE

    @property
    def reads(self) -> str:
        """What its audits look at."""
        found = {make("audit", spec).reads for spec in self.members()}
        return ", ".join(name for name in READS if name in found)

    @property
    def by_group(self) -> bool:
        """Whether any of its audits compares groups."""
        return any(make("audit", spec).by_group for spec in self.members())

    @property
    def asks_for(self) -> tuple[str, ...]:
        """What any of its audits asks for."""
        asked = {name for spec in self.members() for name in make("audit", spec).asks_for}
        return tuple(name for name in NEEDS if name in asked)

    def facts(self) -> dict[str, Attribute]:
        """Return its attributes: what its audits read and need together, and which they are."""
        audits = ", ".join(label("audit", spec) for spec in self.members())
        return {**super().facts(), "battery": True, "audits": audits}

    def combine(self, positions: np.ndarray) -> np.ndarray:
        """Return the position of the battery from those of its k audits, without the first axis.

        Parameters
        ----------
        positions : ndarray of float64, shape (k, ..., T)
            Scores divided by the audits' own limits; NaN where there are not enough data.

        Returns
        -------
        ndarray of float64, shape (..., T)
            NaN where no audit says anything.
        """
        self._match(len(positions))
        filled = np.where(np.isnan(positions), -np.inf, positions).max(axis=0)
        found: np.ndarray = np.where(np.isnan(positions).all(axis=0), np.nan, filled)
        return found

    def leaders(self, positions: np.ndarray) -> np.ndarray:
        """Return which audit stands highest, int64 (..., T): the first of equals, -1 for none.

        Parameters
        ----------
        positions : ndarray of float64, shape (k, ..., T)
        """
        self._match(len(positions))
        known = ~np.isnan(positions)
        found: np.ndarray = np.where(known, positions, -np.inf).argmax(axis=0)
        # an audit that says nothing does not lead, not even one that stands at minus infinity
        return np.where(known.any(axis=0), found, -1)

    def blamed(self, positions: np.ndarray, blames: Sequence[np.ndarray | None]) -> np.ndarray | None:
        """Return what the leading audit blames, float64 (T, d); NaN where it blames no feature.

        Parameters
        ----------
        positions : ndarray of float64, shape (k, T)
        blames : sequence of k ndarrays of float64, shape (T, d), or None
            Of the audits.

        Returns
        -------
        ndarray or None
            None if no audit blames features.
        """
        known = next((blame for blame in blames if blame is not None), None)
        if known is None:
            return None
        leader = self.leaders(positions)
        found = np.full(known.shape, np.nan)
        for k, blame in enumerate(blames):
            if blame is not None:
                found[leader == k] = blame[leader == k]
        return found

    def examine(self, evidence: Evidence, rng: np.random.Generator) -> Findings:
        """Refuse: a battery needs the limits of its audits."""
        raise ConfigError(
            f"{self.full_name} compares its audits on their charts, which needs their limits",
            remedy="let a suite of the track fairness calibrate them, or examine its members() one by one",
        )

    def _match(self, given: int) -> None:
        wanted = len(self.members())
        if given != wanted:
            raise ConfigError(f"{self.full_name} has {wanted} audits, got the positions of {given}")
