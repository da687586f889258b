"""Plug-in files that are wrong in a known way, and results folders that name one."""

from __future__ import annotations

import json
import shutil
import sqlite3
from pathlib import Path

import numpy as np

from faults.base import Builder, Case, Fault, Kit, Right
from faults.texts import pick
from mlopsim.core.digest import digest_file

FAMILY = "plug-ins"

HEAD = "from dataclasses import dataclass\nimport numpy as np\nimport mlopsim\n"
#: a sound selector; NAME is replaced
SOUND = (
    HEAD
    + '''
@mlopsim.register("selector", "NAME")
@dataclass(kw_only=True)
class Mine:
    """Never retrain.

    Parameters
    ----------
    threshold : float
        Not used.
    """

    threshold: float = 0.2

    def reset(self, n, interface, seeds):
        self.interface = interface

    def act(self, view):
        return np.zeros(len(view.mask), dtype=np.int64)
'''
)
#: plug-ins that cannot be loaded
BROKEN: dict[str, bytes] = {
    "a syntax error": b"def f(:\n",
    "an open string": b"x = '''\n",
    "a missing module": b"import no_such_module_at_all\n",
    "a missing name": b"from mlopsim import no_such_name\n",
    "an error in line 3": b"a = 1\nb = 2\nc = a / 0\n",
    "an exit": b"import sys\nsys.exit(3)\n",
    "an exit without a status": b"raise SystemExit\n",
    "endless recursion": b"def f():\n    return f()\nf()\n",
    "no UTF-8": b"x = '\xff\xfe'\n",
    "NUL bytes": b"x = 1\x00\n",
    "indentation": b"if True:\nx = 1\n",
    "a failed assertion": b"assert False\n",
    "no dataclass": HEAD.encode() + b"@mlopsim.register('selector', 'NAME')\nclass A: 'x'\n",
    "an unknown kind": HEAD.encode()
    + b"@mlopsim.register('selektor', 'NAME')\n@dataclass(kw_only=True)\nclass A: 'x'\n",
    "a bad name": HEAD.encode()
    + b"@mlopsim.register('selector', 'My Name!')\n@dataclass(kw_only=True)\nclass A: 'x'\n",
    "a field without default": HEAD.encode()
    + b"@mlopsim.register('selector', 'NAME')\n@dataclass(kw_only=True)\nclass A:\n    'x'\n    a: int\n",
    "a mutable default": HEAD.encode()
    + b"@mlopsim.register('selector', 'NAME')\n@dataclass(kw_only=True)\n"
    + b"class A:\n    'x'\n    a: list = []\n",
    "a name of ours": HEAD.encode()
    + b"@mlopsim.register('selector', 'periodic')\n@dataclass(kw_only=True)\nclass A: 'x'\n",
    "the same name twice": HEAD.encode()
    + b"for _ in range(2):\n    @mlopsim.register('selector', 'NAME')\n"
    + b"    @dataclass(kw_only=True)\n    class A: 'x'\n",
}
#: plug-ins that load and whose component is wrong: what is replaced by what in the sound one
WRONG: dict[str, tuple[str, str]] = {
    "no act": ("def act(self, view)", "def acts(self, view)"),
    "no reset": ("def reset(self", "def resets(self"),
    "actions of a wrong shape": ("np.zeros(len(view.mask)", "np.zeros(len(view.mask) + 1"),
    "actions that are floats": ("dtype=np.int64", "dtype=np.float64"),
    "actions out of range": ("np.zeros(len(view.mask), dtype=np.int64)", "np.full(len(view.mask), 99)"),
    "negative actions": ("np.zeros(len(view.mask), dtype=np.int64)", "np.full(len(view.mask), -1)"),
    "an error while it acts": ("return np.zeros", "return undefined_name + np.zeros"),
    "None for actions": ("return np.zeros(len(view.mask), dtype=np.int64)", "return None"),
    "random actions of its own": (
        "return np.zeros(len(view.mask), dtype=np.int64)",
        "coin = np.random.default_rng().integers(0, 2, len(view.mask))\n"
        "        return np.where(view.mask[:, -1], coin * (view.mask.shape[1] - 1), 0)",
    ),
    "no docstring": ('"""Never retrain.', '""'),
}
#: writes a file beside itself when it is run
SPY = "from pathlib import Path\nPath(__file__).with_suffix('.ran').write_text('run')\n" + SOUND


def unique(rng: np.random.Generator) -> str:
    """Return a name that no other plug-in of this process has."""
    return f"mine_{int(rng.integers(2**60)):x}"


