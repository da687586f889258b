"""Faults in the arguments of all commands."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from faults.base import Builder, Case, Fault, Kit
from faults.configs import component
from faults.tables import good_csv
from faults.texts import WORDS, misspelt, pick, wrong_values

FAMILY = "arguments"

#: numbers of options that are out of range
OUT_OF_RANGE: dict[str, dict[str, tuple[str, ...]]] = {
    "arl": {"--runs": ("0", "-1"), "--ticks": ("0", "-5")},
    "calibrate": {"--runs": ("0", "-3")},
    "audit": {
        "--share": ("0", "1", "-0.1", "1.5", "nan", "inf"),
        "--alpha": ("0", "1", "-0.05", "2", "nan"),
        "--rounds": ("0", "-1"),
        "--background": ("0", "-1"),
        "--shap-rows": ("-1",),
        "--lime-rows": ("-1",),
        "--samples": ("0", "-1"),
        "--seed": ("-1",),
    },
    "corrupt": {
        "--rate": ("-0.1", "1.5", "nan", "inf"),
        "--windows": ("0", "-1"),
        "--rows": ("-1",),
        "--warmup": ("-1",),
        "--seed": ("-1",),
    },
}
FOLDER_COMMANDS = ("status", "report", "export", "rerun", "repair")


def needed(command: str, folder: Path, kit: Kit) -> tuple[str, ...]:
    """Return arguments with which a command would work."""
    if command in ("arl", "calibrate"):
        return ("shewhart",)
    if command in FOLDER_COMMANDS:
        more = {"export": (str(folder / "out.csv"),), "rerun": ("0",)}.get(command, ())
        return (str(kit.results), *more)
    if command in ("audit", "corrupt"):
        file = good_csv(folder / "rows.csv", np.random.default_rng(0))
        if command == "audit":
            return (str(file), "--group", "team", "--learner", "ridge", "--out", str(folder / "page.html"))
        return (str(file), "--type", "missing", "--windows", "20", "--out", str(folder / "dirty.csv"))
    return {"bench": ("suite=tiny", "--dry-run", "--conf", str(kit.conf)), "check": ("selector/never",)}.get(
        command, ()
    )


def options(command: str) -> list[Any]:
    """Return the options of a command that take a value."""
    import click

    from mlopsim.cli.main import group

    found = group.get_command(click.Context(group), command)
    assert found is not None
    return [o for o in found.params if isinstance(o, click.Option) and not o.is_flag]


def unknown_command(rng: np.random.Generator, folder: Path, kit: Kit) -> Case:
    from mlopsim.cli.main import COMMANDS

    return Case(words=(misspelt(rng, pick(rng, tuple(COMMANDS)), COMMANDS), "x"))


def unknown_option(rng: np.random.Generator, folder: Path, kit: Kit) -> Case:
    from mlopsim.cli.main import COMMANDS

    command = pick(rng, tuple(COMMANDS))
    known = {o.removeprefix("--") for option in options(command) for o in option.opts}
    wrong = (
        "--" + misspelt(rng, pick(rng, sorted(known) or ["json"]), {*known, "json", "force", "help"}) + "zz"
    )
    return Case(words=(command, *needed(command, folder, kit), wrong), keeps=(kit.results,))


def missing_arguments(rng: np.random.Generator, folder: Path, kit: Kit) -> Case:
    command = pick(rng, ("arl", "calibrate", "audit", "corrupt", "check", *FOLDER_COMMANDS))
    whole = needed(command, folder, kit)
    # the first argument is the one that every command needs
    return Case(words=(command, *whole[1:]) if whole[1:] and whole[1].startswith("--") else (command,))


def option_without_value(rng: np.random.Generator, folder: Path, kit: Kit) -> Case:
    command = pick(rng, ("arl", "calibrate", "audit", "corrupt", "export", "status", "report"))
    option = pick(rng, options(command))
    return Case(words=(command, *needed(command, folder, kit), option.opts[0]), keeps=(folder, kit.results))


def text_for_a_number(rng: np.random.Generator, folder: Path, kit: Kit) -> Case:
    import click

    command = pick(rng, ("arl", "calibrate", "audit", "corrupt"))
    numbers = [o for o in options(command) if isinstance(o.type, type(click.INT) | type(click.FLOAT))]
    option = pick(rng, numbers)
    return Case(
        words=(command, *needed(command, folder, kit), f"{option.opts[0]}={pick(rng, WORDS)}"),
        keeps=(folder,),
    )


def number_out_of_range(rng: np.random.Generator, folder: Path, kit: Kit) -> Case:
    command = pick(rng, tuple(OUT_OF_RANGE))
    option = pick(rng, tuple(OUT_OF_RANGE[command]))
    words = needed(command, folder, kit)
    if command in ("arl", "calibrate"):
        words = ("page_hinkley",)
    return Case(
        words=(command, *words, f"{option}={pick(rng, OUT_OF_RANGE[command][option])}"), keeps=(folder,)
    )


def no_such_file(rng: np.random.Generator, folder: Path, kit: Kit) -> Case:
    command = pick(rng, ("audit", "corrupt", *FOLDER_COMMANDS))
    words = list(needed(command, folder, kit))
    (folder / "empty").mkdir()
    words[0] = str(
        pick(rng, (folder / "nowhere", folder / "empty", folder / "nowhere.csv", Path("/dev/null"), Path()))
    )
    return Case(words=(command, *words), keeps=(folder, kit.results))


def no_such_column(rng: np.random.Generator, folder: Path, kit: Kit) -> Case:
    command = pick(rng, ("audit", "corrupt"))
    option = pick(rng, ("--label", "--group", "--time", "--drop", "--categorical"))
    column = misspelt(
        rng, pick(rng, ("load", "team", "label", "when")), ("load", "heat", "team", "label", "day")
    )
    return Case(words=(command, *needed(command, folder, kit), option, column), keeps=(folder,))


def unknown_component(rng: np.random.Generator, folder: Path, kit: Kit) -> Case:
    from mlopsim.core.registry import names, plural

    known = {*names("detector"), *names("selector"), *names("gate"), *names("audit")}
    wrong = misspelt(rng, pick(rng, names("detector")), known)
    words = pick(
        rng,
        (
            ("arl", wrong),
            ("calibrate", wrong),
            ("check", f"detector/{wrong}"),
            ("check", wrong),
            ("check", f"{misspelt(rng, 'detector', ('detector',))}/adwin"),
            ("list", misspelt(rng, plural("detector"), (plural("detector"), "detector"))),
            ("audit", *needed("audit", folder, kit), "--audit", wrong),
            (
                "audit",
                *needed("audit", folder, kit)[:-4],
                "--learner",
                wrong,
                "--out",
                str(folder / "p.html"),
            ),
            ("corrupt", *needed("corrupt", folder, kit), "--type", wrong),
            ("corrupt", *needed("corrupt", folder, kit), "--schedule", wrong),
            ("corrupt", *needed("corrupt", folder, kit), "--mechanism", wrong),
        ),
    )
    return Case(words=words, keeps=(folder,))


def unknown_parameter_of_a_detector(rng: np.random.Generator, folder: Path, kit: Kit) -> Case:
    name, known = component(rng, "detector")
    wrong = misspelt(
        rng, pick(rng, tuple(known)), {*known, "limit", "law", "arl0", "shift", "n", "p", "p1", "horizon"}
    )
    return Case(words=(pick(rng, ("arl", "calibrate")), name, f"{wrong}x=1", "--runs", "20"))


def parameter_of_a_detector_of_a_wrong_type(rng: np.random.Generator, folder: Path, kit: Kit) -> Case:
    while True:
        name, known = component(rng, "detector")
        wrong = [(k, v) for k, hint in known.items() if (v := wrong_values(hint))]
        if wrong:
            break
    key, values = pick(rng, wrong)
    return Case(words=(pick(rng, ("arl", "calibrate")), name, f"{key}={pick(rng, values)}", "--runs", "20"))


def words_of_a_law(rng: np.random.Generator, folder: Path, kit: Kit) -> Case:
    word = pick(
        rng,
        (
            "law=gauss",
            "law=7",
            "law=[normal]",
            "arl0=0",
            "arl0=-5",
            "arl0=nan",
            "arl0=inf",
            "arl0=many",
            "arl0=1",
            "shift=nan",
            "shift=x",
            "=3",
            "law",
            "law=",
            "law=normal=x",
            "arl0=[1]",
            "shift=inf",
        ),
    )
    return Case(
        words=(
            pick(rng, ("arl", "calibrate")),
            pick(rng, ("cusum", "ewma", "shewhart")),
            word,
            "--runs",
            "20",
        )
    )


def injector_out_of_range(rng: np.random.Generator, folder: Path, kit: Kit) -> Case:
    kind, wrong = pick(
        rng,
        (
            ("missing", "count=-1"),
            ("missing", "count=x"),
            ("unit_scale", "factor=nan"),
            ("unit_scale", "fctor=2"),
            ("affine", "features=[nowhere]"),
            ("label_noise", "rate=2"),
            ("duplicate_rows", "sources=0"),
            ("missing", "features=[nowhere]"),
            ("outlier_global", "magnitude=nan"),
            ("missing", "="),
            ("missing", "7"),
        ),
    )
    return Case(words=("corrupt", *needed("corrupt", folder, kit), "--type", kind, wrong), keeps=(folder,))


def output_that_cannot_be(rng: np.random.Generator, folder: Path, kit: Kit) -> Case:
    command = pick(rng, ("audit", "corrupt", "export"))
    words = list(needed(command, folder, kit))
    good = {"audit": ".html", "corrupt": ".csv", "export": ".csv"}[command]
    (folder / "a folder").mkdir()
    (folder / f"folder{good}").mkdir()
    source = folder / "rows.csv"
    bad = pick(
        rng,
        (
            f"{folder}/out.xlsx",
            f"{folder}/out",
            f"{folder}/folder{good}",
            f"/proc/nowhere/x{good}",
            f"{folder}/{'b' * 300}{good}",
            "/dev/full" if command != "audit" else f"/dev/null/x{good}",
            "",
        )
        + ((str(source),) if command != "export" else ()),
    )
    words[-1] = bad
    keeps = (source, kit.results) if source.exists() else (kit.results,)
    return Case(words=(command, *words), keeps=keeps)


def key_of_no_cell(rng: np.random.Generator, folder: Path, kit: Kit) -> Case:
    key = pick(rng, ("zz", "0" * 64, "", "no", "../x", "%", "_", "'; --", "ключ", "g"))
    return Case(words=("rerun", str(kit.results), key), keeps=(kit.results,))


def grid_that_is_not_there(rng: np.random.Generator, folder: Path, kit: Kit) -> Case:
    command = pick(rng, ("status", "report", "export"))
    digest = pick(rng, ("zzz", "0" * 64, "%", "_", "g", "'"))
    return Case(words=(command, *needed(command, folder, kit), "--grid", digest), keeps=(kit.results,))


def surplus_argument(rng: np.random.Generator, folder: Path, kit: Kit) -> Case:
    command = pick(rng, ("status", "report", "export", "rerun", "repair", "doctor"))
    return Case(
        words=(command, *needed(command, folder, kit), pick(rng, ("more", "x=3", "7"))), keeps=(kit.results,)
    )


def label_as_something_else(rng: np.random.Generator, folder: Path, kit: Kit) -> Case:
    command = pick(rng, ("audit", "corrupt"))
    option = pick(rng, ("--drop", "--group", "--time"))
    words = list(needed(command, folder, kit))
    if option == "--group" and command == "audit":
        words[2] = "label"
        return Case(words=(command, *words), keeps=(folder,))
    return Case(words=(command, *words, option, "label"), keeps=(folder,))


BUILDERS: tuple[Builder, ...] = (
    unknown_command,
    unknown_option,
    missing_arguments,
    option_without_value,
    text_for_a_number,
    number_out_of_range,
    no_such_file,
    no_such_column,
    unknown_component,
    unknown_parameter_of_a_detector,
    parameter_of_a_detector_of_a_wrong_type,
    words_of_a_law,
    injector_out_of_range,
    output_that_cannot_be,
    key_of_no_cell,
    grid_that_is_not_there,
    surplus_argument,
    label_as_something_else,
)

FAULTS = tuple(Fault(family=FAMILY, name=b.__name__.replace("_", " "), build=b) for b in BUILDERS)
