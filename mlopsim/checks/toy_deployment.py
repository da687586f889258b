"""A toy deployment for doctests and tests of selectors: hand-made signals, no World behind it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np

from mlopsim.delivery.deployments.standard import Standard
from mlopsim.delivery.features import CAP, UNIT, feature_names
from mlopsim.delivery.inputs import Feed, Rows
from mlopsim.delivery.selector import Interface, Selector, View
from mlopsim.drift.detector import Detector

#: a signal: one number, one number a window (the last one stays), or a function of (version, window)
Signal: TypeAlias = float | Sequence[float] | Callable[[int, int], float]


def example_interface(slots: int = 2, horizon: int = 20, **setting: Any) -> Interface:
    """Return an interface with the published feature names.

    Parameters
    ----------
    slots : int, default 2
        Registry slots K.
    horizon : int, default 20
        Number of decisions.
    **setting
        Parameters of ``deployment/standard``; delays and latency are 0 and only what served is observed,
        unless given.
    """
    setting = {"label_delay": 0, "latency": 0, "feedback": "deployed", **setting}
    return Interface(
        names=feature_names(slots), slots=slots, horizon=horizon, deployment=Standard(slots=slots, **setting)
    )


@dataclass(kw_only=True)
class Toy:
    """One deployment with given error rates and input shifts, in the order of "Time, exactly".

    Only what the rules read is filled in; a canary, budgets and shadow feedback are left out.

    Parameters
    ----------
    interface : Interface
        Slots and delays.
    error, shift : Signal
        Error rate and input shift (KS) of a version in a window; windows are numbered from 0, the
        initial version is 0 and serves from window 1 on.
    rows : int
        Rows a window.
    """

    interface: Interface
    error: Signal = 0.1
    shift: Signal = 0.0
    rows: int = 20
    t: int = 0
    serving: int = 0
    registry: list[int] = field(default_factory=lambda: [0])
    flight: tuple[int, int] | None = None
    retrained: int = -(1 << 20)
    switched: int = 0
    served: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.feed = Feed([_Shifted(self)])

    def mask(self) -> np.ndarray:
        """Return the possible actions, bool of shape (K + 2,)."""
        setting = self.interface.deployment
        mask = np.zeros(self.interface.slots + 2, bool)
        mask[0] = True
        if self.flight is None or self.flight[1] != self.t + 1 or not setting.deploy_on_arrival:
            for i, version in enumerate(self.registry):
                mask[1 + i] = version != self.serving
        free = self.flight is None and self.t >= self.retrained + max(1 + setting.latency, setting.cooldown)
        mask[-1] = free and self.t - setting.label_delay > max(self.registry)
        return mask

    def view(self) -> View:
        """Return what a selector sees now."""
        interface, setting = self.interface, self.interface.deployment
        values = dict.fromkeys(interface.names, 0.0)
        mask = self.mask()

        def shift(version: int) -> float:
            return value_of(self.shift, version, self.t)

        seen = self.t - setting.label_delay
        errors = np.full((1, self.rows), -1, np.int8)
        if seen >= 1:
            wrong = round(self.rows * value_of(self.error, self.served[seen], seen))
            # evenly spread over the window, as far as whole rows allow
            errors[0] = np.diff(np.arange(self.rows + 1) * wrong // self.rows)
            values.update(seen=1.0, seen_accuracy=float(1 - errors.mean()))

        def observed(version: int) -> list[int]:
            return [j for j in range(1, seen + 1) if self.served[j] == version]

        mine = [1 - value_of(self.error, self.serving, j) for j in observed(self.serving)]
        past = [j for j in range(max(self.t - 4, 0), self.t) if j > self.serving]
        before = [value_of(self.shift, self.serving, j) for j in past]
        values.update(
            served_seen=min(len(mine) / UNIT, CAP),
            recent_accuracy=float(np.mean(mine[-3:])) if mine else 0.0,
            serving_ks_past=float(np.mean(before)) if before else 0.0,
            since_retrain=min((self.t - max(self.retrained, 0)) / UNIT, CAP),
            since_switch=min((self.t - self.switched) / UNIT, CAP),
            serving_age=min((self.t - self.serving) / UNIT, CAP),
            serving_ks=shift(self.serving),
            newest_ks=shift(max(seen, 0)),
            in_flight=float(self.flight is not None),
            can_retrain=float(mask[-1]),
            budget_left=1.0,
        )
        versions = np.full((1, interface.slots), -1, np.int64)
        for i, version in enumerate(self.registry):
            versions[0, i] = version
            history = observed(version)
            accuracies = [1 - value_of(self.error, version, j) for j in history]
            values.update(
                {
                    f"slot{i}_filled": 1.0,
                    f"slot{i}_serving": float(version == self.serving),
                    f"slot{i}_age": min((self.t - version) / UNIT, CAP),
                    f"slot{i}_ks": shift(version),
                    f"slot{i}_known": float(bool(history)),
                    f"slot{i}_accuracy": float(np.mean(accuracies[-3:])) if history else 0.0,
                    f"slot{i}_best": max(accuracies, default=0.0),
                    f"slot{i}_since_seen": min((self.t - history[-1]) / UNIT, CAP) if history else 0.0,
                }
            )
        return View(
            interface=interface,
            t=np.array([self.t]),
            obs=np.array([[values[name] for name in interface.names]], np.float32),
            mask=mask[None],
            versions=versions,
            serving=np.array([self.registry.index(self.serving)]),
            errors=errors,
            inputs=self.feed.at(np.array([self.t]), np.array([self.serving])),
        )

    def step(self, action: int) -> None:
        """Apply an action and serve the next window."""
        setting = self.interface.deployment
        if not self.mask()[action]:
            action = 0
        if self.t == 0:
            self.served.append(0)
        if action == self.interface.retrain:
            self.flight = (self.t - setting.label_delay, self.t + 1 + setting.latency)
            self.retrained = self.t
        elif action:
            self.serving = self.registry[action - 1]
        self.t += 1
        if self.flight is not None and self.flight[1] == self.t:
            self.registry.insert(0, self.flight[0])
            self.flight = None
            if setting.deploy_on_arrival:
                self.serving = self.registry[0]
            if len(self.registry) > self.interface.slots:
                self.registry.remove(min(v for v in self.registry if v != self.serving))
        if self.serving != self.served[-1]:
            self.switched = self.t
        self.served.append(self.serving)


class _Shifted(Rows):
    """Rows of two normal features that lie as far from a version's training rows as the toy's shift says."""

    def __init__(self, toy: Toy) -> None:
        self._toy = toy
        windows = toy.interface.horizon + 2
        super().__init__(self._none, np.arange(windows + 1) * toy.rows, np.zeros(windows, dtype=np.int64), 0)

    def _none(self) -> np.ndarray:
        raise NotImplementedError("what is a window's shift to one version is none to another")

    def training(self, v: int) -> np.ndarray:
        """Return ten windows of rows without a shift."""
        return np.random.default_rng([1, v]).normal(size=(10 * self._toy.rows, 2))

    def window(self, t: int) -> np.ndarray:
        """Return the rows of a window as the version that serves sees them."""
        return self._seen(self._toy.serving, t)

    def _seen(self, v: int, t: int) -> np.ndarray:
        drawn = np.random.default_rng([2, t]).normal(size=(self._toy.rows, 2))
        return np.asarray(drawn + value_of(self._toy.shift, v, t))

    def _read(self, one: Detector, v: int, start: int, end: int) -> np.ndarray:
        return one.advance_freely(np.stack([self._seen(v, t) for t in range(start, end)]))


def value_of(signal: Signal, version: int, window: int) -> float:
    """Return a signal's value for a version in a window."""
    if callable(signal):
        return float(signal(version, window))
    if isinstance(signal, Sequence):
        return float(signal[min(window, len(signal) - 1)])
    return float(signal)


def play(
    selector: Selector,
    steps: int,
    *,
    error: Signal = 0.1,
    shift: Signal = 0.0,
    rows: int = 20,
    slots: int = 2,
    seed: int = 0,
    **setting: Any,
) -> str:
    """Let a selector act in the toy deployment.

    Returns
    -------
    str
        One letter a decision: ``k`` keep, ``R`` retrain, ``0``, ``1``, ... deploy that slot.

    Examples
    --------
    >>> from mlopsim.core.spec import make
    >>> play(make("selector", "periodic", every=3), 8)
    'kkkRkkRk'
    """
    interface = example_interface(slots, steps, **setting)
    toy = Toy(interface=interface, error=error, shift=shift, rows=rows)
    selector.reset(1, interface, [np.random.SeedSequence(seed)])
    letters = []
    for _ in range(steps):
        action = int(selector.act(toy.view())[0])
        letters.append("k" if action == 0 else "R" if action == interface.retrain else str(action - 1))
        toy.step(action)
    return "".join(letters)
