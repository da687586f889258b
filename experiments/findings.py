"""Make the pages of findings from their sources, in which every number is a look-up into a committed table.

The pages `docs/findings/*.md` are plain Markdown; the sources `docs/findings/source/*.md.jinja` are Jinja2
templates of them, `questions.md.jinja` of the table of questions in the README. A name, column or row that is
not there, and a claim that no longer holds, ends it with an error.

    python experiments/findings.py            # write the pages
    python experiments/findings.py --check    # write nothing; fails if a page is not what its source gives
    python experiments/findings.py --given    # list the figures that are typed by hand, and why
"""

from __future__ import annotations

import _common  # isort: skip

import argparse
import math
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, TemplateError

from mlopsim.compose.named_numbers import Board, read_published
from mlopsim.compose.report_page import read_board
from mlopsim.core.errors import ConfigError, MlopsimError, nearest

if TYPE_CHECKING:
    import polars as pl

ROOT = _common.ROOT
RESULTS = ROOT / "results"
PAGES = ROOT / "docs" / "findings"
SOURCES = PAGES / "source"
#: the source of the table of questions in the README
QUESTIONS = "questions.md"
#: why a figure may be typed by hand: what is set, what a word means, the time of a run on somebody's machine
REASONS = ("setting", "definition", "citation", "machine")
WORDS = (
    *("none", "one", "two", "three", "four", "five", "six", "seven"),
    *("eight", "nine", "ten", "eleven", "twelve", "thirteen", "fourteen", "fifteen"),
)
#: what holds no figure that is read: look-ups, code, targets of links
NO_PROSE = re.compile(r"\{[{%#].*?[}%#]\}|^```.*?^```|`[^`\n]*`|\]\([^)]*\)", re.DOTALL | re.MULTILINE)
#: a figure that does not belong to a name, such as "HDDM-W" or "F1"
FIGURE = re.compile(r"(?<![\w.])[-\u2212]?[\d.,]*\d(?:\s?%)?")

STRING = re.compile(r"\"[^\"]*\"|'[^']*'")
#: what is no result wherever it stands: the ends of a scale, and the level of all intervals
ALLOWED = ("0", "1", "95 %")


def typeset(value: float, digits: int = 3, *, zero: bool = False, exact: bool = False) -> str:
    """Typeset a number as the pages do.

    Parameters
    ----------
    value : float
    digits : int, default 3
    zero : bool, default False
        Whether a 0 stands before the point.
    exact : bool, default False
        Whether a whole number is written without decimals.

    Raises
    ------
    ConfigError
        If it is undefined: a text says so in words.

    Examples
    --------
    >>> typeset(-0.0466), typeset(0.5, 2, zero=True), typeset(1.0, exact=True), typeset(3880800, 0)
    ('-.047', '0.50', '1', '3,880,800')
    """
    if not math.isfinite(value):
        raise ConfigError("the number is undefined", remedy="say so in words, with the reason of the table")
    text = f"{value:.{0 if exact and value == int(value) else digits}f}"
    if abs(value) >= 10_000:
        text = f"{value:,.{digits}f}"
    return text if zero else re.sub(r"^(-?)0\.", r"\1.", text)


def interval(
    value: float, low: float, high: float, digits: int = 3, *, zero: bool = False, bold: bool = False
) -> str:
    """Typeset a number with its interval; in bold, where asked for, if the interval leaves out 0.

    Examples
    --------
    >>> interval(0.2, 0.1, 0.325, 2, bold=True), interval(0.2, 0.0, 0.325, 2, bold=True)
    ('**.20 [.10, .33]**', '.20 [.00, .33]')
    """
    shown = [typeset(each, digits, zero=zero) for each in (value, low, high)]
    text = f"{shown[0]} [{shown[1]}, {shown[2]}]"
    return f"**{text}**" if bold and (low > 0 or high < 0) else text


