"""Attributions and scores of groups on the page of an audit."""

from __future__ import annotations

import math

import numpy as np
import polars as pl

from mlopsim.core.text import code_span
from mlopsim.core.track import Section
from mlopsim.fairness.evidence import Evidence
from mlopsim.fairness.group_values import welch
from mlopsim.fairness.naming import GAP
from mlopsim.fairness.rates import LEAST
from mlopsim.stats.interval import NAN, Interval
from mlopsim.stats.table import interval_columns

#: features and groups that a picture shows; tables show all
SHOWN = 15
#: points of a drawn distribution function
POINTS = 300
#: p-values below are not told apart
LEAST_P = 1e-99


def p_text(p: float) -> str:
    """Typeset a p-value.

    Examples
    --------
    >>> p_text(0.0), p_text(0.0123), p_text(float("nan"))
    ('< 1e-99', '0.012', '–')
    """
    if math.isnan(p):
        return "–"
    return "< 1e-99" if p < LEAST_P else f"{p:.2g}"


def most_of(shown: int, total: int, what: str) -> str:
    """Return what a picture leaves out, for its caption."""
    return f"; the {shown} largest of {total} {what}" if shown < total else ""


def attribution_gaps(evidence: Evidence, name: str, level: float) -> tuple[list[Interval], np.ndarray]:
    """Return the gaps of mean attributions, each group less all others, with Welch's intervals.

    Parameters
    ----------
    evidence : Evidence
        One window.
    name : str
        The explanation, ``shap`` or ``lime``.
    level : float

    Returns
    -------
    list of Interval
        Of all groups and features, features fastest; without ends for fewer than five rows.
    rows : ndarray of int64, shape (G,)
        That were explained.

    Examples
    --------
    >>> from mlopsim.fairness.made_up_evidence import sample
    >>> found, rows = attribution_gaps(sample(windows=1, shift=1.0), "shap", 0.95)
    >>> found[0], rows.tolist()
    (Interval(0.698 [0.542, 0.853], n=400), [200, 200])
    """
    explained = evidence.explained(name)
    group = evidence.group[explained.rows]
    rows = np.bincount(group, minlength=evidence.n_groups)
    found: list[Interval] = []
    for g in range(evidence.n_groups):
        mine = explained.values[group == g]
        others = explained.values[group != g]
        found += welch(mine, others, level)
    return found, rows


def attributions(evidence: Evidence, level: float) -> list[Section]:
    """Make one section for each kind of explanation."""
    from mlopsim.plots.heatmap import heatmap
    from mlopsim.plots.leaderboard import leaderboard

    features, groups = evidence.features, evidence.groups
    # of two groups one says it all
    shown = range(len(groups)) if len(groups) > 2 else range(1)
    out = []
    titles = {"shap": "Shapley values", "lime": "LIME"}
    texts = {
        "shap": "What each feature adds to the score (interventional Shapley values): gaps of its mean. "
        f"A gap is {GAP}. Over the features the gaps add up to the gap of the mean scores "
        "of the rows that were explained.",
        "lime": "What being in its quarter of a feature adds to the score of a row, by a linear model fitted "
        f"around it (LIME, quartile form): gaps of its mean. A gap is {GAP}. They add up to nothing.",
    }
    for name, title in titles.items():
        found, rows = attribution_gaps(evidence, name, level)
        d = len(features)
        table = {(g, j): found[g * d + j] for g in shown for j in range(d)}
        size = [max((abs(table[g, j].value) for g in shown), default=0.0) for j in range(d)]
        order = sorted(range(d), key=lambda j: -np.nan_to_num(size[j], nan=-1.0))
        keys = [(g, j) for g in shown for j in order]
        frame = pl.DataFrame(
            {
                "group": [groups[g] for g, _ in keys],
                "feature": [features[j] for _, j in keys],
                **interval_columns("gap", [table[key] for key in keys]),
            }
        )
        counts = ", ".join(f"{code_span(group)}: {n:,}" for group, n in zip(groups, rows, strict=True))
        text = (
            f"{texts[name]} {level:.0%} intervals (Welch). As many rows of each group as possible are "
            f"explained, so that small groups weigh more among all others than in the data: {counts}."
        )
        top = order[:SHOWN]
        note = f"{level:.0%} intervals; units of the score" + most_of(len(top), d, "features by their gaps")
        figure_name = f"Gaps, {title}"
        if len(groups) == 2:
            values = [table[0, j] for j in top]
            figure = leaderboard(
                [features[j] for j in top],
                [v.value for v in values],
                [v.low for v in values],
                [v.high for v in values],
                [v.n for v in values],
                xlabel=f"{groups[0]} less {groups[1]}",
                direction="none",
                references={"alike": 0.0},
                note=note + "; n: rows",
            )
        else:
            largest = sorted(shown, key=lambda g: -int(rows[g]))[:SHOWN]
            matrix = np.array([[table[g, j].value for g in largest] for j in top])
            end = float(np.nanmax(np.abs(matrix), initial=1e-12))
            figure = heatmap(
                [features[j] for j in top],
                [groups[g] for g in largest],
                matrix,
                low=-end,
                high=end,
                middle=0.0,
                note="each group less all others; units of the score" + most_of(len(top), d, "features"),
            )
        out.append(Section(title=title, text=text, table=frame, figures={figure_name: figure}))
    return out


