"""Checks of a stream: is it usable, does its order betray the labels, are its events really there?"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np

from mlopsim.streams.stream import DriftEvent, DriftKind, Stream

#: stretches shorter than this many rows are not tested
SHORTEST = 100
#: stretches longer than this are tested on their rows next to the event
LONGEST = 2000


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One thing that a check found.

    Parameters
    ----------
    code : str
        What: ``one-class``, ``unseen-class``, ``constant-column``, ``empty-column``, ``small-group``,
        ``persisting-labels``, ``alternating-labels``, ``event-out-of-range``, ``event-in-warmup``,
        ``event-seen``, ``event-not-seen``, ``event-untestable``, ``unstated-change``.
    level : error, warning or info
        How bad it is. An ``error`` makes results meaningless.
    message : str
        In words, with the numbers.
    row : int or None
        Where.
    p : float
        p-value where a test was made, adjusted for what it looked at; else NaN.
    """

    code: str
    level: Literal["error", "warning", "info"]
    message: str
    row: int | None = None
    p: float = float("nan")


def check_stream(stream: Stream, *, alpha: float = 1e-3) -> list[Finding]:
    """Check a stream against what it says about itself.

    Each event is tested on the stretches before and after it: covariate events by two-sample tests of
    the inputs, prior events by a test of the class counts, concept events by whether a model
    trained on one side of the event is right equally often on the other, subgroup events by all three
    in each group. The longest stretch without an event is cut in half and must pass all three tests.

    Parameters
    ----------
    stream : Stream
        What to check.
    alpha : float, default 1e-3
        Level of each test (a stretch without a change is reported falsely with about this probability).

    Returns
    -------
    list of Finding
        Errors first, then warnings, then infos.

    Notes
    -----
    Streams without known events (``events is None``) are only checked for usability and order.

    Examples
    --------
    >>> from mlopsim import make
    >>> source = make("stream", "synthetic", concept="sea", windows=40, schedule="none")
    >>> check_stream(source.generate(np.random.SeedSequence(1)))
    []
    """
    findings = [*_usable(stream), *_order(stream, alpha)]
    if stream.events is not None and len(np.unique(stream.y)) > 1:
        findings += [*_events(stream, stream.events, alpha), *_stationary(stream, stream.events, alpha)]
    rank = {"error": 0, "warning": 1, "info": 2}
    return sorted(findings, key=lambda finding: (rank[finding.level], finding.row or 0))


def _usable(stream: Stream) -> Iterator[Finding]:
    history = int(stream.bounds[stream.warmup])
    present = np.bincount(stream.y, minlength=stream.n_classes)
    if (present > 0).sum() < 2:
        yield Finding(code="one-class", level="error", message="all labels are the same")
    early = np.bincount(stream.y[:history], minlength=stream.n_classes)
    for c in np.flatnonzero((present > 0) & (early == 0)):
        yield Finding(
            code="unseen-class",
            level="warning",
            message=f"class '{stream.classes[c]}' does not occur in the warm-up, so the first version "
            "cannot know it",
        )
    for j, name in enumerate(stream.features):
        known = stream.X[:, j][np.isfinite(stream.X[:, j])]
        if not len(known):
            yield Finding(code="empty-column", level="error", message=f"feature '{name}' has no value at all")
        elif (known == known[0]).all():
            yield Finding(code="constant-column", level="warning", message=f"feature '{name}' is constant")
    sizes = np.bincount(stream.g, minlength=len(stream.groups))
    for k in np.flatnonzero(sizes < stream.windows):
        yield Finding(
            code="small-group",
            level="warning",
            message=f"group '{stream.groups[k]}' has {sizes[k]} rows, less than one a window",
        )


def previous_label_score(y: np.ndarray) -> tuple[float, float, float]:
    """Return what guessing from the previous label alone would score.

    Parameters
    ----------
    y : ndarray of int64, shape (n,)
        Labels in time order.

    Returns
    -------
    same, rule, base : float
        Share of labels equal to the one before, share right when the likeliest successor of the label
        before is guessed, share of the commonest label.

    Examples
    --------
    >>> previous_label_score(np.array([0, 1] * 50))
    (0.0, 1.0, 0.505...)
    """
    if len(y) < 2:
        return float("nan"), float("nan"), float("nan")
    classes = int(y.max()) + 1
    pairs = np.bincount(y[:-1] * classes + y[1:], minlength=classes * classes).reshape(classes, classes)
    total = len(y) - 1
    base = np.bincount(y[1:]).max() / total
    return float(np.trace(pairs) / total), float(pairs.max(axis=1).sum() / total), float(base)


