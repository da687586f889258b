"""Plug-in folders: every file of them is loaded, has a digest of its own and is told from another content."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from mlopsim.bench.plugins import describe_files, load_stored
from mlopsim.core.digest import digest_file
from mlopsim.core.errors import ConfigError
from mlopsim.core.registry import find, forget_plugins, load_plugins, names, plugin_files

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
