"""The data of an audit, as a section and in sentences: copies of rows, features that tell the group."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl

from mlopsim.core.text import code_span
from mlopsim.core.track import Section
from mlopsim.fairness.dataset_audit import Subject
from mlopsim.fairness.group_copies import NEAR, Copy


def repeated_text(subject: Subject) -> str:
    """Say how many rows are equal to another one, and what became of them; empty where none is."""
    split = subject.split
    if split is None or not split.repeated:
        return ""
    text = f"{split.repeated:,} of {len(subject.table.y):,} rows are equal to an earlier one in every feature"
    if split.left_out:
        return f"{text}; {split.left_out:,} of them come after their copy was trained on and are not audited"
    if not split.across:
        return (
            f"{text}; they are kept on one side of the split, so that no copy of what was learnt is audited"
        )
    seen = subject.evidence
    right, known = seen.decision == (seen.observed == 1), split.known
    text += f"; {split.across:,} of the audited rows are equal to one that was trained on "
    others = "" if known.all() else f", of the others {right[~known].mean():.3f}"
    return f"{text}(accuracy {right[known].mean():.3f}{others})"


def copies_text(copies: Sequence[Copy], group: str) -> str:
    """Say which features give away a group that is hidden from the model; empty where none does."""
    if not copies:
        return ""
    words = "; ".join(copy.words for copy in copies)
    drops = " ".join(f"--drop '{copy.feature}'" for copy in copies)
    return f"the model is not to see '{group}', yet {words}: hide what tells it, too ({drops})"


def data(subject: Subject) -> Section:
    """Make the section about the data."""
    table = subject.table
    columns = {
        "feature": list(table.features),
        "kind": [
            f"{len(table.categories[j])} categories" if j in table.categories else "numeric"
            for j in range(len(table.features))
        ],
        "missing": np.isnan(table.X).mean(axis=0),
    }
    text = (
        f"{len(table.y):,} rows, {subject.trained:,} of them to train on. A missing number is the median of "
        "the training rows; a category becomes a column of its own (the 20 most frequent of each feature), a "
        "missing one is in none. "
    )
    if repeated := repeated_text(subject):
        text += f"{repeated}. "
    if table.no_group is not None:
        text += f"Rows without a group are a group of their own, {code_span(table.no_group)}. "
    text += "**missing**: share of the rows."
    if subject.told is not None:
        columns["tells the group"] = subject.told
        text += (
            " **tells the group**: share of the group that the feature tells best with values that are more "
            "frequent in it, less that of all others with such values: 1 says all, 0 nothing (values chosen "
            f"on the rows to train on, counted on the others). From {NEAR:g} on it is a copy of the group: "
        )
        names = ", ".join(code_span(copy.feature) for copy in subject.copies)
        text += (names or "none is") + "."
    return Section(title="Data", text=text, table=pl.DataFrame(columns))
