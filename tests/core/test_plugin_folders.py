"""Plug-in folders: every file of them is loaded, has a digest of its own and is told from another content."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from mlopsim.bench.plugins import Loaded, Named, describe_files, explained, load_stored
from mlopsim.core import registry
from mlopsim.core.digest import digest_file
from mlopsim.core.errors import ConfigError
from mlopsim.core.registry import (
    find,
    forget_plugins,
    load_plugins,
    names,
    plugin_files,
    register,
    unregister,
)

CODE = '''
from dataclasses import dataclass
from mlopsim.core.registry import register

@register("selector", "{name}")
@dataclass(kw_only=True)
class Mine:
    """Nothing."""
'''


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    (tmp_path / "sections").mkdir()
    (tmp_path / "__pycache__").mkdir()
    for place in ("two.py", "one.py", "sections/three.py"):
        (tmp_path / place).write_text(CODE.format(name=f"folder-{Path(place).stem}"))
    for place in ("_helper.py", "__init__.py", "__pycache__/four.py", "notes.txt"):
        (tmp_path / place).write_text("raise RuntimeError('nobody asked for this file')")
    yield tmp_path
    forget_plugins()


def test_the_files_of_a_folder_are_loaded_in_order(folder: Path) -> None:
    files = [folder / "one.py", folder / "two.py", folder / "sections/three.py"]
    assert plugin_files([folder]) == plugin_files([folder, folder / "two.py"]) == files
    loaded = load_plugins([folder])
    for file in files:
        assert loaded[str(file)] == digest_file(file)
        assert find("selector", f"folder-{file.stem}").version == f"plugin-{digest_file(file)}"


def test_what_is_stored_of_a_folder_are_its_files(folder: Path) -> None:
    stored = describe_files([folder])
    assert [Path(entry["path"]).name for entry in stored] == ["one.py", "two.py", "three.py"]
    forget_plugins()
    assert load_stored(stored, [folder]).missing == ()
    forget_plugins()
    assert {entry.path for entry in load_stored(stored).missing} == {entry["path"] for entry in stored}
    assert not [name for name in names("selector") if name.startswith("folder-")]
    load_stored(stored, trust=True)
    assert len([name for name in names("selector") if name.startswith("folder-")]) == 3


def test_a_changed_file_of_a_folder_is_told(folder: Path) -> None:
    stored = describe_files([folder])
    forget_plugins()
    (folder / "two.py").write_text(CODE.format(name="folder-other"))
    with pytest.warns(UserWarning, match=r"two\.py is not the one"):
        load_stored(stored, [folder])
    forget_plugins()
    with pytest.raises(ConfigError, match=r"two\.py was changed"):
        load_stored(stored, trust=True)


def test_a_folder_without_files_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no plug-in file in the folder"):
        load_plugins([tmp_path])


def test_a_file_of_a_folder_that_fails_is_named(folder: Path) -> None:
    (folder / "two.py").write_text("import no_such_module_here")
    with pytest.raises(ConfigError, match=r"two\.py fails in line 1: ModuleNotFoundError"):
        load_plugins([folder])


@pytest.mark.parametrize("loaded_before", [True, False])
def test_a_plugin_that_takes_a_name_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, loaded_before: bool
) -> None:
    names("selector")
    thief = tmp_path / "thief.py"
    thief.write_text(CODE.format(name="ks"))
    ours = find("selector", "ks")
    said = f"{thief} registers selector/ks, which mlopsim has already"
    if loaded_before:
        with pytest.raises(ConfigError, match=re.escape(said)):
            load_plugins([thief])
    else:
        # as in a process that has not asked for selectors yet
        unregister("selector", "ks")
        with monkeypatch.context() as patch:
            patch.setattr(registry, "_loaded", registry._loaded - {"selector"})
            patch.delitem(sys.modules, ours.__module__)
            load_plugins([thief])
            with pytest.raises(ConfigError, match=re.escape(said)):
                names("selector")
            forget_plugins()
            register("selector", "ks", version=int(ours.version))(ours)
    forget_plugins()
    assert find("selector", "ks") is ours


def test_two_plugins_of_one_name_are_both_named(tmp_path: Path) -> None:
    one, two = tmp_path / "one.py", tmp_path / "two.py"
    one.write_text(CODE.format(name="folder-same"))
    two.write_text(CODE.format(name="folder-same") + "\n# another content\n")
    load_plugins([one])
    with pytest.raises(
        ConfigError, match=re.escape(f"{two} registers selector/folder-same, which {one} has")
    ):
        load_plugins([two])
    forget_plugins()


@pytest.mark.parametrize("remedy", ["free some space", None])
def test_the_remedy_of_an_error_is_kept_beside_the_hint(remedy: str | None) -> None:
    loaded = Loaded(files={}, missing=(Named(path="/a/mine.py", digest="1"),))
    with pytest.raises(ConfigError, match="the disk is full") as raised, explained(loaded):
        raise ConfigError("the disk is full", remedy=remedy)
    said = str(raised.value.remedy)
    assert said.startswith(remedy or "look at the file") and "--plugin FILE" in said
    assert "/a/mine.py" in raised.value.message
