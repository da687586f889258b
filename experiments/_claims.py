"""What a claim owes its readers: it was frozen before its first run, and each search behind it is logged.

What is frozen is what was chosen: tasks, methods with all of their hyper-parameters (those that are defaults,
too), seeds and budgets. Versions of the code are not; keys and the ledger hold these.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import _common

from mlopsim.bench.ledger import Ledger
from mlopsim.bench.suite import Suite
from mlopsim.core.digest import digest

#: keys of a part that say with which code it was made
CODE = ("version", "versions", "conditions")


def chosen(content: Any) -> Any:
    """Return what was chosen of a part: everything but versions of the code.

    Examples
    --------
    >>> chosen({"name": "ppo", "version": 3, "params": {"gamma": 0.9}})
    {'name': 'ppo', 'params': {'gamma': 0.9}}
    """
    if isinstance(content, Mapping):
        return {key: chosen(value) for key, value in content.items() if key not in CODE}
    return [chosen(value) for value in content] if isinstance(content, list | tuple) else content


def freeze(suite: Suite) -> str:
    """Return the digest of all that is chosen in a suite, agents and their hyper-parameters included."""
    content = {
        "suite": [suite.name, suite.version, suite.split, suite.root, list(suite.seeds)],
        "track": chosen(suite.track),
        "tasks": [[task.name, chosen(task.part)] for task in suite.tasks],
        "methods": [[method.name, chosen(method.part)] for method in suite.methods],
    }
    return digest(content)[:16]


def check_frozen(suite: Suite, frozen: str) -> None:
    """Refuse a suite that is not the one that was frozen.

    Raises
    ------
    SystemExit
        If anything chosen in it, also a default of an agent, is another one.
    """
    found = freeze(suite)
    if found != frozen:
        raise SystemExit(
            f"{suite.title} is {found}, the claim was frozen as {frozen}: tasks, seeds, budgets or "
            "hyper-parameters of a method (a default, too) have changed.\n"
            "  remedy: raise the suite's version, "
            f"commit it with 'frozen: {found}' in conf/experiment, and only then run it"
        )


def search_log(folder: Path) -> list[dict[str, Any]]:
    """Return one row for each search or training in a ledger, whichever suite it was for, failed ones too.

    Parameters
    ----------
    folder : Path
        Of the ledger.

    Returns
    -------
    list of dict
        ``key``, ``fit`` (what was tuned or trained, on what), ``status``, ``root``, ``steps`` (allowed),
        ``steps_used`` (search, training and choice together), ``tried`` (candidates that were scored; 0 for a
        training), ``chosen`` (parameters that a search found), ``seconds``, ``run``, ``started``, ``git``,
        ``suite`` (of that run, with its version and whether it was modified).
    """
    rows = []
    with Ledger.read(folder) as ledger:
        runs = {run["id"]: run for run in ledger.runs()}
        titles = {grid["digest"]: grid["title"] for grid in ledger.grids()}
        query = "SELECT key, label, status, info, seconds, run FROM fit ORDER BY finished, key"
        for key, label, status, info, seconds, run in ledger.rows(query):
            content = ledger.fit_job(key).part
            made = json.loads(info) if info else {}
            tried = {json.dumps(entry["params"], sort_keys=True) for entry in made.get("history", [])}
            known = runs[run]
            rows.append(
                {
                    "key": key,
                    "fit": label,
                    "status": status,
                    "root": content["root"],
                    "steps": content["steps"],
                    "steps_used": made.get("steps_used", ""),
                    "tried": len(tried),
                    "chosen": json.dumps(made["params"], sort_keys=True) if "params" in made else "",
                    "seconds": seconds,
                    "run": run,
                    "started": known["started"],
                    "git": known["record"].get("git") or "",
                    "suite": titles.get(known["grid"], ""),
                }
            )
    return rows


def write_search_log(ledger: Path, folder: Path, name: str = "searches") -> Path:
    """Add the searches of a ledger to the committed log; what is logged stays, also of ledgers that are gone.

    Parameters
    ----------
    ledger : Path
        Folder of the ledger.
    folder : Path
        Of the results; the log is ``searches.csv`` there.
    """
    path = folder / f"{name}.csv"
    logged: list[dict[str, Any]] = []
    if path.exists():
        with path.open(newline="") as file:
            logged = list(csv.DictReader(file))
    known = {(row["key"], row["run"]) for row in logged}
    new = [row for row in search_log(ledger) if (row["key"], row["run"]) not in known]
    return _common.write_table(folder, [*logged, *new], name)