@dataclass(frozen=True)
class Table:
    """Rows of a committed table, all or some; the methods are what a source may ask of them.

    Parameters
    ----------
    frame : polars.DataFrame
    name : str
        As errors name it.
    """

    frame: pl.DataFrame
    name: str

    def where(self, condition: str = "", **equal: Any) -> Table:
        """Return the rows of which an SQL condition holds, and that have these values.

        Raises
        ------
        ConfigError
            If a column is not there; names the nearest.
        """
        import polars as pl

        frame = self.frame
        if condition:
            try:
                frame = frame.filter(pl.sql_expr(condition))
            except pl.exceptions.PolarsError as error:
                raise ConfigError(
                    f"{self.name}: '{condition}' is no condition on it: {error}",
                    remedy=f"a condition in SQL on: {', '.join(frame.columns)}",
                ) from error
        for column, value in equal.items():
            self._has(column)
            frame = frame.filter(pl.col(column) == value)
        return Table(frame, self.name)

    def _has(self, column: str) -> None:
        if column not in self.frame.columns:
            raise ConfigError(
                f"{self.name} has no column '{column}'{nearest(column, self.frame.columns)}",
                remedy=f"one of: {', '.join(self.frame.columns)}",
            )

    def value(self, column: str, condition: str = "", **equal: Any) -> Any:
        """Return what stands in a column of the one row that is meant.

        Raises
        ------
        ConfigError
            If it is not one row, or the column is not there.
        """
        self._has(column)
        found = self.where(condition, **equal).frame[column].to_list()
        if len(found) != 1:
            raise ConfigError(
                f"{self.name} has {len(found)} rows where {condition or ''}{equal or ''}",
                remedy="name the columns that tell one row",
            )
        return found[0]

    def num(
        self,
        column: str,
        digits: int = 0,
        condition: str = "",
        *,
        scale: float = 1.0,
        zero: bool = False,
        exact: bool = False,
        size: bool = False,
        **equal: Any,
    ) -> str:
        """Typeset a number of one row; ``size`` drops its sign."""
        value = _real(self.value(column, condition, **equal)) * scale
        return typeset(abs(value) if size else value, digits, zero=zero, exact=exact)

    def ci(
        self,
        column: str,
        digits: int = 3,
        condition: str = "",
        *,
        ends: str = "",
        zero: bool = False,
        bold: bool = False,
        size: bool = False,
        **equal: Any,
    ) -> str:
        """Typeset a number of one row with its interval.

        Parameters
        ----------
        column : str
        digits : int, default 3
        condition : str, optional
            See :meth:`where`.
        ends : str, optional
            The columns of its interval with ``*`` for low and high; ``column_*`` by default.
        zero, bold : bool, default False
            See :func:`interval`.
        size : bool, default False
            Whether the sign changes sides: a difference below 0, told as a loss.
        **equal
            See :meth:`where`.
        """
        pattern = ends or f"{column}_*"
        names = (column, pattern.replace("*", "low"), pattern.replace("*", "high"))
        found = [_real(self.value(name, condition, **equal)) for name in names]
        if size:
            found = [-found[0], -found[2], -found[1]]
        value, low, high = found
        return interval(value, low, high, digits, zero=zero, bold=bold)

    def count(self, condition: str = "", **equal: Any) -> int:
        """Count rows."""
        return self.where(condition, **equal).frame.height

    def total(self, column: str) -> float:
        """Return the sum of a column."""
        self._has(column)
        return float(self.frame[column].sum())

    def least(self, column: str) -> float:
        """Return the least of a column, what is undefined aside."""
        return min(self._defined(column))

    def most(self, column: str) -> float:
        """Return the largest of a column, what is undefined aside."""
        return max(self._defined(column))

    def lowest(self, column: str) -> str:
        """Return the method with the least of a column."""
        return str(self.value("method", f"{column} = {self.least(column)!r}"))

    def highest(self, column: str) -> str:
        """Return the method with the largest of a column."""
        return str(self.value("method", f"{column} = {self.most(column)!r}"))

    def least_by(self, key: str, column: str) -> Table:
        """Return the least of a column by what stands in another, what is undefined aside."""
        import polars as pl

        for each in (key, column):
            self._has(each)
        known = self.frame.filter(pl.col(column).is_not_null())
        return Table(known.group_by(key, maintain_order=True).agg(pl.col(column).min()), self.name)

    def flat_by(self, key: str, column: str) -> Table:
        """Return what a column has by what stands in another, where it is the same in all of these rows."""
        import polars as pl

        for each in (key, column):
            self._has(each)
        found = self.frame.group_by(key, maintain_order=True).agg(
            pl.col(column).first(), pl.col(column).n_unique().alias("values")
        )
        return Table(found.filter(pl.col("values") == 1), self.name)

    def column(self, column: str) -> list[Any]:
        """Return a column as it stands, in the order of the table."""
        self._has(column)
        return self.frame[column].to_list()

    def _defined(self, column: str) -> list[float]:
        self._has(column)
        found = [_real(value) for value in self.frame[column]]
        return [value for value in found if not math.isnan(value)]


