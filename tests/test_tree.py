"""What is committed stays small: settings, tables and a few SVGs travel, all else is made again."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from mlopsim.bench.baseline import read_baseline

ROOT = Path(__file__).resolve().parent.parent
#: cells, and what was tuned and trained, of a claim
AUDIT = {"cells.parquet", "fits.json", "fits.npz"}
#: against which copies of records are verified
HEADS = "heads.csv"
#: cells of a suite, into which others compare
BASELINE = "baseline.parquet"
LARGEST_FIGURE, LARGEST_FILE = 200_000, 3_000_000
#: without what claims are audited by and without baselines, and with both
LARGEST_TREE, LARGEST_WITH_AUDITS = 15_000_000, 25_000_000
#: of the suites that are compared with most often
LARGEST_CORE = 10_000_000
CORE = ("delivery-core", "drift-core", "quality-core", "fairness-core")


@pytest.fixture(scope="module")
def tracked() -> dict[str, int]:
    """Map each committed file that is there to its bytes."""
    if not (ROOT / ".git").exists():
        pytest.skip("no git checkout: what is committed cannot be asked")
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True)
    paths = [name for name in listed.stdout.split("\0") if (ROOT / name).is_file()]
    return {name: (ROOT / name).stat().st_size for name in paths if name}


def test_the_tree_is_small(tracked: dict[str, int]) -> None:
    apart = {*AUDIT, HEADS, BASELINE}
    assert sum(size for name, size in tracked.items() if Path(name).name not in apart) < LARGEST_TREE
    assert sum(tracked.values()) < LARGEST_WITH_AUDITS
    assert sum(tracked.get(f"results/{suite}/{BASELINE}", 0) for suite in CORE) < LARGEST_CORE
    assert not {name: size for name, size in tracked.items() if size > LARGEST_FILE}


def test_results_are_settings_tables_and_three_small_figures(tracked: dict[str, int]) -> None:
    folders: dict[str, dict[str, int]] = {}
    for name, size in tracked.items():
        if name.startswith("results/") and name.count("/") > 1:
            folders.setdefault(name.split("/")[1], {})[name] = size
    assert folders and "local" not in folders
    for folder, files in folders.items():
        figures = {name: size for name, size in files.items() if name.endswith(".svg")}
        assert len(figures) <= 3, folder
        assert not {name: size for name, size in figures.items() if size > LARGEST_FIGURE}
        others = {Path(name).name for name in files if name not in figures and not name.endswith(".csv")}
        # one that was made by another suite or version would be refused by whoever compares with it
        if BASELINE in others:
            found = read_baseline(ROOT / "results" / folder / BASELINE)
            title = f"{found.suite}-v{found.version}{' (modified)' if found.modified else ''}"
            assert found.suite == folder
            settings = (ROOT / "results" / folder / "config.yaml").read_text(encoding="utf-8")
            assert settings.startswith(f"title: {title}\n")
        others -= {BASELINE}
        # what a claim is audited from is all there or not at all
        assert others - AUDIT == {"config.yaml"} and others & AUDIT in (set(), AUDIT), folder
        settings = (ROOT / "results" / folder / "config.yaml").read_text(encoding="utf-8")
        assert "\nmade_with:\n" in "\n" + settings, folder


def test_what_runs_make_is_ignored() -> None:
    if not (ROOT / ".git").exists():
        pytest.skip("no git checkout: what is ignored cannot be asked")
    made = [
        "results/local/x/ledger.sqlite",
        "results/x/figure.png",
        "results/x/figures/a.png",
        "results/x/report.html",
    ]
    kept = ["results/x/figure.svg", "results/x/table.csv", "results/x/config.yaml"]
    done = subprocess.run(["git", "check-ignore", *made, *kept], cwd=ROOT, capture_output=True, text=True)
    assert done.stdout.split() == made


def test_the_wheel_holds_all_that_the_package_needs(tracked: dict[str, int], tmp_path: Path) -> None:
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation"]
    made = subprocess.run([*command, "--wheel-dir", str(tmp_path), str(ROOT)], capture_output=True, text=True)
    assert made.returncode == 0, made.stderr
    with zipfile.ZipFile(next(tmp_path.glob("*.whl"))) as wheel:
        held = set(wheel.namelist())
    package = {name for name in tracked if name.startswith("mlopsim/")}
    presets = {f"mlopsim/{name}" for name in tracked if name.startswith("conf/")}
    assert "mlopsim/drift/__init__.pyi" in package and "mlopsim/conf/suite/quick.yaml" in presets
    # stubs, templates and presets are read at run time
    assert package | presets <= held