def _order(stream: Stream, alpha: float) -> Iterator[Finding]:
    """Find labels that follow one another more, or less, often than in random order (by .03 at least).

    Where changes are stated, base rates may differ between stretches: there the order is judged within
    windows. Else the whole stream is one stretch.
    """
    from scipy.stats import norm

    bounds = stream.bounds if stream.events else np.array([0, len(stream.y)])
    pairs, equal, chance = 0, 0, 0.0
    for low, high in itertools.pairwise(bounds.tolist()):
        y = stream.y[low:high]
        m = len(y)
        if m > 1:
            counts = np.bincount(y)
            pairs += m - 1
            equal += int((y[1:] == y[:-1]).sum())
            chance += float((counts * (counts - 1)).sum()) / m
    if not pairs:
        return
    same, expected = equal / pairs, chance / pairs
    if abs(same - expected) < 0.03 or not 0.0 < expected < 1.0:
        return
    p = float(2.0 * norm.sf(abs(same - expected) / np.sqrt(expected * (1.0 - expected) / pairs)))
    if p > alpha:
        return
    _, rule, base = previous_label_score(stream.y)
    yield Finding(
        code="persisting-labels" if same > expected else "alternating-labels",
        level="warning",
        message=f"a label equals the one before it in {same:.3f} of the rows, in random order it would in "
        f"{expected:.3f}: the previous label alone predicts {rule:.3f} right, the commonest label {base:.3f}",
        p=p,
    )


def _events(stream: Stream, events: tuple[DriftEvent, ...], alpha: float) -> Iterator[Finding]:
    history, n = int(stream.bounds[stream.warmup]), len(stream.y)
    for event in events:
        what = f"{event.kind.value} event at row {event.start}"
        if not 0 <= event.start <= event.end <= n or event.start >= n:
            message = f"{what} to {event.end} lies outside of the {n} rows"
            yield Finding(code="event-out-of-range", level="error", message=message, row=event.start)
            continue
        if event.start < history:
            message = f"{what} begins in the warm-up, which ends at row {history}"
            yield Finding(code="event-in-warmup", level="error", message=message, row=event.start)
            continue
        before, after = _stretches(event, events, n)
        if min(before[1] - before[0], after[1] - after[0]) < SHORTEST:
            message = f"{what} is too close to another change or an end to be tested"
            yield Finding(code="event-untestable", level="info", message=message, row=event.start)
            continue
        p = _test(stream, event.kind, before, after, event.start)
        if np.isnan(p):
            message = f"{what}: too few rows of a class or group to test it"
            yield Finding(code="event-untestable", level="info", message=message, row=event.start)
        elif p <= alpha:
            message = f"{what} is there (p = {p:.2g})"
            yield Finding(code="event-seen", level="info", message=message, row=event.start, p=p)
        else:
            message = f"{what} cannot be seen in the data (p = {p:.2g}): too small, too short, or not there"
            yield Finding(code="event-not-seen", level="warning", message=message, row=event.start, p=p)


def _stretches(
    event: DriftEvent, events: tuple[DriftEvent, ...], n: int
) -> tuple[tuple[int, int], tuple[int, int]]:
    """Return the rows before and after an event in which nothing else moves."""
    others = [other for other in events if other is not event]
    low = max([0, *(other.end for other in others if other.start <= event.start)])
    high = min([n, *(other.start for other in others if other.start >= event.start)])
    before = (max(low, event.start - LONGEST), max(low, event.start))
    after = (min(event.end, high), min(high, event.end + LONGEST))
    return before, after


def _stationary(stream: Stream, events: tuple[DriftEvent, ...], alpha: float) -> Iterator[Finding]:
    """Look for a change in the middle of the longest stretch without one."""
    low, best = 0, (0, 0)
    for start, end in [*sorted((event.start, event.end) for event in events), (len(stream.y),) * 2]:
        if start - low > best[1] - best[0]:
            best = (low, start)
        low = max(low, end)
    if best[1] - best[0] < 2 * SHORTEST:
        return
    middle = (best[0] + best[1]) // 2
    before, after = (max(best[0], middle - LONGEST), middle), (middle, min(best[1], middle + LONGEST))
    for kind in (DriftKind.COVARIATE, DriftKind.PRIOR, DriftKind.CONCEPT):
        p = _test(stream, kind, before, after, middle)
        if p <= alpha / 3.0:
            yield Finding(
                code="unstated-change",
                level="error",
                message=f"rows {before[0]} to {after[1]} are said to follow one law, but a {kind.value} "
                f"change shows in their middle (p = {p:.2g})",
                row=middle,
                p=p,
            )


def _test(
    stream: Stream, kind: DriftKind, before: tuple[int, int], after: tuple[int, int], seed: int
) -> float:
    """Return the p-value of one kind of change between two stretches; NaN if it cannot be tested."""
    rows_a, rows_b = np.arange(*before), np.arange(*after)
    if kind is not DriftKind.SUBGROUP:
        return _compare(stream, kind, rows_a, rows_b, seed)
    found = [
        _compare(stream, each, rows_a[stream.g[rows_a] == k], rows_b[stream.g[rows_b] == k], seed)
        for k in range(len(stream.groups))
        for each in (DriftKind.COVARIATE, DriftKind.PRIOR, DriftKind.CONCEPT)
    ]
    known = [p for p in found if not np.isnan(p)]
    return min(1.0, min(known) * len(known)) if known else float("nan")


