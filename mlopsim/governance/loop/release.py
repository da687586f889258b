"""What stops a version when it is trained: audits of itself, and gates that compare it with what serves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
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
    from mlopsim.quality.release_gate import Verdict
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


@dataclass(frozen=True, kw_only=True)
class AuditTests:
    """What release audits found in the versions of one World.

    Parameters
    ----------
    first : int
        The first version that was audited; column k is version ``first + k``.
    names : tuple of str
        The A audits.
    statistic, p : ndarray of float64, shape (A, V)
        P-values of one version are adjusted together (Holm); NaN where there were too few rows.
    """

    first: int
    names: tuple[str, ...]
    statistic: np.ndarray
    p: np.ndarray


def audit_tests(pool: WorldPool, i: int, audits: Sequence[Spec], deployment: Any) -> AuditTests:
    """Return what release audits find in every version of World i, whatever serves.

    Each audit looks at the held-out rows of a version (:func:`held_out`) as one window.

    Parameters
    ----------
    pool : WorldPool
        With two classes.
    i : int
    audits : sequence of specs of audits
    deployment : component of kind ``deployment``
    """
    built: list[Audit] = [make("audit", spec) for spec in audits]
    words = [identity_words(canonical("audit", spec)) for spec in audits]
    world = pool.world(i)
    evidence = {waits: _evidence(world, deployment, labels=waits) for waits in {a.waits for a in built}}
    p = np.full((len(built), pool.windows - pool.warmup), np.nan)
    statistic = p.copy()
    for k, audit in enumerate(built):
        seed = np.random.SeedSequence([int(pool.seeds[i]), 2, *words[k]])
        with one_thread():
            found = audit.examine(evidence[audit.waits], np.random.default_rng(seed))
        assert found.p is not None
        p[k] = np.where(np.isnan(found.score), np.nan, found.p)
        statistic[k] = found.statistic
    return AuditTests(
        first=pool.warmup,
        names=tuple(label("audit", spec) for spec in audits),
        statistic=statistic,
        p=np.stack([holm(column) for column in p.T], axis=1),
    )


def blocked_by_audits(pool: WorldPool, audits: Sequence[Spec], alpha: float, deployment: Any) -> np.ndarray:
    """Return which versions release audits find biased, whatever serves.

    See :func:`audit_tests`. What an audit has too few rows for it does not block.

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
    blocked = np.zeros((len(pool), pool.windows), dtype=np.bool_)
    for i in range(len(pool)):
        tests = audit_tests(pool, i, audits, deployment)
        blocked[i, tests.first :] = (tests.p <= alpha).any(axis=0)
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


def gate_verdicts(
    world: World, gates: Sequence[Spec], deployment: Any, version: int, serving: int
) -> list[Verdict]:
    """Return what each release gate says of a version beside another one, with what it was decided by.

    Parameters
    ----------
    world : World
    gates : sequence of specs of release gates
    deployment : component of kind ``deployment``
    version, serving : int
        The version that arrives, and the one that serves.
    """
    from mlopsim.quality.release_gate import Verdict

    low, high = held_out(version, deployment, labels=True)
    high = min(high, world.windows - 1)
    if high < low:
        nothing = Verdict(blocked=False, p=float("nan"), reason="no held-out rows")
        return [nothing for _ in gates]
    part = slice(int(world.bounds[low]), int(world.bounds[high + 1]))
    new, old = (np.unpackbits(world.bits[v]).astype(np.bool_)[part] for v in (version, serving))
    rows, groups = _received(world).take(part), world.g.astype(np.int64)[part]
    with one_thread():
        return [make("gate", spec).verdict(new, old, rows, groups) for spec in gates]


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
