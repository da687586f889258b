"""Planted faults of tracks and sections are found."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import polars as pl
import pytest

from mlopsim.core.registry import find, forget_plugins, load_plugins
from mlopsim.core.section import Results, SectionMaker, Unavailable
from mlopsim.core.track import Cell, FitResult, Metric, Outcome, Section

Plant = Callable[..., dict[str, str]]
FOLDER = Path(__file__).resolve().parent.parent.parent / "examples" / "plugins" / "track"


@pytest.fixture
def centre() -> Iterator[Any]:
    load_plugins([FOLDER])
    yield find("track", "centre")
    forget_plugins()


def test_a_track_without_a_smallest_instance(centre: Any, plant: Plant) -> None:
    class Vague(centre):
        """A centre of rows."""

        smallest: ClassVar[Any] = None

    assert "smallest instance" in plant("track", Vague)["run"]


def test_a_track_whose_cells_depend_on_each_other(centre: Any, plant: Plant) -> None:
    class Together(centre):
        """A centre of rows; one generator for all cells."""

        def run(self, cells: Sequence[Cell], fits: Mapping[str, FitResult]) -> list[Outcome]:
            rng = np.random.default_rng(0)
            return [Outcome(metrics={"distance": float(rng.random())}) for _ in cells]

    assert set(plant("track", Together)) == {"order"}


def test_a_track_with_nan_and_no_reason(centre: Any, plant: Plant) -> None:
    class Silent(centre):
        """A centre of rows; undefined."""

        def run(self, cells: Sequence[Cell], fits: Mapping[str, FitResult]) -> list[Outcome]:
            return [Outcome(metrics={"distance": float("nan")}) for _ in cells]

    assert "no reason" in plant("track", Silent)["run"]


def test_a_track_with_two_metrics_of_one_name(centre: Any, plant: Plant) -> None:
    class Twice(centre):
        """A centre of rows; metrics of one name."""

        metrics: ClassVar[Sequence[Metric]] = (*centre.metrics, *centre.metrics)

    assert "same name: distance" in plant("track", Twice)["metrics"]


def test_a_track_in_which_nothing_leads(centre: Any, plant: Plant) -> None:
    class Nowhere(centre):
        """A centre of rows; nothing leads."""

        metrics: ClassVar[Sequence[Metric]] = (Metric(name="distance", unit="sd", direction="min"),)

    assert "no metric is primary" in plant("track", Nowhere)["metrics"]


def test_a_track_that_takes_any_entry(centre: Any, plant: Plant) -> None:
    class Lenient(centre):
        """A centre of rows; does not look at entries."""

        def tasks(self, entries: Sequence[Any]) -> Any:
            return super().tasks([{"outliers": 0.1} for _ in entries])

    assert "unknown part" in plant("track", Lenient)["entries"]


class Maker(SectionMaker):
    """Base of what is planted."""

    track: ClassVar[str] = "delivery"
    title: ClassVar[str] = "Planted"


def test_a_section_that_says_why_not_is_fine(plant: Plant) -> None:
    class Absent(Maker):
        """It needs what is not there."""

        def make(self, results: Results) -> Section | None:
            raise Unavailable("these results have no such thing")

    assert plant("section", Absent) == {}


def test_a_section_that_needs_what_no_track_has(plant: Plant) -> None:
    class Greedy(Maker):
        """It asks for a column that nobody writes."""

        needs: ClassVar[tuple[str, ...]] = ("no_such_column",)

        def make(self, results: Results) -> Section | None:
            return Section(title="x")

    assert "no_such_column" in plant("section", Greedy)["make"]


def test_a_section_that_fails(plant: Plant) -> None:
    class Fails(Maker):
        """It counts on something."""

        def make(self, results: Results) -> Section | None:
            return Section(title=results.cells["no_such_column"][0])

    assert "ColumnNotFoundError" in plant("section", Fails)["make"]


def test_a_section_without_a_title(plant: Plant) -> None:
    class Untitled(Maker):
        """It forgets its heading."""

        def make(self, results: Results) -> Section | None:
            return Section(title="", table=pl.DataFrame({"a": [1]}))

    assert "without a title" in plant("section", Untitled)["make"]


def test_a_section_that_differs_each_time(plant: Plant) -> None:
    class Restless(Maker):
        """It draws, and nobody knows from what."""

        def make(self, results: Results) -> Section | None:
            return Section(title="x", text=str(np.random.default_rng().random()))

    assert "something else" in plant("section", Restless)["same"]


def test_a_section_of_no_track(plant: Plant) -> None:
    class Lost(Maker):
        """Its track is unknown."""

        track: ClassVar[str] = "no-such-track"

        def make(self, results: Results) -> Section | None:
            return None

    assert "no-such-track" in plant("section", Lost)["form"]
