"""What the audits find, window by window, written as plainly as can be; groups in loops, laws from scipy."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from scipy import stats

from mlopsim.fairness.evidence import Evidence

LEAST = 5
Found = tuple[float, float]
NOTHING = (math.nan, math.nan)


def score_of(p: float) -> float:
    return -math.log10(max(p, 2.2250738585072014e-308))


def randomised(below: float, at: float, above: float, u: float) -> float:
    """Return a p-value; which tail u is counted from does not depend on who is called the first."""
    if below <= above:
        low, high = below + u * at, above + (1.0 - u) * at
    else:
        low, high = below + (1.0 - u) * at, above + u * at
    return min(2.0 * min(low, high), 1.0)


def fisher(k: int, n: int, other: int, rest: int, u: float) -> float:
    law = stats.hypergeom(n + rest, k + other, n)
    return randomised(float(law.cdf(k - 1)), float(law.pmf(k)), float(law.sf(k)), u)


def chosen(found: list[Found]) -> Found:
    """Return the pair (gap, surprise) with the largest surprise; of equal ones that with the least gap."""
    top = max(surprise for _, surprise in found)
    return min(pair for pair in found if pair[1] >= top - 1e-9 * abs(top))


def compared(hits: np.ndarray, group: np.ndarray, groups: int, u: float, known: list[int]) -> list[Found]:
    """Return gap and p-value, times their number, of the groups that are compared; none if all are alike."""
    if len(set(hits.tolist())) < 2:
        return []
    found = []
    for g in known:
        own, rest = hits[group == g], hits[group != g]
        p = fisher(int(own.sum()), len(own), int(rest.sum()), len(rest), u)
        found.append((own.mean() - rest.mean(), min(1.0, p * (1 if groups == 2 else len(known)))))
    return found


def enough(group: np.ndarray, groups: int) -> list[int]:
    return [g for g in range(groups) if min((group == g).sum(), (group != g).sum()) >= LEAST]


def parity(e: Evidence, rows: np.ndarray, hits: np.ndarray, among: np.ndarray, u: float) -> Found:
    use = rows[among[rows]]
    group = e.group[use]
    found = compared(hits[use], group, e.n_groups, u, enough(group, e.n_groups))
    if not found:
        return NOTHING
    return chosen([(gap, score_of(p)) for gap, p in found])


def demographic_parity(e: Evidence, rows: np.ndarray, u: np.ndarray) -> Found:
    return parity(e, rows, e.decision, np.ones(len(e.window), dtype=bool), u[0])


def equal_opportunity(e: Evidence, rows: np.ndarray, u: np.ndarray) -> Found:
    return parity(e, rows, e.decision, e.observed == 1, u[0])


def predictive_parity(e: Evidence, rows: np.ndarray, u: np.ndarray) -> Found:
    return parity(e, rows, e.observed == 1, e.decision, u[0])


def equalised_odds(e: Evidence, rows: np.ndarray, u: np.ndarray) -> Found:
    parts = [rows[e.observed[rows] == label] for label in (0, 1)]
    both = set(range(e.n_groups)).intersection(*(enough(e.group[part], e.n_groups) for part in parts))
    found = []
    tests = 0
    for label, part in enumerate(parts):
        some = compared(e.decision[part], e.group[part], e.n_groups, u[label], sorted(both))
        found += some
        tests += bool(some)
    if not found:
        return NOTHING
    gap, _ = chosen([(gap, score_of(p)) for gap, p in found])
    return gap, score_of(1.0 - (1.0 - min(p for _, p in found)) ** tests)


def calibration_gap(e: Evidence, rows: np.ndarray, u: np.ndarray, count: int = 20) -> Found:
    score = e.score[rows]
    if not len(rows) or np.ptp(score) == 0.0:
        return NOTHING
    part = np.array([(score < value).sum() * count // len(rows) for value in score])
    y, group = e.observed[rows], e.group[rows]
    gaps: list[float] = []
    values: list[float] = []
    for g in range(e.n_groups):
        own = group == g
        if min(own.sum(), (~own).sum()) < LEAST:
            continue
        law, start, found, weights, differences, told = np.ones(1), 0, 0, [], [], False
        for s in range(count):
            inside = part == s
            n, m = int((inside & own).sum()), int((inside & ~own).sum())
            k, j = int(y[inside & own].sum()), int(y[inside & ~own].sum())
            low, high = max(0, n + (k + j) - (n + m)), min(n, k + j)
            law = np.convolve(
                law, stats.hypergeom.pmf(np.arange(low, high + 1), n + m, k + j, n) if n + m else [1.0]
            )
            start, found = start + low, found + k
            if n and m:
                weights.append(n * m / (n + m))
                differences.append(k / n - j / m)
                told = told or 0 < k + j < n + m
        if told:
            at = found - start
            gaps.append(float(np.average(differences, weights=weights)))
            values.append(randomised(law[:at].sum(), law[at], law[at + 1 :].sum(), u[0]))
    if not values:
        return NOTHING
    times = 1 if e.n_groups == 2 else len(values)
    return chosen([(gap, score_of(min(1.0, times * p))) for gap, p in zip(gaps, values, strict=True)])


def four_fifths(e: Evidence, rows: np.ndarray, u: np.ndarray) -> Found:
    decision, group = e.decision[rows], e.group[rows]
    parts = [decision[group == g] for g in range(e.n_groups) if (group == g).sum() >= LEAST]
    if len(parts) < 2:
        return NOTHING
    share = np.concatenate(parts).mean()
    if share in (0.0, 1.0):
        return NOTHING
    found = []
    for one in parts:
        for other in parts:
            if one is not other and one.mean() <= other.mean() and other.mean() > 0.0:
                error = math.sqrt(share * (1.0 - share) * (1.0 / len(one) + 1.0 / len(other)))
                found.append((one.mean() / other.mean(), (other.mean() - one.mean()) / error))
    return chosen(found)


def accuracy(e: Evidence, rows: np.ndarray, u: np.ndarray) -> Found:
    if len(rows) < LEAST:
        return NOTHING
    trained = e.trained[e.window[rows[0]]]
    right = int((e.decision[rows] == e.observed[rows]).sum())
    known, n = int(trained[0, 0] + trained[1, 1]), int(trained.sum())
    table = [[right, len(rows) - right], [known, n - known]]
    return known / n - right / len(rows), score_of(stats.fisher_exact(table, alternative="less").pvalue)


def f1(e: Evidence, rows: np.ndarray, u: np.ndarray) -> Found:
    from sklearn.metrics import f1_score

    if len(rows) < LEAST:
        return NOTHING
    y, says = e.observed[rows], e.decision[rows]
    if not (y.any() or says.any()):
        return NOTHING

    def variance(tp: float, wrong: float, n: float) -> float:
        # the gradient of F1 and the covariance of two multinomial shares
        a, b = tp / n, wrong / n
        gradient = np.array([2 * b, -2 * a]) / (2 * a + b) ** 2
        cov = np.array([[a * (1 - a), -a * b], [-a * b, b * (1 - b)]]) / n
        return float(gradient @ cov @ gradient)

    (tn, fp), (fn, tp) = e.trained[e.window[rows[0]]].tolist()
    before = 2 * tp / (2 * tp + fp + fn)
    lost = before - f1_score(y, says)
    error = variance(tp, fp + fn, tn + fp + fn + tp)
    error += variance(float((says & (y == 1)).sum()), float((says != (y == 1)).sum()), len(rows))
    return lost, -float(stats.norm.logsf(lost / math.sqrt(error))) / math.log(10.0)


def slice_accuracy(e: Evidence, rows: np.ndarray, u: np.ndarray) -> Found:
    if len(rows) < LEAST:
        return NOTHING
    right = e.decision[rows] == e.observed[rows]
    masks = [e.group[rows] == g for g in range(e.n_groups)]
    for column in e.X[rows].T:
        cuts = np.quantile(column, [0.25, 0.5, 0.75], method="inverted_cdf")
        part = np.searchsorted(cuts, column, side="left")
        masks += [part == k for k in range(4)]
    gaps, values = [], []
    for mask in masks:
        n, rest = int(mask.sum()), int((~mask).sum())
        if min(n, rest) < LEAST:
            continue
        k, other = int(right[mask].sum()), int(right[~mask].sum())
        gaps.append(k / n - other / rest)
        values.append(stats.fisher_exact([[k, n - k], [other, rest - other]], alternative="less").pvalue)
    if not values:
        return NOTHING
    return chosen([(gap, score_of(min(1.0, len(values) * p))) for gap, p in zip(gaps, values, strict=True)])


def attributed(e: Evidence, rows: np.ndarray, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Return attributions and groups of those of the rows that have an explanation."""
    found = e.explained(name)
    use = np.isin(found.rows, rows)
    return found.values[use], e.group[found.rows[use]]


