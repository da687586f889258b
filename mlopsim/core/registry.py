"""Components: one file each, found by looking into the packages of their kind."""

from __future__ import annotations

import dataclasses
import importlib
import importlib.util
import pkgutil
import re
import sys
import traceback
from collections.abc import Callable, Iterable, Mapping
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any, TypeVar

from mlopsim.core.digest import digest_bytes
from mlopsim.core.errors import ConfigError, nearest

C = TypeVar("C", bound=type)

#: where the components of each kind live, one file each; ``*`` stands for every folder there, and for none
PACKAGES: dict[str, str] = {
    "concept": "mlopsim.streams.concepts",
    "schedule": "mlopsim.streams.schedules",
    "duration": "mlopsim.streams.durations",
    "shift": "mlopsim.streams.shifts",
    "change": "mlopsim.streams.changes",
    "injector": "mlopsim.streams.injectors",
    "mechanism": "mlopsim.streams.mechanisms",
    "timing": "mlopsim.streams.timings",
    "bias": "mlopsim.streams.biases",
    "stream": "mlopsim.streams.sources",
    "learner": "mlopsim.learners.presets",
    "training": "mlopsim.*.training",
    "signal": "mlopsim.drift.sources",
    "detector": "mlopsim.drift.detectors",
    "deployment": "mlopsim.*.deployments",
    "selector": "mlopsim.*.selectors",
    "gate": "mlopsim.quality.gates",
    "explainer": "mlopsim.explain.explainers",
    "audit": "mlopsim.fairness.audits",
    "constraint": "mlopsim.governance.constraints",
    "reviewer": "mlopsim.governance.reviewers",
    "monitor": "mlopsim.governance.monitors",
    "track": "mlopsim.tracks.*.track",
    "section": "mlopsim.tracks.*.sections",
}

ENTRY_POINT_GROUP = "mlopsim.components"
#: a plug-in file becomes a module of this name and its digest
PLUGIN_MODULE = "mlopsim_plugin_"

_components: dict[tuple[str, str], type[Any]] = {}
_loaded: set[str] = set()
_plugins: dict[str, str] = {}
_current_plugin: str | None = None


def register(kind: str, name: str, *, version: int = 1) -> Callable[[C], C]:
    """Register a component class under ``kind/name``.

    Parameters
    ----------
    kind : str
        One of :data:`PACKAGES`.
    name : str
        Lower-case name, unique within the kind.
    version : int, default 1
        Raise it when the component's numbers change; it enters every key. For a plug-in file
        the digest of the file is used instead.

    Returns
    -------
    callable
        A decorator for a keyword-only dataclass whose fields all have defaults. It sets
        ``kind``, ``name`` and ``version`` on the class.

    Raises
    ------
    ConfigError
        For an unknown kind, a bad or taken name, or a class that is not such a dataclass.

    Examples
    --------
    >>> from dataclasses import dataclass
    >>> @register("selector", "doctest-only")
    ... @dataclass(kw_only=True)
    ... class Mine:
    ...     every: int = 5
    >>> Mine.full_name
    'selector/doctest-only'
    >>> unregister("selector", "doctest-only")
    """

    def decorate(cls: C) -> C:
        if kind not in PACKAGES:
            raise ConfigError(f"unknown kind '{kind}'{nearest(kind, PACKAGES)}")
        if not re.fullmatch(r"[a-z][a-z0-9_-]*", name):
            raise ConfigError(f"'{name}' is no component name", remedy="lower case, digits, _ and -")
        if not dataclasses.is_dataclass(cls):
            raise ConfigError(f"{cls.__name__} is not a dataclass", remedy="@dataclass(kw_only=True)")
        for field in dataclasses.fields(cls):
            if field.init and field.default is field.default_factory is dataclasses.MISSING:
                raise ConfigError(f"{cls.__name__}.{field.name} has no default")
        taken = _components.get((kind, name))
        # a module may be run again and bring its classes anew; a plug-in file is run once for its content
        twice = cls.__module__.startswith(PLUGIN_MODULE) and taken is not cls
        if taken is not None and (_origin(taken) != _origin(cls) or twice):
            # whichever was loaded first: it is the plug-in that must go out of the way
            late, early = (taken, cls) if _plugin_of(taken) and not _plugin_of(cls) else (cls, taken)
            raise ConfigError(
                f"{_owner(late)} registers {kind}/{name}, which {_owner(early)} has already",
                remedy="choose another name",
            )
        target: Any = cls
        target.kind, target.name, target.version = kind, name, str(version)
        target.full_name = f"{kind}/{name}"
        # a plug-in may import modules of ours, whose versions stay theirs
        if _current_plugin is not None and cls.__module__ == PLUGIN_MODULE + _plugins[_current_plugin]:
            target.version = f"plugin-{_plugins[_current_plugin]}"
        _components[kind, name] = cls
        return cls

    return decorate


