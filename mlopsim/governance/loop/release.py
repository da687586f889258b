"""What stops a version when it is trained: audits of itself, and gates that compare it with what serves."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from mlopsim.core.errors import ConfigError
from mlopsim.core.identity import identity_words
from mlopsim.core.spec import Spec, canonical, label, make
from mlopsim.core.threads import one_thread
from mlopsim.stats.rank_tests import holm

if TYPE_CHECKING:
    from mlopsim.delivery.pool import WorldPool
    from mlopsim.fairness.audit import Audit
    from mlopsim.fairness.evidence import Evidence
    from mlopsim.quality.gate import Rows
    from mlopsim.world.world import World


def check_release_audits(audits: Sequence[Spec]) -> None:
    """Raise unless each audit has an exact test of decisions of its own, and none is there twice.

    Raises
    ------
    ConfigError
    """
    from mlopsim.fairness.verdicts import check_audits

    for spec, name in zip(audits, check_audits(audits), strict=True):
        audit = make("audit", spec)
        if not audit.exact or audit.reads != "decisions":
            raise ConfigError(
                f"{name} has no exact test of decisions of its own, which a release needs",
                remedy="demographic_parity, equal_opportunity, equalised_odds, predictive_parity",
            )


def check_release_gates(gates: Sequence[Spec]) -> None:
    """Raise unless each gate judges versions, and none is there twice.

    Raises
    ------
    ConfigError
    """
    from mlopsim.quality.release_gate import ReleaseGate

    names = [label("gate", spec) for spec in gates]
    for i, (spec, name) in enumerate(zip(gates, names, strict=True)):
        if name in names[:i]:
            raise ConfigError(f"the gate {name} is listed twice", remedy="keep one of them")
        if not isinstance(make("gate", spec), ReleaseGate):
            raise ConfigError(
                f"{name} judges rows, not versions",
                remedy="training: {guarded: {gate: ...}}; here accuracy_drop",
            )


def held_out(version: int, deployment: Any, *, labels: bool) -> tuple[int, int]:
    """Return the first and the last window on whose rows a version is judged; none where the last is earlier.

    That is when its training has ended, before anybody reviews it. Of the windows after its own those whose
    labels are known by then, or all that were served where no label is needed.

    Examples
    --------
    >>> from mlopsim.core.spec import make
    >>> setting = make("deployment", "standard", label_delay=2, latency=3)
    >>> held_out(10, setting, labels=True), held_out(10, setting, labels=False)
    ((11, 13), (11, 15))
    """
    last = version + deployment.latency + (0 if labels else deployment.label_delay)
    return version + 1, last


def blocked_by_audits(pool: WorldPool, audits: Sequence[Spec], alpha: float, deployment: Any) -> np.ndarray:
    """Return which versions release audits find biased, whatever serves.

    Each audit looks at the held-out rows of a version (:func:`held_out`) as one window; p-values of one
    version are adjusted together (Holm). What an audit has too few rows for it does not block.

    Parameters
    ----------
    pool : WorldPool
        With two classes.
    audits : sequence of specs of audits
    alpha : float
        Level of one version.
    deployment : component of kind ``deployment``

    Returns
    -------
    ndarray of bool, shape (M, T)
    """
    if pool.n_classes != 2:
        raise ConfigError(
            f"release audits need two classes, the stream has {pool.n_classes}", remedy="audits: []"
        )
    built: list[Audit] = [make("audit", spec) for spec in audits]
    words = [identity_words(canonical("audit", spec)) for spec in audits]
    blocked = np.zeros((len(pool), pool.windows), dtype=np.bool_)
    first = pool.warmup
    for i in range(len(pool)):
        world = pool.world(i)
        evidence = {waits: _evidence(world, deployment, labels=waits) for waits in {a.waits for a in built}}
        p = np.full((len(built), pool.windows - first), np.nan)
        for k, audit in enumerate(built):
            seed = np.random.SeedSequence([int(pool.seeds[i]), 2, *words[k]])
            with one_thread():
                found = audit.examine(evidence[audit.waits], np.random.default_rng(seed))
            assert found.p is not None
            p[k] = np.where(np.isnan(found.score), np.nan, found.p)
        adjusted = np.stack([holm(column) for column in p.T], axis=1)
        blocked[i, first:] = (adjusted <= alpha).any(axis=0)
    return blocked


def _evidence(world: World, deployment: Any, *, labels: bool) -> Evidence:
    """Return the held-out rows of the versions after v0, one window a version."""
    from mlopsim.fairness.evidence import Evidence

    window, wrong, rows = [], [], []
    versions = range(world.warmup, world.windows)
    trained = np.zeros((len(versions), 2, 2), dtype=np.int64)
    for k, v in enumerate(versions):
        low, high = held_out(v, deployment, labels=labels)
        high = min(high, world.windows - 1)
        trained[k] = world.counts[v, world.start[v] : v + 1].sum(axis=(0, 1))
        for t in range(low, high + 1):
            errors = world.errors(v, t)
            wrong.append(errors)
            rows.append(np.arange(world.bounds[t], world.bounds[t + 1]))
            window.append(np.full(len(errors), k))
    nothing = np.zeros(0, dtype=np.int64)
    place = np.concatenate([nothing, *rows])
    says = world.y[place].astype(np.int64) ^ np.concatenate([nothing, *wrong])
    decision = says == 1
    return Evidence(
        window=np.concatenate([nothing, *window]),
        windows=len(versions),
        group=world.g[place].astype(np.int64),
        groups=world.groups,
        decision=decision,
        score=decision.astype(np.float64),
        X=np.zeros((len(place), 1)),
        features=("none",),
        observed=world.y[place].astype(np.int64),
        trained=trained,
    )


def refused_by_gates(pool: WorldPool, gates: Sequence[Spec], deployment: Any) -> np.ndarray:
    """Return which versions release gates refuse, and beside which versions that serve.

    Parameters
    ----------
    pool : WorldPool
    gates : sequence of specs of release gates
    deployment : component of kind ``deployment``

    Returns
    -------
    ndarray of bool, shape (M, T, T)
        ``[m, v, s]``: v is refused while s < v serves.
    """
    built = [make("gate", spec) for spec in gates]
    refused = np.zeros((len(pool), pool.windows, pool.windows), dtype=np.bool_)
    v0 = pool.warmup - 1
    for i in range(len(pool)):
        world = pool.world(i)
        received = _received(world)
        groups = world.g.astype(np.int64)
        right = np.unpackbits(world.bits[v0:], axis=1).astype(np.bool_)
        for v in range(pool.warmup, pool.windows):
            low, high = held_out(v, deployment, labels=True)
            high = min(high, world.windows - 1)
            if high < low:
                continue
            part = slice(int(world.bounds[low]), int(world.bounds[high + 1]))
            new, old = right[v - v0, part], right[: v - v0, part]
            rows = received.take(part)
            with one_thread():
                for gate in built:
                    refused[i, v, v0:v] |= gate.blocks(new, old, rows, groups[part])
        world.forget()
    return refused


def _received(world: World) -> Rows:
    from mlopsim.quality.gate import Rows

    stream = world.stream()
    return Rows(
        X=stream.X,
        Z=world.encoded(),
        y=stream.y,
        n_classes=world.n_classes,
        features=stream.features,
        categorical=tuple(stream.categories),
    )