def gap(e: Evidence, rows: np.ndarray, name: str) -> Found:
    values, group = attributed(e, rows, name)
    if not len(rows) or np.ptp(e.score[rows]) == 0.0:
        return NOTHING
    found = []
    for column in values.T:
        for g in enough(group, e.n_groups):
            own, rest = column[group == g], column[group != g]
            far = own.mean() - rest.mean()
            if np.ptp(column) > 0.0:
                error = column.std(ddof=1) * math.sqrt(1.0 / len(own) + 1.0 / len(rest))
                found.append((far / e.score[rows].std(), abs(far) / error))
    return chosen(found) if found else NOTHING


def shap_gap(e: Evidence, rows: np.ndarray, u: np.ndarray) -> Found:
    return gap(e, rows, "shap")


def lime_gap(e: Evidence, rows: np.ndarray, u: np.ndarray) -> Found:
    return gap(e, rows, "lime")


def shap_ks(e: Evidence, rows: np.ndarray, u: np.ndarray) -> Found:
    values, group = attributed(e, rows, "shap")
    if not len(rows) or np.ptp(e.score[rows]) == 0.0:
        return NOTHING
    return far_laws(values, group, e.n_groups)


def far_means(values: np.ndarray, group: np.ndarray, groups: int) -> Found:
    """Return the gap that is largest in standard errors, in standard deviations and in these."""
    found = []
    for column in values.T:
        if len(column) < 2 or np.ptp(column) == 0.0:
            continue
        for g in range(groups):
            own, rest = column[group == g], column[group != g]
            if min(len(own), len(rest)) < LEAST:
                continue
            deviations = (own.mean() - rest.mean()) / column.std(ddof=1)
            found.append((deviations, abs(deviations) * math.sqrt(len(own) * len(rest) / len(column))))
    return chosen(found) if found else NOTHING