def _plugin_of(cls: type) -> str | None:
    """Return the plug-in file of a class, None if it is of a package."""
    found = (file for file, content in _plugins.items() if cls.__module__ == PLUGIN_MODULE + content)
    return next(found, None)


def _owner(cls: type) -> str:
    """Return who registers a class: a plug-in file, mlopsim or another module."""
    ours = __name__.partition(".")[0]
    return _plugin_of(cls) or (ours if cls.__module__.startswith(f"{ours}.") else cls.__module__)


def _origin(cls: type) -> tuple[str, str]:
    return cls.__module__, cls.__qualname__


def unregister(kind: str, name: str) -> None:
    """Forget a component (for tests and interactive work)."""
    _components.pop((kind, name), None)


def load(kind: str) -> None:
    """Import every module of the kind's package, once, then the installed entry points."""
    if kind not in PACKAGES:
        raise ConfigError(f"unknown kind '{kind}'{nearest(kind, PACKAGES)}")
    if kind in _loaded:
        return
    _loaded.add(kind)  # before the imports: a component may ask for its own kind
    try:
        _import_package(PACKAGES[kind])
    except BaseException:
        _loaded.discard(kind)
        raise
    if "entry points" not in _loaded:
        _loaded.add("entry points")
        for entry in entry_points(group=ENTRY_POINT_GROUP):
            entry.load()


def _import_package(place: str) -> None:
    """Import a module, or every module of a package but those with an underscore; ``*``: of each folder."""
    above, star, below = place.partition(".*.")
    if star:
        for folder in (above, *_modules(above)):
            inside = f"{folder}.{below}"
            # a file there is not imported for being looked at
            found = importlib.util.find_spec(folder)
            is_folder = found is not None and found.submodule_search_locations is not None
            if is_folder and importlib.util.find_spec(inside) is not None:
                _import_package(inside)
        return
    importlib.import_module(place)
    for module in _modules(place):
        importlib.import_module(module)


def _modules(package: str) -> list[str]:
    """Return the full names of the public modules of a package; of a module none."""
    found = getattr(importlib.import_module(package), "__path__", [])
    return [f"{package}.{m.name}" for m in pkgutil.iter_modules(found) if not m.name.startswith("_")]


def plugin_files(paths: Iterable[str | Path]) -> list[Path]:
    """Return the plug-in files that paths name, absolute, each once.

    Parameters
    ----------
    paths : iterable of str or Path
        Python files and folders. Of a folder all ``.py`` files are meant that do not start with ``_``, in the
        order of their names, then those of its folder ``sections`` (so that a folder may hold a track).

    Raises
    ------
    ConfigError
        If a path is neither, or a folder holds none.

    Examples
    --------
    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> for name in ("b.py", "a.py", "_not.py", "notes.txt"):
    ...     _ = (folder / name).write_text("")
    >>> [file.name for file in plugin_files([folder, folder / "b.py"])]
    ['a.py', 'b.py']
    """
    found: dict[Path, None] = {}
    for raw in paths:
        try:
            path = Path(raw).expanduser().resolve()
            inside = path.is_dir()
            known = inside or (path.is_file() and path.suffix == ".py")
        except (OSError, RuntimeError):  # a name that is too long, links in a circle
            known = False
        if not known:
            raise ConfigError(
                f"no plug-in file {raw}", remedy="pass the path of a .py file, or of a folder of them"
            )
        if not inside:
            found[path] = None
            continue
        files = [
            file.resolve()
            for folder in (path, path / "sections")
            for file in sorted(folder.glob("*.py"))
            if file.is_file() and not file.name.startswith("_")
        ]
        if not files:
            raise ConfigError(f"no plug-in file in the folder {raw}", remedy="its .py files are loaded")
        found |= dict.fromkeys(files)
    return list(found)