def _compare(stream: Stream, kind: DriftKind, a: np.ndarray, b: np.ndarray, seed: int) -> float:
    if min(len(a), len(b)) < SHORTEST // 2:
        return float("nan")
    if kind is DriftKind.COVARIATE:
        return inputs_differ(stream.X[a], stream.X[b], sorted(stream.categories))
    if kind is DriftKind.PRIOR:
        return _counts_differ(stream.y[a], stream.y[b])
    return labels_differ(stream.X[a], stream.y[a], stream.X[b], stream.y[b], seed=seed)


def inputs_differ(A: np.ndarray, B: np.ndarray, categorical: list[int] | None = None) -> float:
    """Return the p-value, Bonferroni-corrected over features, of a change of the inputs.

    Parameters
    ----------
    A, B : ndarray of float64, shapes (n, d) and (m, d)
        Rows before and after.
    categorical : list of int, optional
        Features compared by counts (chi-squared) instead of Kolmogorov-Smirnov.
    """
    from scipy.stats import ks_2samp

    found = []
    for j in range(A.shape[1]):
        x, y = A[:, j][np.isfinite(A[:, j])], B[:, j][np.isfinite(B[:, j])]
        if not len(x) or not len(y):
            continue
        if categorical and j in categorical:
            found.append(_counts_differ(x.astype(np.int64), y.astype(np.int64)))
        else:
            found.append(float(ks_2samp(x, y, method="asymp").pvalue))
    return min(1.0, min(found) * len(found)) if found else float("nan")


def _counts_differ(x: np.ndarray, y: np.ndarray) -> float:
    """Return the chi-squared p-value that two samples of codes have the same law."""
    from scipy.stats import chi2_contingency

    size = int(max(x.max(), y.max())) + 1
    table = np.stack([np.bincount(x, minlength=size), np.bincount(y, minlength=size)])
    table = table[:, table.sum(axis=0) > 0]
    if table.shape[1] < 2:
        return 1.0
    return float(chi2_contingency(table).pvalue)


def labels_differ(A: np.ndarray, ya: np.ndarray, B: np.ndarray, yb: np.ndarray, *, seed: int) -> float:
    """Return the p-value of "labels given inputs are the same before and after".

    A linear model and a tree are each trained on half of the earlier rows, at random; among the rows of
    one predicted class, the share predicted right is compared between the other half and the later rows
    (chi-squared, summed over the classes). Then the same with the sides exchanged; corrected for four
    tests. Valid if all rows follow one law. A change of the inputs alone can show as well, where the
    model is the wrong kind.

    Parameters
    ----------
    A, B : ndarray of float64, shapes (n, d) and (m, d)
        Inputs before and after; NaN counts as 0.
    ya, yb : ndarray of int64, shapes (n,) and (m,)
        Labels.
    seed : int
        Of the split.

    Returns
    -------
    float
        NaN if a training half has a single class.
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler
    from sklearn.tree import DecisionTreeClassifier

    A, B = np.nan_to_num(A), np.nan_to_num(B)
    rng = np.random.default_rng(seed)
    found = []
    for X, y, Z, z in ((A, ya, B, yb), (B, yb, A, ya)):
        order = rng.permutation(len(X))
        train, held = order[: len(X) // 2], order[len(X) // 2 :]
        if len(np.unique(y[train])) < 2:
            return float("nan")
        for model in (
            make_pipeline(StandardScaler(), LogisticRegression(max_iter=300)),
            DecisionTreeClassifier(min_samples_leaf=max(5, len(train) // 100), random_state=0),
        ):
            model.fit(X[train], y[train])
            found.append(_hits_differ(model.predict(X[held]), y[held], model.predict(Z), z))
    return min(1.0, min(found) * len(found))


def _hits_differ(guess_a: np.ndarray, ya: np.ndarray, guess_b: np.ndarray, yb: np.ndarray) -> float:
    """Return the p-value that a guess of each class is right equally often on both sides."""
    from scipy.stats import chi2

    total, freedom = 0.0, 0
    for c in np.union1d(guess_a, guess_b):
        sizes = np.array([(guess_a == c).sum(), (guess_b == c).sum()], dtype=np.float64)
        hits = np.array([(ya[guess_a == c] == c).sum(), (yb[guess_b == c] == c).sum()], dtype=np.float64)
        if sizes.min() == 0:
            continue
        share = hits.sum() / sizes.sum()
        # the usual rule for the chi-squared law to hold: five expected in every cell
        if sizes.min() * min(share, 1.0 - share) >= 5.0:
            total += float(((hits - share * sizes) ** 2 / (sizes * share * (1.0 - share))).sum())
            freedom += 1
    return float(chi2.sf(total, freedom)) if freedom else 1.0
