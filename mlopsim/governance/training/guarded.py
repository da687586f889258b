"""Versions that are trained behind a data gate and judged on clean rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from mlopsim.core.errors import ConfigError
from mlopsim.core.identity import identity_words
from mlopsim.core.registry import register
from mlopsim.core.seeds import Axis, Split, seed_sequence
from mlopsim.core.spec import canonical, make, part

if TYPE_CHECKING:
    from mlopsim.streams.stream import Stream
    from mlopsim.world.source import Fed
    from mlopsim.world.spec import WorldSpec


@register("training", "guarded")
@dataclass(kw_only=True)
class Guarded:
    """Train on what a data gate lets through of the rows as they are received; answer the clean rows.

    With the gate ``none`` versions are trained on all rows that are received. Errors that were put into a
    stream (``stream/corrupted``) so hurt training only, and two gates are compared on the same rows. Rows
    that a bias keeps from training are not trained on. The gate learns from the warm-up and depends on no
    decision, so its versions are part of the World. Shift statistics and detectors of inputs see the rows as
    they are received.

    Parameters
    ----------
    gate : spec of a gate, default none
        Any but those that judge versions; its action says what is done with what it flags.
    base : spec of a training policy, default last
        Which windows a version is trained on.

    Notes
    -----
    Use it to see what a data gate is worth to what is trained.

    Examples
    --------
    >>> Guarded(base={"last": {"windows": 2}}).starts(np.zeros((4, 1)), np.arange(5), 1)
    array([0, 0, 1, 2])
    """

    gate: Any = part("gate", "none")
    base: Any = part("training", "last")

    def __post_init__(self) -> None:
        from mlopsim.quality.release_gate import ReleaseGate

        gate = make("gate", self.gate)
        if isinstance(gate, ReleaseGate):
            raise ConfigError(
                f"{gate.full_name} judges versions, not rows",
                remedy="name it in release of deployment/governed",
            )
        if hasattr(make("training", self.base), "feed"):
            raise ConfigError(
                "training/guarded cannot be its own base", remedy="base: last, all, since_alarm"
            )

    @property
    def has_gate(self) -> bool:
        """Whether there is a data gate."""
        return bool(make("gate", self.gate).name != "none")

    def starts(self, X: np.ndarray, bounds: np.ndarray, warmup: int) -> np.ndarray:
        """Return the first training window of every version, int64 of shape (T,)."""
        found: np.ndarray = make("training", self.base).starts(X, bounds, warmup)
        return found

    def feed(self, source: Any, stream: Stream, spec: WorldSpec) -> Fed:
        """Return what versions are trained on, and the clean rows.

        Parameters
        ----------
        source : component of kind ``stream``
            Where it has a method ``clean(seed)``, what that gives are the clean rows; else all are.
        stream : Stream
            The rows as they are received.
        spec : WorldSpec
            The address: of what the gate draws.
        """
        from mlopsim.quality.case import Case
        from mlopsim.quality.stages import Material, act, flags
        from mlopsim.world.source import Fed

        clean = source.clean(spec.scenario_seed) if hasattr(source, "clean") else stream
        case = Case(clean=clean, seen=stream, learner=spec.learner, starts=np.zeros(0, np.int64))
        case.starts = np.asarray(self.starts(case.seen_rows.Z, clean.bounds, clean.warmup), dtype=np.int64)
        gate = make("gate", self.gate)
        words = identity_words(canonical("gate", self.gate))
        seed = seed_sequence(Axis.METHOD, Split.parse(spec.split), spec.index, *words, root=spec.root)
        found, _ = flags(gate, case, np.random.default_rng(seed))
        material = Material(rows=case.seen_rows, keep=np.ones(len(stream.y), dtype=np.bool_))
        material = act(case, gate, found, material)
        keep = material.keep if stream.bias is None else material.keep & stream.bias.kept
        return Fed(
            X=material.rows.Z,
            y=material.rows.y,
            keep=keep,
            weight=material.weight,
            judged=case.clean_rows.Z,
            true=clean.y,
            g=clean.g,
        )
