"""From command-line overrides in Hydra's grammar to one checked config.

Hydra is used through ``compose`` only, and once. What it would do silently (repeated keys, ``+key``)
or say obscurely (unknown keys) is caught before, with the nearest name.
"""

from __future__ import annotations

import dataclasses
import re
import typing
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mlopsim.compose.overrides import GRAMMAR, check_overrides, fields_of, quoted, split_sweep
from mlopsim.compose.schema import HARMLESS, PARTS, BenchConfig, root_keys
from mlopsim.compose.sweep import read_sweep
from mlopsim.core import registry
from mlopsim.core.digest import plain
from mlopsim.core.errors import ConfigError, nearest
from mlopsim.core.spec import convert

#: key of a group's node that carries the name of its component through presets
NAME_KEY = "component"


def conf_folder() -> Path:
    """Return the folder of the configs: inside the package in a wheel, beside it in a checkout."""
    package = Path(__file__).resolve().parent.parent
    inside = package / "conf"
    return inside if inside.is_dir() else package.parent / "conf"


@dataclass(kw_only=True)
class Composed:
    """A composed config.

    Parameters
    ----------
    config : BenchConfig
        The root keys, typed.
    suite : str
        Name of the suite.
    modified : bool
        Whether an override changes its grid.
    track_settings : dict
        Parameters under the track's own key.
    pins : dict
        Part name to a spec that replaces the part in every task, or ``{"": params}`` to merge.
    defaults : dict
        Part name to the spec for tasks that omit the part.
    resolved : dict
        Everything, as plain JSON types.
    suite_tasks : list
        The task entries of the suite as it is, for overrides that name them.
    given : frozenset of str
        Root keys that an override gives.
    """

    config: BenchConfig
    suite: str
    modified: bool
    track_settings: dict[str, Any]
    pins: dict[str, Any]
    defaults: dict[str, Any]
    resolved: dict[str, Any]
    suite_tasks: list[Any]
    given: frozenset[str] = frozenset()


#: what Hydra's ConfigStore has of us: the class behind each node, so that none is made twice
_stored: dict[tuple[str, str], type[Any]] = {}


def _store_schema() -> None:
    """Put the schema and every component of the groups into Hydra's ConfigStore, where they are new."""
    from hydra.core.config_store import ConfigStore

    store = ConfigStore.instance()
    # Hydra would copy it for every compose, whole; it hands out copies of its nodes anyway
    vars(store)["__deepcopy__"] = lambda memo: store
    found = {
        (kind, name): registry.find(kind, name) for kind in ("track", *PARTS) for name in registry.names(kind)
    }
    new = {place: cls for place, cls in found.items() if _stored.get(place) is not cls}
    tracks = {name: cls for (kind, name), cls in found.items() if kind == "track"}
    if any(kind == "track" for kind, _ in [*new, *(_stored.keys() - found.keys())]):
        schema: dict[str, Any] = plain(dataclasses.asdict(BenchConfig()))
        store.store(name="schema", node=schema | {name: fields_of(cls) for name, cls in tracks.items()})
    for (kind, name), cls in new.items():
        if kind != "track":
            store.store(group=kind, name=name, node={NAME_KEY: name, **fields_of(cls)})
    _stored.clear()
    _stored.update(found)


