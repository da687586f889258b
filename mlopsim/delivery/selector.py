"""The contract of selectors: what they see and what they answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import numpy as np

from mlopsim.core.track import Attribute

if TYPE_CHECKING:
    from mlopsim.delivery.inputs import Inputs

KEEP = 0
#: what a selector may say that it reads of the data, and what must be there for that
READS: Mapping[str, str] = {
    "nothing": "none",
    "inputs": "none",
    "outputs": "none",
    "errors": "labels",
    "errors and inputs": "labels",
    "observation": "labels",
    "observation and inputs": "labels",
}


@dataclass(kw_only=True)
class Interface:
    """What stays the same during a roll-out.

    Parameters
    ----------
    names : tuple of str
        Published feature names, in the order of the observation's columns.
    slots : int
        Registry slots K; the actions are 0 keep, 1..K deploy slot i - 1, K + 1 retrain.
    horizon : int
        Number of decisions T - W of the roll-out (a selector must not use it as a clock for end effects).
    deployment : object
        The deployment component (delays, costs, ...).
    suspends : bool, default False
        Whether the deployment has a fallback, and so the action K + 2, suspend.
    """

    names: tuple[str, ...]
    slots: int
    horizon: int
    deployment: Any
    suspends: bool = False

    @property
    def retrain(self) -> int:
        """Number of the action *retrain*."""
        return self.slots + 1

    @property
    def suspend(self) -> int:
        """Number of the action *suspend*, where the deployment has a fallback."""
        return self.slots + 2

    def column(self, name: str) -> int:
        """Return the column of a named feature."""
        return self.names.index(name)


@dataclass(kw_only=True)
class View:
    """What selectors see at one decision, for N deployments at once.

    Parameters
    ----------
    interface : Interface
        Names and sizes.
    t : ndarray of int64, shape (N,)
        Decision time (absolute window number).
    obs : ndarray of float32, shape (N, F)
        The observation that learning agents get, too.
    mask : ndarray of bool, shape (N, K + 2)
        Possible actions; ``keep`` always is. With a fallback (N, K + 3) for selectors that say
        ``can_suspend = True``; others do not see the action.
    versions : ndarray of int64, shape (N, K)
        Version number by slot, newest first; -1 where empty.
    serving : ndarray of int64, shape (N,)
        Slot that serves (the stable one during a canary).
    errors : ndarray of int8, shape (N, R)
        1 = error, 0 = correct, row by row, of what served in the newest window whose labels became
        known at this step; -1 pads unequal lengths and stands alone where nothing became known.
    inputs : Inputs, optional
        Rows of the newest windows, and those that what serves was trained on; None unless the selector says
        ``uses_inputs = True``.
    """

    interface: Interface
    t: np.ndarray
    obs: np.ndarray
    mask: np.ndarray
    versions: np.ndarray
    serving: np.ndarray
    errors: np.ndarray
    inputs: Inputs | None = None

    def __getitem__(self, name: str) -> np.ndarray:
        """Return the column of a named feature, shape (N,)."""
        return self.obs[:, self.interface.column(name)]

    def rows(self, some: np.ndarray) -> View:
        """Return what is seen in some deployments: ``some`` (n,) are their numbers, repeats allowed."""
        return View(
            interface=self.interface,
            t=self.t[some],
            obs=self.obs[some],
            mask=self.mask[some],
            versions=self.versions[some],
            serving=self.serving[some],
            errors=self.errors[some],
            inputs=None if self.inputs is None else self.inputs.of(some.tolist()),
        )

    def slots(self, name: str) -> np.ndarray:
        """Return a per-slot feature by its suffix, shape (N, K): ``slots("ks")`` stacks ``slot0_ks`` ..."""
        return np.stack([self[f"slot{i}_{name}"] for i in range(self.interface.slots)], axis=1)


@runtime_checkable
class Selector(Protocol):
    """A component of kind ``selector``: one object rolls N deployments out in lock-step.

    Rows never influence each other: the answer for a deployment is the same to the bit whether it is rolled
    out alone or among others. Optional class attributes: ``space`` (parameter name to a tuple or ``Range``
    that tuning may search; :meth:`searchable` if it depends on the parameters), ``agent`` (True: needs a
    trained agent), ``uses_inputs`` (True: it reads ``view.inputs``, None otherwise), ``can_suspend`` (True:
    its mask has the action *suspend* where the deployment has a fallback), ``memoryless`` (True:
    its answer for a deployment hangs on what it sees of it at this decision, and on nothing else: no memory,
    no draw), ``believes`` (what the numbers are that it keeps as ``believed`` of shape (n, actions) from one
    answer to the next, by which it chose: logits, gains, ...), ``affine`` (True: these are affine in each
    column of the observation). Optional too: a method
    ``check(deployment)``, which raises ConfigError, before work starts, where it cannot be rolled out. Facts
    that become columns of tables (see :func:`selector_facts`), optional too: ``family`` (rule, bandit, agent,
    ...), ``reads`` (one of :data:`READS`), ``known`` (what it knows that a deployment does not show),
    ``control`` (True: it stands in tables to be compared with), ``always_listed`` (True: it stands in every
    table).
    """

    full_name: str

    def reset(self, n: int, interface: Interface, seeds: Sequence[np.random.SeedSequence]) -> None:
        """Start n roll-outs; ``seeds`` has one entry per roll-out."""
        ...

    def act(self, view: View) -> np.ndarray:
        """Return one action per roll-out, int64 of shape (N,).

        One that ``view.mask`` rules out is carried out as keep, and counted as impossible.
        """
        ...


def selector_facts(selector: Any) -> dict[str, Attribute]:
    """Return the attributes of a selector; None where it does not say what it reads.

    Parameters
    ----------
    selector : Selector or its class

    Returns
    -------
    dict
        family, role, reads, needs, known.

    Examples
    --------
    >>> from mlopsim.core.spec import make
    >>> selector_facts(make("selector", "ks"))
    {'family': 'rule', 'role': 'method', 'reads': 'inputs', 'needs': 'none', 'known': 'nothing'}
    """
    agent = bool(getattr(selector, "agent", False))
    reads = getattr(selector, "reads", None)
    return {
        "family": getattr(selector, "family", "agent" if agent else "rule"),
        "role": "control" if getattr(selector, "control", False) else "method",
        "reads": reads,
        "needs": None if reads is None else READS[reads],
        "known": getattr(selector, "known", "nothing"),
    }
