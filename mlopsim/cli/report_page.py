"""The page of results in a command: sections that failed are told last, when all else is said."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from mlopsim.core.errors import SectionError

if TYPE_CHECKING:
    from mlopsim.compose.results import Results


@contextmanager
def written(results: Results, *, reuse: bool = False) -> Iterator[Path]:
    """Write the page; what stands inside is done before it is said that sections failed."""
    failed = None
    try:
        page = results.report(reuse=reuse)
    except SectionError as error:
        if error.page is None:
            raise
        page, failed = error.page, error
    yield page
    if failed is not None:
        raise failed