def compose_bench(overrides: Sequence[str], *, conf: Sequence[str | Path] = ()) -> Composed:
    """Compose a bench config.

    Parameters
    ----------
    overrides : sequence of str
        ``key=value`` words.
    conf : sequence of paths
        Folders with presets of one's own, searched after ours.

    Returns
    -------
    Composed

    Raises
    ------
    ConfigError
        For anything that does not fit; names the key, what was expected and the nearest name.
    """
    from hydra import compose, initialize_config_dir
    from hydra.core.global_hydra import GlobalHydra
    from hydra.errors import HydraException
    from omegaconf import OmegaConf
    from omegaconf.errors import OmegaConfBaseException
    from yaml import YAMLError

    others, swept = split_sweep(overrides)
    words = check_overrides(others)
    _store_schema()
    given = {word.lstrip("+").partition("=")[0] for word in words}
    merged = "deployment" not in given and any(key.startswith("deployment.") for key in given)
    hydra_words = [*words, "deployment=standard"] if merged else list(words)
    for folder in conf:
        if not Path(folder).is_dir():
            raise ConfigError(f"no folder {folder}", remedy="--conf takes a folder with Hydra groups")
    if conf:
        paths = ",".join(quoted(f"file://{Path(folder).resolve()}") for folder in conf)
        hydra_words.append(f"hydra.searchpath=[{paths}]")
    GlobalHydra.instance().clear()
    try:
        with initialize_config_dir(str(conf_folder()), version_base="1.3"):
            composed = compose("bench", overrides=hydra_words, return_hydra_config=True)
            own_tasks = composed.tasks
            if "tasks" in given:
                # names in tasks=[...] mean the suite's own ones, which the override has hidden
                without = [word for word in hydra_words if not word.startswith("tasks=")]
                own_tasks = compose("bench", overrides=without).tasks
        choices = {k: v for k, v in composed.hydra.runtime.choices.items() if k in (*PARTS, "suite")}
        OmegaConf.set_struct(composed, False)
        composed.pop("hydra")
        _refuse_lookups(OmegaConf.to_container(composed, resolve=False))
        tree: dict[str, Any] = OmegaConf.to_container(composed, resolve=True)  # type: ignore[assignment]
        tasks: list[Any] = OmegaConf.to_container(own_tasks, resolve=True)  # type: ignore[assignment]
    except YAMLError as error:
        raise ConfigError(f"a preset is no YAML: {error}", remedy="quote what holds a colon") from error
    except (HydraException, OmegaConfBaseException) as error:
        absent = getattr(error.__cause__, "full_key", None)
        if absent and str(error).startswith("Could not override"):
            with initialize_config_dir(str(conf_folder()), version_base="1.3"):
                # what there is: everything but the words that set parts of something
                whole = [
                    w
                    for w in hydra_words
                    if "." not in w.partition("=")[0] or w.startswith("hydra.searchpath")
                ]
                there = compose("bench", overrides=whole)
            raise _no_such_key(str(absent), OmegaConf.to_container(there)) from error
        message, remedy = _readable(error)
        raise ConfigError(message, remedy=remedy) from error
    except ConfigError:
        raise
    except (OSError, ValueError) as error:
        # what OmegaConf says of a file that is a number or a list, not UTF-8, a folder, or a link to itself
        raise ConfigError(
            f"a preset cannot be read: {error}", remedy="write a mapping of keys to values, in UTF-8"
        ) from error
    except RecursionError as error:
        raise ConfigError(
            "a preset or an override holds itself, or brackets in brackets beyond measure",
            remedy="look for aliases (*name) inside of what they name (&name)",
        ) from error
    if swept:
        tree["sweep"] = {**(tree.get("sweep") or {}), **swept}
        given.add("sweep")
    return _split(tree, choices, given, merged, tasks)


def _refuse_lookups(node: Any) -> None:
    """Refuse presets that ask the environment, the clock or Hydra: their numbers could not be repeated."""
    if isinstance(node, dict):
        for value in node.values():
            _refuse_lookups(value)
    elif isinstance(node, list):
        for value in node:
            _refuse_lookups(value)
    elif isinstance(node, str) and re.search(r"\$\{\s*(\w[\w.]*:|hydra\b)", node):
        raise ConfigError(
            f"a preset looks '{node}' up outside of itself",
            remedy="write the value itself, so that the run can be repeated from its config",
        )


def _no_such_key(key: str, tree: Any) -> ConfigError:
    """Say which part of a dotted key is the first that the config does not have."""
    node: Any = tree
    for depth, part in enumerate(key.split(".")):
        above = ".".join(key.split(".")[:depth])
        if not isinstance(node, dict):
            return ConfigError(
                f"'{above}' has no parts, so '{key}' cannot be set", remedy=f"write {above}=VALUE"
            )
        if part not in node:
            known = [str(name) for name in node if name != NAME_KEY]
            return ConfigError(
                f"unknown key '{key}': {above} has no '{part}'{nearest(part, known)}",
                remedy=f"it has: {', '.join(known)}",
            )
        node = node[part]
    return ConfigError(f"'{key}' cannot be set", remedy=GRAMMAR)


