"""The front of a study or of a results folder: tables and figures in a folder of their own."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from mlopsim.core.errors import ConfigError
from mlopsim.core.files import write_text
from mlopsim.core.track import Front

if TYPE_CHECKING:
    from mlopsim.compose.results import Results

#: folder in that of the results, and the tables in it
FOLDER, PLACES, BOUNDS = "front", "places.csv", "bounds.csv"


@dataclass(frozen=True, kw_only=True)
class Written:
    """A front, and where it was written.

    Parameters
    ----------
    front : Front
        Tables and figures.
    folder : Path
        Holds ``places.csv``, ``bounds.csv``, and a picture of each task as PNG and SVG.
    """

    front: Front
    folder: Path


def refuse_taken(folder: Path, force: bool) -> None:
    """Raise if a folder has tables of a front that are not to be overwritten.

    Raises
    ------
    ConfigError
    """
    taken = [name for name in (PLACES, BOUNDS) if (folder / name).exists()]
    if taken and not force:
        raise ConfigError(
            f"{folder / taken[0]} exists",
            remedy="choose another folder with --out, or overwrite it with --force",
        )


def write_front(results: Results, folder: Path | None = None, *, force: bool = False) -> Written:
    """Make the front of results and write it.

    Parameters
    ----------
    results : Results
        Of a track that has fronts.
    folder : Path, optional
        By default ``front`` in the folder of the results.
    force : bool, default False
        Whether tables and figures that exist are overwritten.

    Raises
    ------
    ConfigError
        If the track has no fronts, no task has one, or there are tables already.
    """
    from mlopsim.plots.style import save
    from mlopsim.report.figures import slug

    into = folder or results.folder / FOLDER
    refuse_taken(into, force)
    front = results.front()
    write_text(into / PLACES, front.places.write_csv())
    write_text(into / BOUNDS, front.bounds.write_csv())
    used: dict[str, str] = {}
    for task, figure in front.figures.items():
        name = slug(task)
        # two tasks may differ in what no file name holds
        while name in used:
            name += "-"
        used[name] = task
        save(figure, into / name)
    return Written(front=front, folder=into)
