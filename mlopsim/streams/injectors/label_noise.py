"""Wrong labels."""

from __future__ import annotations

from dataclasses import dataclass

from mlopsim.core.registry import register
from mlopsim.streams.injectors.base import Aim, Corrupted, Injector
from mlopsim.streams.stream import Stream


@register("injector", "label_noise")
@dataclass(kw_only=True)
class LabelNoise(Injector):
    """Labels are another class, each as likely: uniform noise; by class or group with those mechanisms.

    References
    ----------
    Natarajan, Dhillon, Ravikumar and Tewari (2013), *Learning with noisy labels*, NeurIPS.

    Examples
    --------
    >>> import numpy as np
    >>> from mlopsim import make
    >>> source = make("stream", "corrupted", base={"bundled": {"dataset": "wine"}}, rate=0.3,
    ...               injector="label_noise", timing={"step": {"at": 10}})
    >>> stream = source.generate(np.random.SeedSequence(0))
    >>> int(stream.biased.sum()), bool(stream.corrupted.any())
    (21, False)
    """

    def apply(self, stream: Stream, aim: Aim) -> Corrupted:
        """Draw other labels for the rows that are hit."""
        rows = aim.rows(stream)
        y = stream.y.copy()
        step = aim.rng.integers(1, stream.n_classes, size=int(rows.sum()))
        y[rows] = (y[rows] + step) % stream.n_classes
        return Corrupted.of(stream, stream.X.copy(), y, rows)