def _readable(error: Exception) -> tuple[str, str]:
    """Return message and remedy of an error of Hydra, without its advice on how Hydra is called."""
    word = getattr(error, "override", None)
    if word is not None:
        key, _, value = str(word).lstrip("+").partition("=")
        if value[:1] in "[{'\"":
            sample = "['a (1)']" if value[:1] in "[{" else "'a (1)'"
            return (
                f"cannot read '{word}'",
                f'{GRAMMAR}; texts with other signs in quotes, as in "{key}={sample}"',
            )
        return (
            f"cannot read '{word}'",
            f'quote the value, and the word for the shell: "{key}={quoted(value)}"',
        )
    text = str(error).split("Config search path")[0].strip()
    if "--multirun" in text:
        found = re.search(r"for key '([^']*)'", text) or re.search(r"'([^'=]*)=[^']*'", text)
        key = found.group(1) if found else "this key"
        alone = key in (*root_keys(), "suite")
        advice = (
            "run the command once for each value" if alone else f"write sweep.{key}=[...] to compare them"
        )
        return f"'{key}' takes one value, not several", advice
    if "Cannot merge DictConfig with ListConfig" in text:
        found = re.match(r"In '([^']*)'", text)
        where = f" in the preset {found.group(1)}" if found else ""
        return (
            f"a list stands where keys are expected{where}",
            "sweep must be a mapping of keys to lists, e.g. sweep: {deployment.latency: [1, 2, 4]}; the "
            "settings of a track or a part are a mapping, too",
        )
    cause = str(error.__cause__).split("\n")[0] if error.__cause__ is not None else ""
    match = re.match(r"In '.*': Could not find '(\w+)/(.*)'", text)
    if match:
        group, name = match.groups()
        known = re.findall(r"^\t(\S+)$", text, flags=re.MULTILINE)
        return f"unknown {group} '{name}'{nearest(name, known)}", f"one of: {', '.join(known)}"
    message = f"{text}: {cause}" if cause and cause not in text else text
    return message, "mlopsim bench suite=NAME --print-config shows keys and values that fit"


def _typed(tree: dict[str, Any]) -> BenchConfig:
    hints = typing.get_type_hints(BenchConfig)
    return BenchConfig(**{key: convert(tree[key], hints[key], key) for key in root_keys()})


def _split(
    tree: dict[str, Any], choices: dict[str, Any], given: set[str], merged: bool, tasks: list[Any]
) -> Composed:
    tracks = registry.names("track")
    unknown = set(tree) - set(root_keys()) - set(PARTS) - set(tracks)
    if unknown:
        name = sorted(unknown)[0]
        raise ConfigError(f"unknown key '{name}' in a preset{nearest(name, [*root_keys(), *tracks])}")
    for name in (*PARTS, *tracks):
        if not isinstance(tree.get(name) or {}, dict):
            raise ConfigError(
                f"'{name}' holds settings, not {tree[name]!r}",
                remedy=f"write {name}.KEY=VALUE for each of them",
            )
    config = _typed(tree)
    if config.track not in tracks:
        registry.find("track", config.track)
    pins: dict[str, Any] = {}
    defaults: dict[str, Any] = {}
    for group in PARTS:
        node = tree.get(group)
        if not node:
            continue
        params = {key: value for key, value in node.items() if key != NAME_KEY}
        if group == "deployment" and merged:
            changed = {key.split(".")[1] for key in given if key.startswith("deployment.")}
            pins[group] = {"": {key: params[key] for key in changed}}
        elif group in given:
            pins[group] = {node[NAME_KEY]: params}
        else:
            defaults[group] = {node[NAME_KEY]: params}
    foreign = sorted({key.split(".")[0] for key in given} & set(tracks) - {config.track})
    if foreign:
        raise ConfigError(f"'{foreign[0]}.…' has no effect: this suite runs the track '{config.track}'")
    for key in read_sweep(config.sweep).values:
        if key in given:
            raise ConfigError(
                f"'{key}' is given one value and swept, too", remedy=f"keep one of them: {key} or sweep.{key}"
            )
    modified = bool({key for key in given if key != "suite"} - HARMLESS)
    return Composed(
        config=config,
        suite=str(choices["suite"]),
        modified=modified,
        given=frozenset(given),
        track_settings=dict(tree[config.track]),
        suite_tasks=tasks,
        pins=pins,
        defaults=defaults,
        resolved=plain(
            {
                **{k: v for k, v in tree.items() if k not in set(tracks) - {config.track}},
                "suite": choices["suite"],
            }
        ),
    )
