"""The errors of mlopsim: each names its cause and, where there is one, the remedy."""

from __future__ import annotations

import difflib
import warnings
from collections.abc import Iterable
from pathlib import Path


class MlopsimError(Exception):
    """Base of all errors that a user can cause or mend.

    Parameters
    ----------
    message : str
        What is wrong.
    remedy : str, optional
        What to do about it; printed on a line of its own.

    Examples
    --------
    >>> str(MlopsimError("no rows", remedy="pass at least one"))
    'no rows\\n  remedy: pass at least one'
    """

    def __init__(self, message: str, *, remedy: str | None = None) -> None:
        self.message = message
        self.remedy = remedy
        super().__init__(message if remedy is None else f"{message}\n  remedy: {remedy}")


class ConfigError(MlopsimError, ValueError):
    """A key, value, name or combination in a configuration is wrong."""


class DataError(MlopsimError, ValueError):
    """A stream cannot be used as it is (missing file or column, one class, too few rows, ...)."""


class DataWarning(UserWarning):
    """Something about a data file was guessed, or is not as one would expect."""


def warn_of_data(message: str) -> None:
    """Say something about a data file aloud, once in a process.

    Examples
    --------
    >>> with warnings.catch_warnings(record=True) as said:
    ...     warnings.simplefilter("always")
    ...     warn_of_data("the fields of rows.csv are separated by tabs")
    >>> str(said[0].message)
    'the fields of rows.csv are separated by tabs'
    """
    warnings.warn(message, DataWarning, stacklevel=2)


class CacheError(MlopsimError):
    """Something stored on disk is damaged or does not belong to what was asked."""


class LedgerError(MlopsimError):
    """The ledger is locked, damaged or belongs to another grid."""


class SectionError(MlopsimError):
    """Sections of a report failed; the page, if one was written, has the others."""

    def __init__(self, message: str, *, remedy: str | None = None, page: Path | None = None) -> None:
        super().__init__(message, remedy=remedy)
        self.page = page


class MissingExtraError(MlopsimError, ImportError):
    """A component needs an optional dependency that is not installed."""

    def __init__(self, what: str, extra: str) -> None:
        super().__init__(
            f"{what} needs the optional dependencies '{extra}'",
            remedy=f"pip install 'mlopsim[{extra}]'",
        )

    def __reduce__(self) -> tuple[type[MlopsimError], tuple[str]]:
        """Pickle as the plain parent: the message is already composed."""
        return (MlopsimError, (str(self),))


def nearest(name: str, known: Iterable[str]) -> str:
    """Return ``"; did you mean 'x'?"`` for the closest known name, or an empty string.

    Examples
    --------
    >>> nearest("perodic", ["periodic", "never"])
    "; did you mean 'periodic'?"
    >>> nearest("zzz", ["periodic"])
    ''
    """
    close = difflib.get_close_matches(name, list(known), n=1, cutoff=0.5)
    return f"; did you mean '{close[0]}'?" if close else ""
