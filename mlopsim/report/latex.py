r"""A leaderboard for a paper: a table in LaTeX, and its numbers as macros.

Numbers are looked up in LaTeX by name: ``\mlopsimnum{quick-v3/never/ns}``. LaTeX has one macro a name made of
letters only, so names stand in an argument. There they keep letters, digits, ``/``, ``.`` and ``-``, which no
package makes active; what stands between becomes one ``-``: ``ppo(n_envs=32)`` is ``ppo-n-envs-32``. Two
names that would become one get the beginning of a digest behind them.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from mlopsim.core.digest import digest
from mlopsim.core.text import visible
from mlopsim.stats.table import DASH, format_number

#: what LaTeX reads as something else, and how it is written
SPECIAL = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "$": r"\$",
    "&": r"\&",
    "#": r"\#",
    "%": r"\%",
    "_": r"\_",
    "^": r"\textasciicircum{}",
    "~": r"\textasciitilde{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': r"\symbol{34}",
    "'": r"\textquotesingle{}",
    "`": r"\textasciigrave{}",
    # behind a line's end they would be arguments of it
    "[": "{[}",
    "]": "{]}",
    "*": "{*}",
    "−": r"\ensuremath{-}",
    "∞": r"\ensuremath{\infty}",
    DASH: r"\mbox{--}",
}
#: how an estimate without a value is written
UNDEFINED = SPECIAL[DASH]


def escaped(text: object) -> str:
    r"""Return a text that LaTeX sets as it is.

    Examples
    --------
    >>> print(escaped("50% of a_b & {c}"))
    50\% of a\_b \& \{c\}
    >>> print(escaped("x\\input{y}"))
    x\textbackslash{}input\{y\}
    """
    # two hyphens would be set as a dash
    return (
        "".join(SPECIAL.get(char, char) for char in visible(text))
        .replace("--", "-{}-")
        .replace(r"\mbox{-{}-}", UNDEFINED)
    )


def number(value: float, digits: int = 3) -> str:
    r"""Return a number in LaTeX, for text and for math.

    Examples
    --------
    >>> print(number(-0.5, 2), number(float("nan")), number(float("inf")))
    \ensuremath{-}0.50 \mbox{--} \ensuremath{\infty}
    """
    return escaped(format_number(value, digits))


def interval(value: float, low: float, high: float, digits: int = 3) -> str:
    r"""Return an estimate with its interval in LaTeX.

    Examples
    --------
    >>> print(interval(0.5, -0.4, 0.6, 1))
    0.5 {[}\ensuremath{-}0.4, 0.6{]}
    """
    if math.isnan(value):
        return UNDEFINED
    inside = (
        UNDEFINED
        if math.isnan(low) or math.isnan(high)
        else (f"{number(low, digits)}, {number(high, digits)}")
    )
    return f"{number(value, digits)} {{[}}{inside}{{]}}"


@dataclass(frozen=True, kw_only=True)
class Value:
    """A number that a macro gives: its name, estimate, ends and n, and why it is undefined."""

    name: str
    value: float
    low: float
    high: float
    n: int
    reason: str = ""


def macro_names(names: Sequence[str]) -> dict[str, str]:
    """Return how names are written in an argument of a macro; each its own.

    Examples
    --------
    >>> list(macro_names(["quick-v3/ppo(n_envs=32)/ns", "quick-v3/never/ns"]).values())
    ['quick-v3/ppo-n-envs-32/ns', 'quick-v3/never/ns']
    >>> [len(name) for name in macro_names(["s/a_b/x", "s/a+b/x"]).values()]
    [12, 12]
    """
    plain = {name: "/".join(map(_plain, _parts(name))) for name in names}
    times = Counter(plain.values())
    return {
        name: short if times[short] == 1 else f"{short}-{digest(name)[:4]}" for name, short in plain.items()
    }


def _parts(name: str) -> list[str]:
    """Split ``suite/method/column``: a method may have slashes of its own."""
    suite, _, rest = name.partition("/")
    method, _, column = rest.rpartition("/")
    return [suite, method.replace("/", " "), column]


def _plain(part: str) -> str:
    return re.sub(r"[^A-Za-z0-9.-]+", "-", part).strip("-") or "x"


def comment(lines: Sequence[str]) -> str:
    """Return lines as comments: nothing in them ends a line."""
    return "".join(f"% {visible(line)}\n" for line in lines)


def macros(values: Sequence[Value], head: Sequence[str], digits: int = 3) -> str:
    r"""Return a file of macros: ``\mlopsimnum{NAME}``, and ``value``, ``low``, ``high``, ``n`` of it.

    Parameters
    ----------
    values : sequence of Value
    head : sequence of str
        What the file is of; comments.
    digits : int, default 3
        Digits after the point.

    Returns
    -------
    str
        It may be read beside files of other suites. A name that is not there is an error of LaTeX.

    Examples
    --------
    >>> one = Value(name="quick-v3/never/ns", value=0.5, low=0.4, high=0.6, n=10)
    >>> print(macros([one], ["quick-v3"], 2).splitlines()[-1])
    \mlopsimset{quick-v3/never/ns}{0.50}{0.40}{0.60}{10}{0.50 {[}0.40, 0.60{]}}%
    """
    short = macro_names([value.name for value in values])
    lines = [comment(head) + comment(USE) + PREAMBLE]
    for value in values:
        fields = [short[value.name], *(number(x, digits) for x in (value.value, value.low, value.high))]
        fields += [str(value.n), interval(value.value, value.low, value.high, digits)]
        lines.append(r"\mlopsimset" + "".join(f"{{{field}}}" for field in fields) + "%\n")
        if value.reason:
            lines.append(comment([f"  {short[value.name]}: {value.reason}"]))
    return "".join(lines)


#: what stands on top of a file of macros
USE = (
    r"\input this file; then \mlopsimnum{NAME} gives the estimate with its 95 % interval, and \mlopsimvalue,",
    r"\mlopsimlow, \mlopsimhigh and \mlopsimn give its parts. Names: suite/method/column.",
)
PREAMBLE = r"""\makeatletter
\providecommand{\mlopsim@get}[2]{\ifcsname mlopsim@#1@#2\endcsname\csname mlopsim@#1@#2\endcsname\else
  \PackageError{mlopsim}{no number `#2'}{Export the numbers again, or mend the name.}\fi}
\providecommand{\mlopsimnum}[1]{\mlopsim@get{num}{#1}}
\providecommand{\mlopsimvalue}[1]{\mlopsim@get{value}{#1}}
\providecommand{\mlopsimlow}[1]{\mlopsim@get{low}{#1}}
\providecommand{\mlopsimhigh}[1]{\mlopsim@get{high}{#1}}
\providecommand{\mlopsimn}[1]{\mlopsim@get{n}{#1}}
\providecommand{\mlopsim@put}[2]{\expandafter\def\csname mlopsim@#1\endcsname{#2}}
\providecommand{\mlopsimset}[6]{%
  \mlopsim@put{value@#1}{#2}\mlopsim@put{low@#1}{#3}\mlopsim@put{high@#1}{#4}%
  \mlopsim@put{n@#1}{#5}\mlopsim@put{num@#1}{#6}}
\makeatother%
"""


def booktabs(
    columns: Mapping[str, Sequence[str]],
    numeric: Sequence[str],
    head: Sequence[str],
    notes: Sequence[str] = (),
) -> str:
    r"""Return a table for the package ``booktabs``.

    Parameters
    ----------
    columns : mapping of str to sequence of str
        Cells of each column by its heading, in LaTeX; headings are escaped here.
    numeric : sequence of str
        Columns that are set to the right.
    head, notes : sequence of str
        Comments above and below.

    Examples
    --------
    >>> print(booktabs({"method": ["never"], "n": ["10"]}, ["n"], ["quick-v3"]))
    % quick-v3
    % needs \usepackage{booktabs}
    \begin{tabular}{lr}
    \toprule
    method & n \\
    \midrule
    never & 10 \\
    \bottomrule
    \end{tabular}
    <BLANKLINE>
    """
    shape = "".join("r" if name in numeric else "l" for name in columns)
    rows = zip(*columns.values(), strict=True)
    lines = [
        rf"\begin{{tabular}}{{{shape}}}",
        r"\toprule",
        " & ".join(map(escaped, columns)) + r" \\",
        r"\midrule",
        *(" & ".join(row) + r" \\" for row in rows),
        r"\bottomrule",
        r"\end{tabular}",
    ]
    return comment([*head, r"needs \usepackage{booktabs}"]) + "\n".join(lines) + "\n" + comment(notes)