def _real(value: Any) -> float:
    return math.nan if value is None else float(value)


@dataclass
class Looked:
    """What a source may call, and what it was given by hand.

    Parameters
    ----------
    results : Path
        The folder of the committed results.
    """

    results: Path = RESULTS
    given_by_hand: list[tuple[str, str]] = field(default_factory=list)

    def table(self, name: str) -> Table:
        """Return a committed table by its path below the results, ``worth_of_a_gate/counts.csv``."""
        return _table(self.results / name, name)

    def board(self, suite: str) -> Table:
        """Return the leaderboard of a suite as a table, for what has no interval."""
        return Table(_defined(_published(self.results / suite).frame), f"{suite}/leaderboard.csv")

    def named(
        self, suite: str, method: str, column: str, digits: int = 3, *, zero: bool = False, only: bool = False
    ) -> str:
        """Typeset a number of a leaderboard, of those that ``mlopsim export --format macros`` names.

        Parameters
        ----------
        suite, method, column : str
        digits : int, default 3
        zero : bool, default False
        only : bool, default False
            Whether its interval is left out.
        """
        found = _published(self.results / suite).number(method, column)
        if only:
            return typeset(found.value, digits, zero=zero)
        return interval(found.value, found.low, found.high, digits, zero=zero)

    def setting(self, name: str, keys: str) -> Any:
        """Return what a ``config.yaml`` says, by its folder and keys with dots, ``grid.seeds``."""
        found = _config(self.results / name / "config.yaml")
        for key in keys.split("."):
            try:
                found = found[int(key)] if isinstance(found, list) else found[key]
            except (KeyError, IndexError, TypeError, ValueError) as error:
                raise ConfigError(
                    f"the settings of {name} have no '{keys}' (at '{key}')",
                    remedy=f"look at {name}/config.yaml",
                ) from error
        return found

    def given(self, text: str, why: str) -> str:
        """Return a figure that is typed by hand, because it is no result.

        Raises
        ------
        ConfigError
            If the reason is none of those that there are.
        """
        if why not in REASONS:
            raise ConfigError(
                f"'{why}' is no reason to type '{text}'", remedy=f"one of: {', '.join(REASONS)}"
            )
        self.given_by_hand.append((text, why))
        return text


def holds(claim: Any) -> str:
    """Return nothing if a claim holds that the text makes in words.

    Raises
    ------
    ConfigError
        If it does not.
    """
    if not claim:
        raise ConfigError("a claim no longer holds", remedy="restate the sentence from the table")
    return ""


def word(number: int) -> str:
    """Return a small number as a word.

    Examples
    --------
    >>> word(0), word(7)
    ('none', 'seven')
    """
    if not 0 <= number < len(WORDS):
        raise ConfigError(f"no word for {number}", remedy="write it in figures")
    return WORDS[number]


@cache
def _table(path: Path, name: str) -> Table:
    if not path.is_file():
        raise ConfigError(
            f"no committed table {name}", remedy="name it below results/, such as quick/leaderboard.csv"
        )
    return Table(_defined(read_board(path)), name)


def _defined(frame: pl.DataFrame) -> pl.DataFrame:
    """Return a table in which no condition holds of what is undefined: Polars has NaN above all numbers."""
    import polars.selectors as cs

    return frame.with_columns(cs.float().fill_nan(None))


@cache
def _published(folder: Path) -> Board:
    return read_published(folder)


@cache
def _config(path: Path) -> Any:
    import yaml

    # the safe loader in C, where PyYAML has it: settings of suites are long
    return yaml.load(path.read_text(encoding="utf-8"), getattr(yaml, "CSafeLoader", yaml.SafeLoader))