def load_plugins(paths: Iterable[str | Path], expected: Mapping[str, str] | None = None) -> dict[str, str]:
    """Import plug-in files; the digest of a file is the version of what it registers.

    Each file stands alone: it imports no other one, but may name what others register.

    Parameters
    ----------
    paths : iterable of str or Path
        Python files, or folders of them: see :func:`plugin_files`.
    expected : mapping, optional
        Absolute path to the digest that a file must have; another content is not run.

    Returns
    -------
    dict
        Absolute path to content digest, for all plug-ins loaded so far.

    Raises
    ------
    ConfigError
        If a file does not exist, does not end in ``.py``, fails, or is not what is expected; nothing of it is
        registered then.
    """
    global _current_plugin
    for path in plugin_files(paths):
        # read once: what is digested is what runs
        source = path.read_bytes()
        content = digest_bytes(source)
        if expected is not None and content != expected.get(str(path), content):
            raise ConfigError(
                f"the plug-in {path} was changed: digest {content[:12]} now, {expected[str(path)][:12]} then",
                remedy="look at the file, then name it with --plugin FILE if you trust it",
            )
        if _plugins.get(str(path)) == content:
            continue
        _plugins[str(path)] = content
        module_name = PLUGIN_MODULE + content
        if any(cls.__module__ == module_name for cls in _components.values()):
            # a copy of what is loaded already registers nothing of its own
            continue
        spec = importlib.util.spec_from_file_location(module_name, path)
        assert spec is not None and spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules[module_name] = module
        _current_plugin = str(path)
        try:
            exec(compile(source, str(path), "exec"), module.__dict__)
        except BaseException as error:
            # what was not loaded to its end must not count as loaded
            del _plugins[str(path)], sys.modules[module_name]
            for place in [key for key, cls in _components.items() if cls.__module__ == module_name]:
                del _components[place]
            if isinstance(error, ConfigError) or not isinstance(error, Exception | SystemExit):
                raise
            where = [f.lineno for f in traceback.extract_tb(error.__traceback__) if f.filename == str(path)]
            line = f" in line {where[-1]}" if where else ""
            raise ConfigError(
                f"the plug-in {path} fails{line}: {type(error).__name__}: {error}", remedy="mend the file"
            ) from error
        finally:
            _current_plugin = None
    return dict(_plugins)


def forget_plugins() -> None:
    """Forget every plug-in and what it registered, as in a new process."""
    modules = {PLUGIN_MODULE + content for content in _plugins.values()}
    for place in [key for key, cls in _components.items() if cls.__module__ in modules]:
        del _components[place]
    for module in modules:
        sys.modules.pop(module, None)
    _plugins.clear()


def plural(kind: str) -> str:
    """Return the plural of a kind.

    Examples
    --------
    >>> plural("audit"), plural("bias")
    ('audits', 'biases')
    """
    return kind + ("es" if kind.endswith("s") else "s")


def names(kind: str) -> list[str]:
    """Return the sorted names of all components of a kind."""
    load(kind)
    return sorted(name for k, name in _components if k == kind)


def find(kind: str, name: str) -> type[Any]:
    """Return the class registered as ``kind/name``.

    Parameters
    ----------
    kind : str
        The kind.
    name : str
        ``name`` or ``kind/name``.

    Raises
    ------
    ConfigError
        If there is none; names the nearest.

    Examples
    --------
    >>> find("selector", "periodic").name
    'periodic'
    """
    load(kind)
    if "/" in name:
        prefix, _, name = name.partition("/")
        if prefix != kind:
            raise ConfigError(f"expected a {kind}, got '{prefix}/{name}'")
    try:
        return _components[kind, name]
    except KeyError:
        known = names(kind)
        raise ConfigError(
            f"unknown {kind} '{name}'{nearest(name, known)}",
            remedy=f"one of: {', '.join(known) or '(none installed)'}",
        ) from None


def resolve_name(name: str) -> type[Any]:
    """Find a component by full or short name over all kinds.

    Raises
    ------
    ConfigError
        If the short name exists in several kinds (names them) or in none.
    """
    if "/" in name:
        kind, _, short = name.partition("/")
        return find(kind, short)
    for kind in PACKAGES:
        load(kind)
    hits = [cls for (_, short), cls in _components.items() if short == name]
    if len(hits) == 1:
        return hits[0]
    if hits:
        options = ", ".join(sorted(cls.full_name for cls in hits))
        raise ConfigError(f"'{name}' is ambiguous", remedy=f"say which: {options}")
    everything = [short for _, short in _components]
    raise ConfigError(f"unknown component '{name}'{nearest(name, everything)}")