def scores(evidence: Evidence, level: float) -> Section:
    """Make the section on scores by group."""
    from mlopsim.numerics.ecdf import two_cdfs
    from mlopsim.plots.cdf import cdf
    from mlopsim.plots.curves import Curve
    from mlopsim.plots.curves import curves as draw_curves

    rows, names = evidence.rows[0], evidence.groups
    known = [g for g in range(len(names)) if rows[g] >= LEAST]
    means, distances, p = [], [], []
    for g in range(len(names)):
        mine, others = evidence.score[evidence.group == g], evidence.score[evidence.group != g]
        means.append(float(mine.mean()) if len(mine) else NAN)
        if min(len(mine), len(others)) < LEAST:
            distances.append(Interval(value=NAN, n=len(mine), reason=f"fewer than {LEAST} rows"))
            p.append(NAN)
            continue
        both = two_cdfs(others, mine, level=level)
        distances.append(both.distance)
        p.append(both.pvalue)
    table = pl.DataFrame(
        {
            "group": list(names),
            "rows": rows,
            "mean_score": means,
            "mean_score_reason": ["" if n else "no rows" for n in rows],
            **interval_columns("distance", distances),
            "p": [p_text(value) for value in p],
        }
    ).drop("distance_n")
    if len(known) == 2 == len(names):
        one, other = (evidence.score[evidence.group == g] for g in known)
        figure = cdf(
            two_cdfs(one, other, level=level),
            names=(names[0], names[1]),
            xlabel="score",
        )
    else:
        at = np.unique(np.quantile(evidence.score, np.linspace(0.0, 1.0, POINTS)))
        lines = {}
        for g in sorted(known, key=lambda g: -int(rows[g]))[:8]:
            mine = np.sort(evidence.score[evidence.group == g])
            share = np.searchsorted(mine, at, side="right") / len(mine)
            half = math.sqrt(math.log(2.0 / (1.0 - level)) / (2.0 * len(mine)))
            low, high = np.clip([share - half, share + half], 0.0, 1.0)
            lines[names[g]] = Curve(x=at, y=share, low=low, high=high)
        figure = draw_curves(
            lines,
            xlabel="score",
            ylabel="share at or below",
            step=True,
            legend=True,
            note=f"bands (Dvoretzky-Kiefer-Wolfowitz): {level:.0%}"
            + most_of(len(lines), len(names), "groups"),
        )
    text = (
        "The model's score (log odds, or a probability, as the model gives it) in each group: its mean, and "
        "the Kolmogorov-Smirnov distance to all others with the p-value of its own test, not adjusted."
    )
    return Section(title="Scores", text=text, table=table, figures={"Scores by group": figure})
