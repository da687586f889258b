"""A stream with errors whose truth is known."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

import numpy as np

from mlopsim.core.errors import ConfigError, DataError
from mlopsim.core.registry import register
from mlopsim.core.spec import check_range, make, part, part_of
from mlopsim.core.track import Attribute
from mlopsim.streams.injectors.base import Aim, Corrupted, Injector
from mlopsim.streams.layout import branch
from mlopsim.streams.mechanisms.base import Mechanism
from mlopsim.streams.stream import Stream
from mlopsim.streams.timings.base import Timing


@register("stream", "corrupted")
@dataclass(kw_only=True)
class CorruptedStream:
    r"""Rows of another stream with errors in them: what goes wrong, which rows it prefers, and when.

    The warm-up stays as it is. ``Stream.corrupted`` marks the cells that differ from the clean ones, which
    :meth:`clean` gives for the same seed. ``Stream.biased`` marks the labels that are wrong: those that
    differ from the clean ones, and those that noise or bias of the base made wrong before. A label that is
    changed back to the right one is not wrong. Rows that stand in the place of others bring their group and
    all truth about them.

    In window t of an injector of rows the share of the eligible rows that are hit is
    :math:`\mathrm{rate} \cdot s(t)` on average, s the strength of the timing from 0 to 1.

    Parameters
    ----------
    base : spec of a stream, default synthetic
        Any stream. If it is of this kind, too, its errors come first: clean rows are those without either,
        and the truth is about both.
    injector : spec of an injector, default missing
        What goes wrong (kind ``injector``).
    mechanism : spec of a mechanism, default random
        Which rows it prefers (kind ``mechanism``).
    timing : spec of a timing, default step
        When it happens (kind ``timing``).
    rate : float, default 0.15
        Share of the rows that are hit while it happens, or of the windows for injectors of whole windows.

    Notes
    -----
    Use it to test gates: which cells and labels are wrong is known.

    Examples
    --------
    >>> source = CorruptedStream(injector={"unit_scale": {"factor": 1000.0}}, rate=0.1,
    ...                          timing={"burst": {"at": 30, "length": 10}})
    >>> stream = source.generate(np.random.SeedSequence(0))
    >>> stream.corrupted.any(axis=1).reshape(-1, 100)[29:41].mean(axis=1).round(2).tolist()
    [0.0, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.0]
    >>> both = CorruptedStream(base={"corrupted": {"injector": "label_noise", "rate": 0.2}},
    ...                        injector="unit_scale", rate=0.1)
    >>> both.facts()["scenario"], both.uncorrupted()["name"]
    ('label_noise and unit_scale', 'synthetic')
    """

    base: Any = part("stream", "synthetic")
    injector: Any = part("injector", "missing")
    mechanism: Any = part("mechanism", "random")
    timing: Any = part("timing", "step")
    rate: float = 0.15

    def __post_init__(self) -> None:
        check_range("stream/corrupted.rate", self.rate, 0.0, 1.0)
        self._made = make("stream", self.base)
        injector, mechanism = make("injector", self.injector), make("mechanism", self.mechanism)
        make("timing", self.timing)
        if injector.own_order or injector.whole_windows:
            if mechanism.chooses:
                raise ConfigError(
                    f"{injector.full_name} says itself which rows it hits, {mechanism.full_name} cannot",
                    remedy="mechanism=random",
                )

    def _inner(self) -> CorruptedStream | None:
        """Return the base if it has errors of its own."""
        return self._made if isinstance(self._made, CorruptedStream) else None

    @property
    def innermost(self) -> Any:
        """The stream that has no errors."""
        inner = self._inner()
        return self._made if inner is None else inner.innermost

    def _depth(self) -> int:
        inner = self._inner()
        return 0 if inner is None else 1 + inner._depth()

    @property
    def real(self) -> bool:
        """Whether the rows are given, not drawn from a known law."""
        return bool(getattr(self._made, "real", False))

    def facts(self) -> dict[str, Attribute]:
        """Return what is wrong in it: the names of the parts, and how much."""
        inner = self._inner()
        own: dict[str, Attribute] = {
            "base": self._made.name,
            "scenario": make("injector", self.injector).name,
            "mechanism": make("mechanism", self.mechanism).name,
            "timing": make("timing", self.timing).name,
            "strength": self.rate,
        }
        if inner is None:
            return own
        first = inner.facts()
        names = {k: f"{first[k]} and {own[k]}" for k in ("scenario", "mechanism", "timing")}
        return {**own, **names, "base": first["base"], "strength": None}

    def content(self) -> dict[str, Any]:
        """Return what identifies the rows of the base, where it has such."""
        base = self._made
        return {"base": base.content()} if hasattr(base, "content") else {}

    def uncorrupted(self) -> dict[str, Any]:
        """Return the part of the base: the same rows without errors."""
        return part_of(self.innermost)

    def clean(self, seed: np.random.SeedSequence) -> Stream:
        """Draw the rows without errors, as the base alone gives them for this seed."""
        found: Stream = self.innermost.generate(seed)
        return found

    def corrupt(self, clean: Stream, seed: np.random.SeedSequence) -> Corrupted:
        """Put the errors into rows that are at hand.

        Parameters
        ----------
        clean : Stream
            Not changed.
        seed : numpy.random.SeedSequence
            Of the scenario.

        Returns
        -------
        Corrupted
            With the errors of the base, where it has such.

        Raises
        ------
        ConfigError, DataError
            If timing or injector do not fit the stream.
        """
        injector: Injector = make("injector", self.injector)
        mechanism: Mechanism = make("mechanism", self.mechanism)
        timing: Timing = make("timing", self.timing)
        share = self.rate * timing.strength(clean.windows, clean.warmup)
        inner, depth = self._inner(), self._depth()
        rng = np.random.default_rng(branch(seed, 1, depth) if depth else branch(seed, 1))
        aim = Aim(share=share, mechanism=mechanism, rng=rng)
        if inner is None:
            return injector.apply(clean, aim)
        first = inner.corrupt(clean, seed)
        return after(clean, first, injector.apply(received(clean, first), aim))

    def generate(self, seed: np.random.SeedSequence) -> Stream:
        """Draw the stream.

        Parameters
        ----------
        seed : numpy.random.SeedSequence
            Of the scenario: of the base as if it stood alone, and of the errors.

        Returns
        -------
        Stream
        """
        clean = self.clean(seed)
        return received(clean, self.corrupt(clean, seed))


def received(clean: Stream, found: Corrupted) -> Stream:
    """Return the stream as it is received: clean rows with errors in them, and the truth about these."""
    truth = clean.bias
    if truth is not None:
        truth = dataclasses.replace(truth, y=truth.y[found.source], kept=truth.kept[found.source])
    return dataclasses.replace(
        clean,
        X=found.X,
        y=found.y,
        g=clean.g[found.source],
        concept=None if clean.concept is None else clean.concept[found.source],
        bayes=None if clean.bayes is None else clean.bayes[found.source],
        corrupted=found.cells,
        biased=wrong_labels(clean, found),
        received=found.received,
        categories=clean.categories | found.categories,
        bias=truth,
        true_y=None if clean.true_y is None else clean.true_y[found.source],
    )


def after(clean: Stream, first: Corrupted, second: Corrupted) -> Corrupted:
    """Return what is wrong with clean rows into which errors were put twice.

    Parameters
    ----------
    clean : Stream
    first : Corrupted
        What became of the clean rows.
    second : Corrupted
        What became of those.

    Raises
    ------
    DataError
        If both change the columns of one window: it would not be known what was agreed.
    """
    twice = sorted(set(first.received) & set(second.received))
    if twice:
        raise DataError(
            f"the columns of window {twice[0]} are changed by two kinds of errors",
            remedy="keep one of the injectors that change columns, or give them windows of their own",
        )
    return Corrupted.of(
        clean,
        second.X,
        second.y,
        first.rows[second.source] | second.rows,
        received={**first.received, **second.received},
        categories={**first.categories, **second.categories},
        source=first.source[second.source],
    )


def wrong_labels(clean: Stream, found: Corrupted) -> np.ndarray:
    """Return the labels that are wrong, by errors that were put in or in the clean stream already.

    Where the clean stream does not know its labels without noise, a noisy one that is changed stays wrong.

    Parameters
    ----------
    clean : Stream
    found : Corrupted
        What became of it.

    Returns
    -------
    ndarray of bool, shape (n,)
    """
    if clean.true_y is not None:
        moved = found.source != np.arange(len(clean.y))
        wrong: np.ndarray = (found.y != clean.true_y[found.source]) | (moved & found.labels)
        return wrong
    return found.labels if clean.biased is None else found.labels | clean.biased[found.source]
