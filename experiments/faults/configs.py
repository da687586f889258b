"""Faults in overrides and presets of ``mlopsim bench``."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from faults.base import Builder, Case, Fault, Kit
from faults.texts import WORDS, misspelt, pick, wrong_values

FAMILY = "configs"

#: the tiny suites of the kit: track, what its methods are, and one that it can run
SUITES = {
    "tiny": ("delivery", "selector", "never"),
    "tiny-drift": ("drift", "detector", "cusum"),
    "tiny-quality": ("quality", "gate", "zscore"),
    "tiny-fairness": ("fairness", "audit", "demographic_parity"),
}
#: what any suite but drift's may pin, and a preset that fits
GROUPS = {"stream": "synthetic", "learner": "ridge", "training": "all", "deployment": "standard"}
#: groups that a track does not look at
UNUSED = {
    "tiny": ("signal.iid",),
    "tiny-quality": ("signal.iid",),
    "tiny-fairness": ("signal.iid", "deployment.standard", "training.all"),
}
#: root keys with values that are out of range or of a wrong type
ROOT = {
    "seeds": (
        "0",
        "-1",
        "1.5",
        "nan",
        "inf",
        "many",
        "[]",
        "[-1]",
        "[1.5]",
        "true",
        "null",
        "{a: 1}",
    ),
    "root": ("-1", "-7", "1.5", "x", "nan", "inf", "null", "[1]", "true"),
    "workers": ("0", "-1", "-2", "1.5", "two", "nan", "inf", "true", "[2]"),
    "timeout": ("0", "-1", "nan", "inf", "soon", "true", "[1]", "-inf"),
    "fit_timeout": ("0", "-1", "nan", "inf", "soon", "true", "[1]", "-inf"),
    "executor": ("slurm", "foo", "pol", "tcp:/host", "3", "[pool]", "true", "''", "http://host:1"),
    "on_error": ("stopp", "shrug", "7", "true", "[stop]", "''"),
    "split": ("tset", "all", "7", "true", "[test]"),
    "track": ("delivry", "none", "7", "[drift]", "''"),
    "suite_version": ("x", "1.5", "nan", "[1]", "-1"),
    "retry_failed": ("maybe", "7", "[true]", "null"),
    "methods": (
        "[]",
        "[[]]",
        "[7]",
        "[never,never]",
        "[{never: {}, periodic: {}}]",
        "[true]",
        "[null]",
        "[{}]",
    ),
    "tasks": ("[]", "[7]", "[nowhere]", "[[]]", "[true]", "[{nme: x}]", "[{name: x, strem: synthetic}]"),
    "cells": ("[7]", "[nowhere]", "[{zip: 3}]", "[{zip: {task: [a], method: [never,ks]}}]", "[{zap: {}}]"),
}


def bench(rng: np.random.Generator, folder: Path, kit: Kit, suite: str, *words: str) -> Case:
    """Return a case of ``mlopsim bench``; half of the delivery ones would run into finished results."""
    import shutil

    common = ("bench", f"suite={suite}", "--conf", str(kit.conf))
    if suite == "tiny" and rng.random() < 0.5:
        results = folder / "results"
        shutil.copytree(kit.results, results)
        end: tuple[str, ...] = (f"results={results}", "executor=serial", "--no-report")
        if any(word.startswith("executor=") for word in words):
            end = tuple(word for word in end if word != "executor=serial")
        return Case(words=(*common, *words, *end), keeps=(results,), detail=" ".join(words))
    end = (f"results={folder / 'results'}", "--dry-run")
    return Case(words=(*common, *words, *end), keeps=(folder,), detail=" ".join(words))


def some_suite(rng: np.random.Generator) -> str:
    """Draw a suite."""
    return pick(rng, tuple(SUITES))


def parameters(kind: str, name: str) -> dict[str, Any]:
    """Return the parameters of a component with their types."""
    from mlopsim.core.registry import find
    from mlopsim.core.spec import field_hints

    cls = find(kind, name)
    hints = field_hints(cls)
    return {f.name: hints[f.name] for f in dataclasses.fields(cls) if f.init and "kind" not in f.metadata}


def component(rng: np.random.Generator, kind: str) -> tuple[str, dict[str, Any]]:
    """Draw a component that has parameters, with their types."""
    from mlopsim.core.registry import names

    while True:
        name = pick(rng, names(kind))
        found = parameters(kind, name)
        if found:
            return name, found


def unknown_root_key(rng: np.random.Generator, folder: Path, kit: Kit) -> Case:
    from mlopsim.compose.schema import PARTS, root_keys
    from mlopsim.core.registry import names

    known = {*root_keys(), *PARTS, *names("track"), "suite"}
    key = misspelt(rng, pick(rng, root_keys()), known)
    return bench(rng, folder, kit, some_suite(rng), f"{key}={pick(rng, ('3', 'x', '[a]'))}")


def unknown_setting_of_a_track(rng: np.random.Generator, folder: Path, kit: Kit) -> Case:
    suite = some_suite(rng)
    track = SUITES[suite][0]
    known = parameters("track", track)
    return bench(rng, folder, kit, suite, f"{track}.{misspelt(rng, pick(rng, tuple(known)), known)}=3")


def setting_of_a_wrong_type(rng: np.random.Generator, folder: Path, kit: Kit) -> Case:
    suite = some_suite(rng)
    track = SUITES[suite][0]
    options = [
        (k, values) for k, hint in parameters("track", track).items() if (values := wrong_values(hint))
    ]
    key, values = pick(rng, options)
    return bench(rng, folder, kit, suite, f"{track}.{key}={pick(rng, values)}")


def root_value_out_of_range(rng: np.random.Generator, folder: Path, kit: Kit) -> Case:
    key = pick(rng, tuple(ROOT))
    return bench(rng, folder, kit, some_suite(rng), f"{key}={pick(rng, ROOT[key])}")


def unknown_method(rng: np.random.Generator, folder: Path, kit: Kit) -> Case:
    from mlopsim.core.registry import names

    suite = some_suite(rng)
    kind = SUITES[suite][1]
    known = {n for k in ("selector", "detector", "gate", "audit") for n in names(k)}
    wrong = misspelt(rng, pick(rng, names(kind)), known | {"arm", "none"})
    return bench(rng, folder, kit, suite, f"methods=[{SUITES[suite][2]},{wrong}]")


def unknown_parameter(rng: np.random.Generator, folder: Path, kit: Kit) -> Case:
    suite = some_suite(rng)
    name, known = component(rng, SUITES[suite][1])
    # `limit` stands for the limit of every detector
    wrong = misspelt(rng, pick(rng, tuple(known)), {*known, "limit"})
    return bench(rng, folder, kit, suite, f"methods=[{{{name}: {{{wrong}: 1}}}}]")


def parameter_of_a_wrong_type(rng: np.random.Generator, folder: Path, kit: Kit) -> Case:
    suite = some_suite(rng)
    while True:
        name, known = component(rng, SUITES[suite][1])
        options = [(k, values) for k, hint in known.items() if (values := wrong_values(hint))]
        if options:
            break
    key, values = pick(rng, options)
    value = pick(rng, values)
    return bench(rng, folder, kit, suite, f"methods=[{{{name}: {{{key}: {value}}}}}]")


def part_of_a_wrong_type(rng: np.random.Generator, folder: Path, kit: Kit) -> Case:
    group = pick(rng, tuple(GROUPS))
    preset = GROUPS[group]
    options = [(k, values) for k, hint in parameters(group, preset).items() if (values := wrong_values(hint))]
    suite = "tiny"
    if not options:
        return bench(rng, folder, kit, suite, f"{group}={misspelt(rng, preset, (preset,))}")
    key, values = pick(rng, options)
    return bench(rng, folder, kit, suite, f"{group}={preset}", f"{group}.{key}={pick(rng, values)}")


def unknown_part(rng: np.random.Generator, folder: Path, kit: Kit) -> Case:
    from mlopsim.core.registry import names

    group = pick(rng, tuple(GROUPS))
    wrong = misspelt(rng, pick(rng, names(group)), names(group))
    return bench(rng, folder, kit, some_suite(rng), f"{group}={wrong}")


def unknown_parameter_of_a_part(rng: np.random.Generator, folder: Path, kit: Kit) -> Case:
    group = pick(rng, ("stream", "learner", "deployment"))
    known = parameters(group, GROUPS[group])
    wrong = misspelt(rng, pick(rng, tuple(known)), known)
    return bench(rng, folder, kit, "tiny", f"{group}={GROUPS[group]}", f"{group}.{wrong}=3")


def part_that_the_track_does_not_use(rng: np.random.Generator, folder: Path, kit: Kit) -> Case:
    suite = pick(rng, tuple(UNUSED))
    group, _, preset = pick(rng, UNUSED[suite]).partition(".")
    options = tuple(parameters(group, preset)) or ("x",)
    word = pick(rng, (f"{group}={preset}", f"{group}.{pick(rng, options)}={pick(rng, ('junk', '3'))}"))
    return bench(rng, folder, kit, suite, word)


def hydra_prefix(rng: np.random.Generator, folder: Path, kit: Kit) -> Case:
    word = pick(
        rng,
        ("+seeds=3", "++seeds=3", "~seeds", "~methods=never", "+x=3", "++delivery.steps=0", "+stream=sea"),
    )
    return bench(rng, folder, kit, some_suite(rng), word)


def repeated_key(rng: np.random.Generator, folder: Path, kit: Kit) -> Case:
    suite = some_suite(rng)
    key, first, second = pick(
        rng,
        (("seeds", "1", "2"), ("root", "1", "2"), ("learner", "ridge", "tree"), ("split", "test", "train")),
    )
    return bench(rng, folder, kit, suite, f"{key}={first}", f"{key}={second}")


def interpolation(rng: np.random.Generator, folder: Path, kit: Kit) -> Case:
    inner = pick(
        rng, ("oc.env:HOME", "oc.env:PATH", "seeds", "nowhere", "hydra.run.dir", "oc.decode:3", "now:%Y")
    )
    key = pick(rng, ("seeds", "root", "workers", "split", "timeout"))
    return bench(rng, folder, kit, some_suite(rng), f"{key}=${{{inner}}}")


def sweep_of_hydra(rng: np.random.Generator, folder: Path, kit: Kit) -> Case:
    key = pick(
        rng, ("split=test,train", "root=1,2", "executor=pool,serial", "workers=1,2", "--multirun", "-m")
    )
    return bench(rng, folder, kit, some_suite(rng), key)


def broken_grammar(rng: np.random.Generator, folder: Path, kit: Kit) -> Case:
    word = pick(
        rng,
        (
            "methods=[never",
            "methods=never]",
            "methods={never",
            "methods=[{periodic: {every: 5}]",
            "seeds=(",
            "seeds='3",
            'about="x',
            "=3",
            "seeds==3",
            "methods=[never,]]",
            "seeds:3",
            "seeds",
            ".seeds=3",
            "seeds.=3",
            "a b=3",
            "methods=[a,,b]",
            "{seeds: 3}",
            "seeds=3)",
            "\u0000=3",
            "delivery..steps=0",
        ),
    )
    return bench(rng, folder, kit, some_suite(rng), word)


def no_such_suite(rng: np.random.Generator, folder: Path, kit: Kit) -> Case:
    name = pick(
        rng, (misspelt(rng, "tiny", tuple(SUITES)), "../tiny", "/etc/passwd", "", ".", "7", "a" * 300)
    )
    return Case(
        words=("bench", f"suite={name}", "--dry-run", "--conf", str(kit.conf), f"results={folder / 'r'}"),
        keeps=(folder,),
        detail=f"suite={name[:40]}",
    )


#: presets that are wrong in a known way
PRESETS: dict[str, bytes | Callable[[str], str]] = {
    "a number": b"7\n",
    "a list": b"- never\n- periodic\n",
    "a text": b"just words\n",
    "a date": b"2026-01-01\n",
    "true": b"true\n",
    "nan": b".nan\n",
    "not UTF-8": "about: größe\ntrack: delivery\n".encode("latin-1"),
    "UTF-16": "about: x\n".encode("utf-16"),
    "NUL": b"about: x\x00\n",
    "an alias of itself": b"tasks: &a [*a]\n",
    "a mapping in itself": b"delivery: &a {steps: *a}\n",
    "an unknown alias": b"tasks: *nowhere\n",
    "deep": b"tasks: " + b"[" * 3000 + b"]" * 3000 + b"\n",
    "an object": b"tasks: !!python/object/apply:os.system ['true']\n",
    "an unknown tag": b"tasks: !mine [a]\n",
    "a tab": lambda text: text.replace("tasks:", "\ttasks:"),
    "an open bracket": lambda text: text.replace("methods: [", "methods: [["),
    "a doubled key": lambda text: text + "seeds: 3\n",
    "an unknown key": lambda text: text + "sedes: 3\n",
    "an unknown setting": lambda text: text.replace("steps:", "stepps:"),
    "a wrong type": lambda text: text.replace("seeds: 2", "seeds: many"),
    "a task without conditions": lambda text: text.replace("learner: ridge", "lerner: ridge"),
    "an unknown stream": lambda text: text.replace("{synthetic:", "{synthetik:"),
    "a task that is a number": lambda text: text.replace("tasks:\n", "tasks:\n  - 7\n"),
    "a doubled task": lambda text: text.replace("name: other", "name: small"),
    "an environment variable": lambda text: text.replace("seeds: 2", "seeds: ${oc.env:HOME}"),
    "an unknown default": lambda text: text + "defaults: [nowhere]\n",
    "a method that is a number": lambda text: text.replace("[never,", "[7,"),
    "an unknown track": lambda text: text.replace("track: delivery", "track: delivry"),
    "no track": lambda text: text.replace("track: delivery", "track: null"),
    "seeds null": lambda text: text.replace("seeds: 2", "seeds: null"),
}


def damaged_preset(rng: np.random.Generator, folder: Path, kit: Kit) -> Case:
    what = pick(rng, tuple(PRESETS))
    make = PRESETS[what]
    whole = (kit.conf / "suite" / "tiny.yaml").read_text(encoding="utf-8")
    place = folder / "conf" / "suite"
    place.mkdir(parents=True)
    content = make if isinstance(make, bytes) else make(whole).encode()
    (place / "broken.yaml").write_bytes(content)
    words = ("bench", "suite=broken", "--dry-run", "--conf", str(folder / "conf"), f"results={folder / 'r'}")
    return Case(words=words, keeps=(folder,), detail=f"a preset with {what}")


def preset_that_is_no_file(rng: np.random.Generator, folder: Path, kit: Kit) -> Case:
    place = folder / "conf" / "suite"
    place.mkdir(parents=True)
    what = pick(rng, ("folder", "loop", "dangling", "missing conf", "conf is a file"))
    conf = folder / "conf"
    if what == "folder":
        (place / "broken.yaml").mkdir()
    elif what == "loop":
        (place / "broken.yaml").symlink_to(place / "broken.yaml")
    elif what == "dangling":
        (place / "broken.yaml").symlink_to(place / "nowhere.yaml")
    elif what == "missing conf":
        conf = folder / "nowhere"
    else:
        conf = folder / "file"
        conf.write_text("x", encoding="utf-8")
    words = ("bench", "suite=broken", "--dry-run", "--conf", str(conf), f"results={folder / 'r'}")
    return Case(words=words, detail=f"a preset: {what}")


def results_that_cannot_be(rng: np.random.Generator, folder: Path, kit: Kit) -> Case:
    (folder / "file").write_text("x", encoding="utf-8")
    locked = folder / "locked"
    (locked / "ledger.lock").mkdir(parents=True)
    place = pick(
        rng,
        (
            f"{folder}/file",
            f"{folder}/file/below",
            "/proc/nowhere",
            f"{folder}/{'a' * 300}",
            str(locked),
            "/dev/null",
        ),
    )
    words = (
        "bench",
        "suite=tiny",
        "--conf",
        str(kit.conf),
        f"results={place}",
        "executor=serial",
        "--no-report",
    )
    return Case(
        words=words, keeps=(folder / "file",), detail=f"results={place.removeprefix(str(folder))[:30]}"
    )


def junk_option(rng: np.random.Generator, folder: Path, kit: Kit) -> Case:
    word = pick(
        rng, ("--dryrun", "--dry_run", "--pluggin=x.py", "--no-reports", "--print", "--seeds=3", "-x")
    )
    return bench(rng, folder, kit, some_suite(rng), word)


def text_for_a_number_in_a_task(rng: np.random.Generator, folder: Path, kit: Kit) -> Case:
    key = pick(rng, ("windows", "rows", "warmup", "noise"))
    task = f"{{name: t, learner: ridge, stream: {{synthetic: {{{key}: {pick(rng, WORDS)}}}}}}}"
    return bench(rng, folder, kit, "tiny", f"tasks=[{task}]")


BUILDERS: tuple[Builder, ...] = (
    unknown_root_key,
    unknown_setting_of_a_track,
    setting_of_a_wrong_type,
    root_value_out_of_range,
    unknown_method,
    unknown_parameter,
    parameter_of_a_wrong_type,
    part_of_a_wrong_type,
    unknown_part,
    unknown_parameter_of_a_part,
    part_that_the_track_does_not_use,
    hydra_prefix,
    repeated_key,
    interpolation,
    sweep_of_hydra,
    broken_grammar,
    no_such_suite,
    damaged_preset,
    preset_that_is_no_file,
    results_that_cannot_be,
    junk_option,
    text_for_a_number_in_a_task,
)

FAULTS = tuple(Fault(family=FAMILY, name=b.__name__.replace("_", " "), build=b) for b in BUILDERS)
