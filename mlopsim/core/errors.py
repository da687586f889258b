"""The errors of mlopsim: each names its cause and, where there is one, the remedy."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


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


class CacheError(MlopsimError):
    """Something stored on disk is damaged or does not belong to what was asked."""


class LedgerError(MlopsimError):
    """The ledger is locked, damaged or belongs to another grid."""


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