def page(source: Path, looked: Looked | None = None) -> str:
    """Return the page that a source gives now.

    Raises
    ------
    ConfigError
        If a look-up finds nothing, or a claim does not hold; names the source and the line.
    """
    looked = looked or Looked()
    environment = Environment(
        loader=FileSystemLoader(source.parent),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,
    )
    environment.filters["zip"] = zip
    names: Mapping[str, Any] = {
        "table": looked.table,
        "board": looked.board,
        "named": looked.named,
        "setting": looked.setting,
        "given": looked.given,
        "holds": holds,
        "word": word,
        "typeset": typeset,
        "exp": math.exp,
    }
    try:
        return environment.get_template(source.name).render(names)
    except (TemplateError, MlopsimError) as error:
        said, _, remedy = str(error).partition("\n  remedy: ")
        raise ConfigError(
            f"{source.name}, line {_line(error, source)}: {said}",
            remedy=remedy or "see CONTRIBUTING.md, Numbers in findings",
        ) from error


def _line(error: BaseException, source: Path) -> int:
    """Return the last line of the source that the error came through."""
    line = int(getattr(error, "lineno", None) or 0)
    trace = error.__traceback__
    while trace is not None:
        if Path(trace.tb_frame.f_code.co_filename).name == source.name:
            line = trace.tb_lineno
        trace = trace.tb_next
    return line


def bare(text: str) -> list[str]:
    """Return the figures of a source that are typed by hand.

    Examples
    --------
    >>> bare("In {{ cases }} of 34 the gain is .20 [.10, .33], of `x2` and HDDM-W none, [1](a/1.csv) is 5 %.")
    ['34', '.20', '.10', '.33', '5 %']
    >>> bare('It is {{ ".20" }}, {{ typeset(0.3, 2) }} and {{ gates.num("recall", 2) }}.')
    ['.20', '0.3', '2']
    """
    found = FIGURE.findall(NO_PROSE.sub(" ", text))
    for look_up in re.findall(r"\{\{(.*?)\}\}", text, re.DOTALL):
        names = set(re.findall(r"[a-z_]+", STRING.sub("", look_up))) - {"typeset", "round", "int", "abs"}
        if not names:
            found += FIGURE.findall(look_up)
    return [figure for figure in found if figure not in ALLOWED]


def target(source: Path, text: str) -> tuple[Path, str]:
    """Return the file that a source belongs to, and what is to stand in it.

    Raises
    ------
    ConfigError
        If the README has no such table.
    """
    if source.stem != QUESTIONS:
        return PAGES / source.stem, text
    readme = ROOT / "README.md"
    whole = readme.read_text(encoding="utf-8")
    head = text[: text.index("\n") + 1]
    before, found, rest = whole.partition(head)
    if not found:
        raise ConfigError(
            f"the README has no table {head.strip()}", remedy="put it there, or change its source"
        )
    return readme, before + text + rest[rest.index("\n\n") + 1 :]


def sources() -> list[Path]:
    """Return the sources, by name."""
    return sorted(SOURCES.glob("*.md.jinja"))


def main() -> None:
    """Write the pages, or check them."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--check", action="store_true", help="write nothing; fail if a page is stale")
    parser.add_argument("--given", action="store_true", help="list the figures that are typed by hand")
    chosen = parser.parse_args()
    stale = []
    for source in sources():
        looked = Looked()
        path, text = target(source, page(source, looked))
        if chosen.given:
            for figure, why in looked.given_by_hand:
                print(f"{source.stem.removesuffix('.md')}: {figure} ({why})")
        elif not path.is_file() or path.read_text(encoding="utf-8") != text:
            stale.append(path.name)
            if not chosen.check:
                path.write_text(text, encoding="utf-8")
                print(f"wrote {path.relative_to(ROOT)}")
    if chosen.check and stale:
        sys.exit(
            f"not what their sources give now: {', '.join(stale)}\n  remedy: python experiments/findings.py"
        )


if __name__ == "__main__":
    try:
        main()
    except MlopsimError as error:
        sys.exit(f"error: {error}")