def far_laws(values: np.ndarray, group: np.ndarray, groups: int) -> Found:
    distances, least = [], []
    for g in range(groups):
        if min((group == g).sum(), (group != g).sum()) < LEAST:
            continue
        tests = [stats.ks_2samp(column[group == g], column[group != g]) for column in values.T]
        distances.append(max(test.statistic for test in tests))
        least.append(min(1.0, values.shape[1] * min(test.pvalue for test in tests)))
    if not least:
        return NOTHING
    times = 1 if groups == 2 else len(least)
    surprises = [score_of(min(1.0, times * p)) for p in least]
    # of equally surprising ones the smaller group
    sizes = [(group == g).sum() for g in enough(group, groups)]
    place = min(range(len(least)), key=lambda k: (-round(surprises[k], 9), sizes[k]))
    return distances[place], surprises[place]


def input_gap(e: Evidence, rows: np.ndarray, u: np.ndarray) -> Found:
    return far_means(e.X[rows], e.group[rows], e.n_groups)


def score_gap(e: Evidence, rows: np.ndarray, u: np.ndarray) -> Found:
    return far_means(e.score[rows, None], e.group[rows], e.n_groups)


def input_ks(e: Evidence, rows: np.ndarray, u: np.ndarray) -> Found:
    return far_laws(e.X[rows], e.group[rows], e.n_groups)


def score_ks(e: Evidence, rows: np.ndarray, u: np.ndarray) -> Found:
    if not len(rows) or np.ptp(e.score[rows]) == 0.0:
        return NOTHING
    return far_laws(e.score[rows, None], e.group[rows], e.n_groups)


def influence(e: Evidence, rows: np.ndarray, u: np.ndarray) -> Found:
    values, _ = attributed(e, rows, "shap")
    now = np.abs(values).mean(axis=0) if len(values) >= LEAST else np.zeros(1)
    if not now.sum() > 0.0:
        return NOTHING
    assert e.known is not None
    then = e.known[e.window[rows[0]]]
    return (float(np.abs(now / now.sum() - then / then.sum()).max()),) * 2