def broken(rng: np.random.Generator, folder: Path, kit: Kit) -> Case:
    what = pick(rng, tuple(BROKEN))
    file = folder / "mine.py"
    file.write_bytes(BROKEN[what].replace(b"NAME", unique(rng).encode()))
    words = pick(
        rng,
        (
            ("list", "selectors", "--plugin", str(file)),
            ("check", "selector/never", "--plugin", str(file)),
            (
                "bench",
                "suite=tiny",
                "--conf",
                str(kit.conf),
                "--dry-run",
                f"results={folder / 'r'}",
                "--plugin",
                str(file),
            ),
        ),
    )
    return Case(words=words, keeps=(folder,), detail=what)


def no_plugin(rng: np.random.Generator, folder: Path, kit: Kit) -> Case:
    (folder / "text.txt").write_text("x = 1\n", encoding="utf-8")
    (folder / "dir.py").mkdir()
    (folder / "loop.py").symlink_to(folder / "loop.py")
    file = pick(rng, ("nowhere.py", "text.txt", "dir.py", "loop.py", "", "a" * 300 + ".py"))
    words = ("list", "--plugin", str(folder / file) if file else "")
    return Case(words=words, detail=f"--plugin {file[:20]}")


def wrong_component(rng: np.random.Generator, folder: Path, kit: Kit) -> Case:
    what = pick(rng, [name for name in WRONG if name != "no docstring"])
    name = unique(rng)
    text = SOUND.replace(*WRONG[what])
    assert text != SOUND, what
    file = folder / "mine.py"
    file.write_text(text.replace("NAME", name), encoding="utf-8")
    words = pick(
        rng,
        (
            ("check", f"selector/{name}", "--plugin", str(file)),
            (
                "bench",
                "suite=tiny",
                "--conf",
                str(kit.conf),
                f"methods=[never,{name}]",
                "seeds=1",
                "executor=serial",
                "--no-report",
                f"results={folder / 'r'}",
                "--plugin",
                str(file),
            ),
        )
        # whether actions can be repeated is what `check` is for
        if what != "random actions of its own"
        else (("check", f"selector/{name}", "--plugin", str(file)),),
    )
    return Case(words=words, keeps=(file,), detail=f"{words[0]}: {what}")


def parameters_of_ones_own(rng: np.random.Generator, folder: Path, kit: Kit) -> Case:
    name = unique(rng)
    file = folder / "mine.py"
    file.write_text(SOUND.replace("NAME", name), encoding="utf-8")
    given = pick(
        rng,
        ("{treshold: 1}", "{threshold: junk}", "{threshold: nan}", "{threshold: [1]}", "{threshold: null}"),
    )
    return Case(
        words=(
            "bench",
            "suite=tiny",
            "--conf",
            str(kit.conf),
            f"methods=[{{{name}: {given}}}]",
            "--dry-run",
            f"results={folder / 'r'}",
            "--plugin",
            str(file),
        ),
        keeps=(folder,),
        detail=given,
    )


def _name_plugin(ledger: Path, plugins: str) -> None:
    """Write plug-ins into the grids of a ledger, sealed as a stranger would."""
    from mlopsim.bench.schema import seal

    with sqlite3.connect(ledger) as db:
        names = [row[1] for row in db.execute("PRAGMA table_info(grid)")]
        for row in db.execute("SELECT * FROM grid").fetchall():
            values = {**dict(zip(names, row, strict=True)), "plugins": plugins}
            new = seal("grid", *(values[name] for name in names[:-1]))
            db.execute(
                f"UPDATE grid SET plugins=?, {names[-1]}=? WHERE digest=?", (plugins, new, values["digest"])
            )
    db.close()


def folder_that_names_one(rng: np.random.Generator, folder: Path, kit: Kit) -> Case:
    """A stranger's results folder whose ledger names a file: it must not be run."""
    results = folder / "results"
    shutil.copytree(kit.results, results)
    spy = results / "notes.py"
    spy.write_text(SPY.replace("NAME", unique(rng)), encoding="utf-8")
    entry = pick(rng, (None, digest_file(spy)))
    _name_plugin(results / "ledger.sqlite", json.dumps([{"path": str(spy), "digest": entry}]))
    words = pick(
        rng,
        (
            ("status", str(results)),
            ("export", str(results), str(folder / "out.csv")),
            ("rerun", str(results), "zz"),
            ("repair", str(results)),
            (
                "bench",
                "suite=tiny",
                "--conf",
                str(kit.conf),
                "--no-report",
                "executor=serial",
                f"results={results}",
            ),
        ),
    )
    # a file `notes.ran` would appear in the folder of the spy
    marker = spy.with_suffix(".ran")
    return Case(
        words=words, right=Right.FOUND, keeps=(spy,), same=lambda _: not marker.exists(), detail=words[0]
    )


BUILDERS: tuple[Builder, ...] = (
    broken,
    no_plugin,
    wrong_component,
    parameters_of_ones_own,
    folder_that_names_one,
)

FAULTS = tuple(Fault(family=FAMILY, name=b.__name__.replace("_", " "), build=b) for b in BUILDERS)
