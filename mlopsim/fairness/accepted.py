"""What "accepted" means: which of two labels is the one that is wished for, where names say so."""

from __future__ import annotations

import re

from mlopsim.core.errors import ConfigError

#: what people wish for, and say so
WISHED = frozenset(
    {
        *("accept", "accepted", "admit", "admitted", "admission", "approve", "approved", "approval"),
        *("grant", "granted", "hire", "hired", "invited", "pass", "passed", "good", "paid", "repaid"),
        *("eligible", "promoted", "qualified", "graduated", "selected"),
    }
)
#: words that turn another one round
NEGATIONS = frozenset({"not", "no", "non", "never"})
#: labels that say whether what the column is called holds
TRUTHS = (("no", "yes"), ("false", "true"), ("0", "1"), ("n", "y"), ("f", "t"))
#: columns whose names say nothing of what 1 is: of these it is the positive class by custom
UNSAID = frozenset({"label", "labels", "y", "target", "class", "outcome"})


def _wished(name: str) -> bool:
    words = set(re.findall(r"[^\W\d_]+", name.lower()))
    return bool(words & WISHED) and not words & NEGATIONS


def obvious(classes: tuple[str, str], column: str) -> str | None:
    """Return the label that is wished for, where the names leave no doubt; else None.

    Either one of the two labels says it itself (``approved``), or they are a yes and a no in a column that
    does. ``1`` in a column ``two_year_recid`` is a yes to what nobody wishes for, and ``>50K`` is for its
    owner to say. In a column that is only called ``label``, 1 is the positive class by custom.

    Parameters
    ----------
    classes : tuple of two str
    column : str
        Name of the column of the labels.

    Examples
    --------
    >>> obvious(("approved", "denied"), "outcome"), obvious(("0", "1"), "hired")
    ('approved', '1')
    >>> obvious(("0", "1"), "two_year_recid"), obvious(("no", "yes"), "default")
    (None, None)
    >>> obvious(("0", "1"), "label"), obvious(("no", "yes"), "label")
    ('1', None)
    """
    if set(classes) == {"0", "1"} and column.lower() in UNSAID:
        return "1"
    said = [name for name in classes if _wished(name)]
    if len(said) == 1:
        return said[0]
    lowered = {name.lower(): name for name in classes}
    for no, yes in TRUTHS:
        if not said and set(lowered) == {no, yes} and _wished(column):
            return lowered[yes]
    return None


def ask(classes: tuple[str, str], rows: tuple[int, int], column: str) -> ConfigError:
    """Return the question which label is meant, as an error.

    Parameters
    ----------
    classes : tuple of two str
    rows : tuple of two int
        Rows that have each.
    column : str

    Examples
    --------
    >>> print(ask(("0", "1"), (3963, 3251), "two_year_recid").message)
    which label of 'two_year_recid' is an acceptance: '0' (3,963 rows) or '1' (3,251 rows)? Nothing says so
    """
    first, second = (f"'{name}' ({count:,} rows)" for name, count in zip(classes, rows, strict=True))
    return ConfigError(
        f"which label of '{column}' is an acceptance: {first} or {second}? Nothing says so",
        remedy=f"--positive '{classes[0]}' or --positive '{classes[1]}': rates of acceptance, precision and "
        "error rates are of what the model says to be that",
    )