def flip(e: Evidence, rows: np.ndarray, u: np.ndarray) -> Found:
    kept = [g for g in range(e.n_groups) if (e.group[rows] == g).sum() >= LEAST]
    use = rows[np.isin(e.group[rows], kept)]
    if len(kept) < 2 or np.ptp(e.score[rows]) == 0.0:
        return NOTHING
    return (float((e.decision[use] != e.flipped()[0][use]).mean()),) * 2


def explanation_shift(e: Evidence, rows: np.ndarray, u: np.ndarray, ridge: float = 0.01) -> Found:
    values, group = attributed(e, rows, "shap")
    if not len(rows) or np.ptp(e.score[rows]) == 0.0:
        return NOTHING
    half = np.zeros(len(group), dtype=int)
    for g in range(e.n_groups):
        left = int((group == g).sum())
        wanted = left // 2
        for i in np.flatnonzero(group == g):
            if u[i] * left < wanted:
                half[i], wanted = 1, wanted - 1
            left -= 1
    areas, values_p, sizes = [], [], []
    for g in range(e.n_groups):
        own = group == g
        if min(own.sum(), (~own).sum()) < LEAST:
            continue
        surplus, variance, pairs = 0.0, 0.0, 0
        for h in (0, 1):
            learn, judge = half != h, half == h
            one, other = values[learn & own], values[learn & ~own]
            centred = np.concatenate([one - one.mean(axis=0), other - other.mean(axis=0)])
            spread = np.sqrt((centred**2).sum(axis=0))
            used = spread > 1e-9
            z = centred[:, used] / spread[used]
            weights = np.zeros(values.shape[1])
            difference = (one.mean(axis=0) - other.mean(axis=0))[used] / spread[used]
            weights[used] = np.linalg.solve(z.T @ z + ridge * np.eye(used.sum()), difference) / spread[used]
            a, b = values[judge & own] @ weights, values[judge & ~own] @ weights
            surplus += stats.mannwhitneyu(a, b).statistic - len(a) * len(b) / 2
            _, ties = np.unique(np.concatenate([a, b]), return_counts=True)
            n = len(a) + len(b)
            variance += len(a) * len(b) / 12 * (n + 1 - (ties**3 - ties).sum() / (n * (n - 1)))
            pairs += len(a) * len(b)
        areas.append(0.5 + surplus / pairs)
        sizes.append(own.sum())
        values_p.append(
            float(stats.norm.logsf(surplus / math.sqrt(variance))) if variance > 0 else math.log(0.5)
        )
    if not areas:
        return NOTHING
    # as many tests as there are groups compared, but two groups are one comparison
    times = 1 if e.n_groups == 2 else len(areas)
    if e.n_groups == 2:
        areas, values_p = areas[:1], values_p[:1]
    place = min(range(len(areas)), key=lambda k: (values_p[k], sizes[k]))
    return areas[place], max(-(min(values_p) + math.log(times)) / math.log(10.0), 0.0)


PLAIN: dict[str, Callable[[Evidence, np.ndarray, np.ndarray], Found]] = {
    function.__name__: function
    for function in (
        accuracy,
        calibration_gap,
        demographic_parity,
        equal_opportunity,
        equalised_odds,
        explanation_shift,
        f1,
        flip,
        four_fifths,
        influence,
        input_gap,
        input_ks,
        lime_gap,
        predictive_parity,
        score_gap,
        score_ks,
        shap_gap,
        shap_ks,
        slice_accuracy,
    )
}
#: random numbers a window; the others draw one a row or none
DRAWS = {
    "calibration_gap": 1,
    "demographic_parity": 1,
    "equal_opportunity": 1,
    "predictive_parity": 1,
    "equalised_odds": 2,
}


def plainly(name: str, evidence: Evidence, seed: int) -> np.ndarray:
    """Return statistic and score of each window, float64 (2, T), window after window."""
    rng = np.random.default_rng(seed)
    found = []
    for t in range(evidence.windows):
        rows = np.flatnonzero(evidence.window == t)
        u = rng.random(DRAWS.get(name, len(rows)))
        found.append(PLAIN[name](evidence, rows, u))
    return np.array(found).T
