"""Wrong labels."""

from __future__ import annotations

from dataclasses import dataclass

from mlopsim.core.registry import register
from mlopsim.streams.injectors.base import Aim, Corrupted, Injector
from mlopsim.streams.stream import Stream


@register("injector", "label_noise")
@dataclass(kw_only=True)
class LabelNoise(Injector):
    r"""Labels are another class, each as likely: uniform noise; by class or group with those mechanisms.

    With C classes, a row that is hit gets label k with

    .. math:: P(y' = k \mid y) = \frac{1}{C - 1}, \qquad k \ne y

    Notes
    -----
    It stands for careless labels; at a low rate a linear model of many rows hardly suffers from it.

    References
    ----------
    .. [1] N. Natarajan, I. S. Dhillon, P. Ravikumar and A. Tewari, "Learning with noisy labels", NeurIPS,
       2013, 1196-1204.

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
