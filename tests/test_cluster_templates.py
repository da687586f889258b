"""Templates for clusters: they parse, name every shard once, and give what one run gives."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "examples" / "cluster"
MARK = "# -- from here on the same in every template"
#: template, the variable that its system sets, and what it sets for shard 3
SYSTEMS = (
    ("slurm", "SLURM_ARRAY_TASK_ID", 3),
    ("pbs", "PBS_ARRAY_INDEX", 3),
    ("kubernetes", "JOB_COMPLETION_INDEX", 2),
)


def documents() -> list[dict]:
    return list(yaml.safe_load_all((FOLDER / "kubernetes.yaml").read_text(encoding="utf-8")))


def script(name: str, place: Path) -> Path:
    """Return the script of a template; that of Kubernetes is in its ConfigMap."""
    if name != "kubernetes":
        return FOLDER / f"{name}.sh"
    file = place / "run.sh"
    file.write_text(documents()[0]["data"]["run.sh"], encoding="utf-8")
    return file


def environment(place: Path, command: str) -> dict[str, str]:
    """Return what a cluster gives a job, with ``mlopsim`` being this command."""
    bin_folder = place / "bin"
    bin_folder.mkdir(exist_ok=True)
    (bin_folder / "mlopsim").write_text(f"#!/bin/bash\n{command}\n", encoding="utf-8")
    (bin_folder / "mlopsim").chmod(0o755)
    (place / "local").mkdir(exist_ok=True)
    path = f"{bin_folder}{os.pathsep}{os.environ['PATH']}"
    shared = {"SHARED": str(place / "shared"), "SLURM_SUBMIT_DIR": str(place), "PBS_O_WORKDIR": str(place)}
    return {**os.environ, **shared, "PATH": path, "TMPDIR": str(place / "local"), "EVERY": "0.05"}


@pytest.mark.parametrize("name", [system[0] for system in SYSTEMS])
def test_they_are_bash_and_one_body(name: str, tmp_path: Path) -> None:
    file = script(name, tmp_path)
    done = subprocess.run(["bash", "-n", str(file)], capture_output=True, text=True)
    assert done.returncode == 0 and not done.stderr, done.stderr
    text = file.read_text(encoding="utf-8")
    assert text.startswith("#!/bin/bash\n") and "set -euo pipefail" in text
    assert (
        text.partition(MARK)[2] == (FOLDER / "slurm.sh").read_text(encoding="utf-8").partition(MARK)[2] != ""
    )


def test_the_jobs_of_kubernetes_fit_together() -> None:
    config, fits, shards = documents()
    assert [d["kind"] for d in (config, fits, shards)] == ["ConfigMap", "Job", "Job"]
    assert [d["metadata"]["labels"]["step"] for d in (config, fits, shards)] == ["job", "fits", "shards"]
    assert shards["spec"]["completionMode"] == "Indexed" and "completionMode" not in fits["spec"]
    assert f"COUNT=${{COUNT:-{shards['spec']['completions']}}}" in config["data"]["run.sh"]
    for job in (fits, shards):
        pod = job["spec"]["template"]["spec"]
        (container,) = pod["containers"]
        assert {mount["name"] for mount in container["volumeMounts"]} == {v["name"] for v in pod["volumes"]}
        volumes = {volume["name"]: volume for volume in pod["volumes"]}
        assert volumes["job"]["configMap"]["name"] == config["metadata"]["name"]
        assert pod["restartPolicy"] == "Never"


@pytest.mark.parametrize(("name", "variable", "index"), SYSTEMS)
def test_a_job_asks_for_its_shard_and_what_is_done_travels(
    name: str, variable: str, index: int, tmp_path: Path
) -> None:
    # a command that says what it is asked, and leaves what a run or a merge leaves
    log = tmp_path / "log"
    env = environment(
        tmp_path,
        f'echo "$@" >> {log}\n'
        'for word in "$@"; do case $word in results=*) to=${word#results=};; esac; done\n'
        'if [ "$1" = merge ]; then mkdir -p "$4"; cp "$2/ledger.sqlite" "$4"\n'
        'else mkdir -p "$to"; echo "$2" >> "$to/ledger.sqlite"; fi',
    )
    file = script(name, tmp_path)
    for number in (None, index, index):
        job = env if number is None else {**env, variable: str(number)}
        done = subprocess.run(["bash", str(file)], env=job, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
    runs = [line for line in log.read_text().splitlines() if line.startswith("bench ")]
    assert "--fits-only" in runs[0] and "shard=" not in runs[0]
    assert all("shard=3/16" in line and "--fits-only" not in line and "/fits " in line for line in runs[1:])
    shared = tmp_path / "shared"
    assert (shared / "fits" / "ledger.sqlite").is_file()
    # the second job went on with what the first had kept
    assert len((shared / "shards" / "3" / "ledger.sqlite").read_text().splitlines()) == 2
    assert not list((tmp_path / "local").iterdir()), "nothing stays on the machine"


def test_a_job_that_is_ended_keeps_what_is_done(tmp_path: Path) -> None:
    env = environment(
        tmp_path,
        'if [ "$1" = merge ]; then mkdir -p "$4"; cp "$2/ledger.sqlite" "$4"; exit; fi\n'
        'for word in "$@"; do case $word in results=*) to=${word#results=};; esac; done\n'
        'mkdir -p "$to"; echo done > "$to/ledger.sqlite"; exec sleep 60',
    )
    (tmp_path / "shared" / "fits").mkdir(parents=True)
    job = subprocess.Popen(["bash", str(FOLDER / "slurm.sh")], env={**env, "SLURM_ARRAY_TASK_ID": "5"})
    deadline = time.monotonic() + 30
    while not list((tmp_path / "local").glob("*/shard/ledger.sqlite")):
        assert time.monotonic() < deadline, "it did not start"
        time.sleep(0.02)
    job.send_signal(signal.SIGTERM)
    assert job.wait(timeout=30) == 128 + signal.SIGTERM
    assert (tmp_path / "shared" / "shards" / "5" / "ledger.sqlite").read_text() == "done\n"


SUITE = """\
# @package _global_
track: bench-toy
tasks: [{name: a}, {name: b}]
methods: [x, fit-y, undefined]
seeds: 40
bench-toy: {sleep: 0.02, size: 5}
"""


@pytest.mark.slow
def test_an_array_of_four_gives_what_one_run_gives_also_where_one_was_killed(tmp_path: Path) -> None:
    (tmp_path / "conf" / "suite").mkdir(parents=True)
    (tmp_path / "conf" / "suite" / "sweep.yaml").write_text(SUITE, encoding="utf-8")
    python = f'exec {sys.executable} -m mlopsim.cli.main "$@"'
    env = {**environment(tmp_path, python), "PYTHONPATH": str(ROOT), "COUNT": "4", "EVERY": "1", "NCPUS": "1"}
    env["MLOPSIM_CACHE"] = str(tmp_path / "cache")
    text = (FOLDER / "slurm.sh").read_text(encoding="utf-8")
    toy = ROOT / "tests" / "bench" / "bench_toy.py"
    words = f"WORDS=(suite=sweep executor=serial --conf {tmp_path / 'conf'} --plugin {toy})"
    file = tmp_path / "job.sh"
    file.write_text(text.replace("WORDS=(suite=delivery-core)", words), encoding="utf-8")
    assert words in file.read_text(encoding="utf-8")

    def job(number: int | None) -> subprocess.Popen[str]:
        own = env if number is None else {**env, "SLURM_ARRAY_TASK_ID": str(number)}
        return subprocess.Popen(
            ["bash", str(file)], env=own, text=True, start_new_session=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip

    def mlopsim(*what: object) -> str:
        command = [sys.executable, "-m", "mlopsim.cli.main", *map(str, what)]
        return subprocess.run(command, env=env, capture_output=True, text=True, check=True).stdout

    fits = job(None)
    assert fits.wait(timeout=300) == 0, fits.stdout and fits.stdout.read()
    shared = tmp_path / "shared"
    jobs = {number: job(number) for number in (1, 2, 3, 4)}
    # one machine is lost as soon as a first copy of its shard has travelled: all of its processes at once
    deadline = time.monotonic() + 300
    while not (shared / "shards" / "2" / "ledger.sqlite").is_file():
        assert time.monotonic() < deadline and jobs[2].poll() is None
        time.sleep(0.02)
    os.killpg(jobs[2].pid, signal.SIGKILL)
    ends = {number: process.wait(timeout=300) for number, process in jobs.items()}
    assert ends == {1: 0, 2: -signal.SIGKILL, 3: 0, 4: 0}, [
        j.stdout and j.stdout.read() for j in jobs.values()
    ]
    early = mlopsim("merge", *sorted((shared / "shards").iterdir()), "--out", tmp_path / "early")
    assert "its last run has not ended" in early
    again = job(2)
    assert again.wait(timeout=300) == 0, again.stdout and again.stdout.read()
    late = mlopsim("merge", *sorted((shared / "shards").iterdir()), "--out", tmp_path / "all")
    assert "240 cells: 240 done" in late
    mlopsim("bench", *words[len("WORDS=(") : -1].split(), f"results={tmp_path / 'whole'}", "--no-report")
    for name in ("n.csv", "n.parquet"):
        files = [tmp_path / f"{folder}-{name}" for folder in ("all", "whole")]
        for folder, target in zip(("all", "whole"), files, strict=True):
            mlopsim("export", tmp_path / folder, target, "--numbers")
        assert files[0].read_bytes() == files[1].read_bytes()
