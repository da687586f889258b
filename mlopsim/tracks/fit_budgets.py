"""What the fits of a table took."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlopsim.core.section import Unavailable
from mlopsim.core.track import Section

if TYPE_CHECKING:
    import polars as pl


#: attribute of a fit: for how many methods it was made
MADE_FOR = "fit_arms"
#: attribute of a fit: whether what was chosen was shown to keep the limits, on training scenarios
MET = "fit_met"


def fit_budgets(cells: pl.DataFrame, steps: int, title: str) -> Section | None:
    """Tabulate steps of the environment and seconds of the processor by method.

    Parameters
    ----------
    cells : polars.DataFrame
        The cell table.
    steps : int
        What each fit could use.
    title : str
        Of the section.

    Returns
    -------
    Section or None
        None where nothing was tuned or trained. The seconds are no result.

    Raises
    ------
    Unavailable
        If the cells do not say what their fits took.
    """
    import polars as pl

    if "fit" not in cells.columns or cells["fit"].null_count() == len(cells):
        return None
    if not {"fit_steps", "fit_seconds"} <= set(cells.columns):
        raise Unavailable("these cells do not say what their fits took")
    # one fit may serve several methods
    fits = cells.filter(pl.col("fit").is_not_null()).unique(
        ["method", "fit"], keep="first", maintain_order=True
    )
    seconds = pl.col("fit_seconds")
    listed = pl.col("method").n_unique().over("fit")
    # a fit may be made for more methods than the table has
    made_for = pl.col(MADE_FOR).fill_null(1) if MADE_FOR in fits.columns else pl.lit(1)
    serves = fits.with_columns(pl.max_horizontal(listed, made_for).alias("serves"))
    table = serves.group_by("method", maintain_order=True).agg(
        pl.len().alias("fits"),
        pl.col("fit_steps").mean().alias("steps"),
        pl.col("serves").max(),
        (pl.col("fit_steps") / pl.col("serves")).mean().alias("steps_a_method"),
        seconds.mean().alias("cpu_seconds"),
        seconds.min().alias("least"),
        seconds.max().alias("most"),
        *([pl.col(MET).cast(pl.Int64).sum().alias("met")] if MET in fits.columns else []),
    )
    text = (
        f"What a method's fits took, each of which could use {steps:,} steps: the mean "
        "of the steps of the environment (search, training and final choice together), and mean, least "
        "and most seconds of the processor. "
    )
    most = int(table["serves"].max())  # type: ignore[arg-type]  # there are fits
    if most == 1:
        table = table.drop("serves", "steps_a_method")
        text += "Budgets are equal in steps, not in seconds."
    else:
        text += (
            "**Budgets are equal by fit, not by method**, and in steps, not in seconds. One fit may be made "
            f"for several methods (`serves`, up to {most}, also such as stand in no row): there are "
            f"{fits['fit'].n_unique()} fits, and the row of each method tells the whole of its fit; "
            "`steps_a_method` divides it by those that share it. A method that shares its fit is tuned or "
            "trained on fewer steps of its own conditions than one that has a fit for itself; what it learns "
            "in the others' may help or harm it."
        )
    if MET in fits.columns:
        text += (
            " `met`: how many of a method's fits were shown to keep all limits, what fits aim at, on "
            "training scenarios that the search or training did not see (a fit for several methods: in each "
            "of them). The others are the least above the limits of what was tried: no return was compared."
        )
    text += (
        " Seconds are those of the machines that made the fits, and no result. Methods without a row have "
        "nothing to tune or train."
    )
    return Section(title=title, text=text, table=table)
