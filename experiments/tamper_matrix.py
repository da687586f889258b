"""Which level of verification finds which attack on a record, and does replay give one record?

Sixteen attacks (and two that bound what these say) strike the records of deployments at random places, once
for each extent of what the attacker may rewrite. What every level reports is compared with a table that was
committed before the code. Then the decisions of many deployments are taken a second time, in another process
with another number of threads and Worlds built anew, and the roots of their records compared with those in
the ledger.
"""

from __future__ import annotations

import _common  # isort: skip

import csv
import itertools
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

#: deployments of one World: as many methods as are named here
TASK = {
    "stream": {"synthetic": {"windows": 40, "rows": 60, "warmup": 8, "schedule": "abrupt"}},
    "learner": "ridge",
}
METHODS = [{"periodic": {"every": 5}}, "ks", "ddm", {"random": {"retrain": 0.2}}]
#: deployments whose heads are committed
PUBLISHED = 100
#: deployments after which the roots are on disk
EVERY = 50


def study(seeds: int) -> Any:
    """Return the deployments: methods on the same Worlds, with the heads of their records."""
    from mlopsim.compose import Study
    from mlopsim.core.spec import label

    names = [label("selector", entry) for entry in METHODS]
    return Study(
        track={"delivery": {"steps": 0, "record": True}},
        tasks=[TASK],
        methods=METHODS,
        seeds=seeds,
        # what always stands in a table is no deployment of a method
        cells=[{"method": names}],
        name="tamper-matrix",
    )


def cells(made: Any, number: int) -> list[Any]:
    """Return the cells of so many deployments, seed by seed."""
    return sorted(made.grid.cells, key=lambda cell: (cell.seed, cell.method.name))[:number]


def seeds_for(number: int) -> int:
    """Return how many seeds give so many deployments."""
    return -(-number // len(METHODS))


def targets(number: int) -> Iterator[Any]:
    """Yield deployments whose records are attacked; the other cell is the next one's."""
    from _attacks import Target, boundaries

    from mlopsim.governance.record.making import make_record
    from mlopsim.governance.record.overrides import Override

    made = study(seeds_for(2 * number))
    usable = []
    for cell in cells(made, len(made.grid.cells)):
        record = make_record(made.track.redeploy(cell, {}))
        # where nothing but windows happened, there is no event that could be dropped
        if any(b'"kind":"retrain"' in line for line in record.decisions):
            usable.append((cell, record))
        if len(usable) > number:
            break
    for (cell, record), (_, other) in itertools.pairwise(usable):

        def again(overrides: Any, taken: Any, cell: Any = cell, record: Any = record) -> Any:
            if not overrides and not taken:
                return record
            return make_record(made.track.redeploy(cell, {}, overrides=overrides, taken=taken))

        windows = boundaries(record)
        entry = Override(window=_retrained(record), decision="keep", by="nobody", reason="none")
        yield Target(
            record=record,
            other=other,
            again=again,
            overruled=again([entry], {}),
            keep=len(windows) // 2,
        )


def _retrained(record: Any) -> int:
    """Return the first window in which a retrain was decided."""
    values = map(json.loads, record.decisions)
    return int(next(value["window"] for value in values if value["kind"] == "retrain"))


def matrix(settings: Mapping[str, Any], targets: Sequence[Any]) -> list[dict[str, Any]]:
    """Attack, verify, and tabulate by attack and power what each level reported, beside what was expected."""
    import numpy as np
    from _attacks import POWERS, attack, untouched

    for target in targets:
        if any(untouched(target).found(target).values()):
            raise SystemExit(
                "a record that nobody touched is reported: nothing of the table would say anything"
            )
    table = []
    for name, expected in {**settings["attacks"], **settings["beyond"]}.items():
        for power in POWERS:
            if expected[power] is None:
                continue
            counts = dict.fromkeys(settings["levels"], 0)
            for number, target in enumerate(targets):
                seed = [settings["seed"], number, *name.encode()]
                found = attack(name, power, target, np.random.default_rng(seed)).found(target)
                for level in counts:
                    counts[level] += found[level]
            wanted = dict(zip(settings["levels"], expected[power], strict=True))
            table.append(
                {
                    "attack": name,
                    "rewrites": power,
                    "records": len(targets),
                    **{f"found_{level}": count for level, count in counts.items()},
                    **{f"expected_{level}": wanted[level] * len(targets) for level in counts},
                    "as_expected": all(counts[level] == wanted[level] * len(targets) for level in counts),
                }
            )
    return table


# -- the same record again


def again_in_this_process(number: int, path: Path) -> None:
    """Take the decisions of deployments again and append the roots that are not there yet."""
    from mlopsim.governance.record.heads import heads_of
    from mlopsim.governance.record.making import make_record

    made = study(seeds_for(number))
    known = {row["key"] for row in read_roots(path)}
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        if not known:
            writer.writerow(["key", "decisions_root", "evidence_root"])
        for done, cell in enumerate(cells(made, number)):
            if cell.key in known:
                continue
            facts = heads_of(make_record(made.track.redeploy(cell, {}))).facts()
            writer.writerow([cell.key, facts["decisions_root"], facts["evidence_root"]])
            if done % EVERY == 0:
                file.flush()


def read_roots(path: Path) -> list[dict[str, str]]:
    """Return the roots that were made again; a line that was cut is not among them."""
    if not path.is_file():
        return []
    with path.open(newline="", encoding="utf-8") as file:
        return [row for row in csv.DictReader(file) if all(row.values()) and len(row["evidence_root"]) == 44]


def publish(stored: Mapping[str, Mapping[str, Any]], folder: Path) -> None:
    """Write ``heads.csv``, to be committed: whoever takes these decisions again can compare."""
    from mlopsim.core.files import write_text
    from mlopsim.governance.record.heads import heads_from_facts, write_heads

    found = [heads_from_facts(key, facts) for key, facts in list(stored.items())[:PUBLISHED]]
    write_text(folder / "heads.csv", write_heads(heads for heads in found if heads is not None))


def same_roots(settings: Mapping[str, Any], local: Path, target: Path) -> dict[str, Any]:
    """Run the deployments into a ledger, take them again elsewhere, publish heads, and compare."""
    number, threads = settings["deployments"], str(settings["threads"])
    made = study(seeds_for(number))
    folder = local / "ledger"
    summary = made.run(folder, workers=settings["workers"]).summary
    if summary is None or not summary.complete:
        raise SystemExit(f"some deployments failed: see mlopsim status {folder}")
    path = local / "again.csv"
    environment = {
        **os.environ,
        **dict.fromkeys(_common.ONE_THREAD, threads),
        # Worlds are built anew, too
        "MLOPSIM_CACHE": str(local / "worlds"),
    }
    code = "import sys; sys.path.insert(0, sys.argv[1]); import numpy, tamper_matrix as t, pathlib; "
    code += "t.again_in_this_process(int(sys.argv[2]), pathlib.Path(sys.argv[3]))"
    here = str(Path(__file__).parent)
    subprocess.run([sys.executable, "-c", code, here, str(number), str(path)], env=environment, check=True)
    again = {row["key"]: row for row in read_roots(path)}
    from mlopsim.bench.ledger import Ledger

    with Ledger.read(folder) as ledger:
        stored = {cell.key: ledger.outcome(cell.key).attributes for cell in cells(made, number)}
    publish(stored, target)
    pairs = [(facts, again[key]) for key, facts in stored.items()]
    return {
        "deployments": len(pairs),
        "records": sum(int(str(facts["record_size"])) for facts, _ in pairs),
        "threads_then": 1,
        "threads_again": int(threads),
        "same_decisions": sum(facts["decisions_root"] == row["decisions_root"] for facts, row in pairs),
        "same_evidence": sum(facts["evidence_root"] == row["evidence_root"] for facts, row in pairs),
        "different_records": len({facts["decisions_root"] for facts, _ in pairs}),
    }


def run(experiment: _common.Experiment) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Attack, compare, write both tables."""
    settings = experiment.settings
    table = matrix(settings, list(targets(settings["records"])))
    _common.write_config(experiment)
    _common.write_table(experiment.folder, table)
    roots = same_roots(settings, experiment.local, experiment.folder)
    _common.write_table(experiment.folder, [roots], "roots")
    return table, roots


def main(arguments: Sequence[str] | None = None) -> None:
    """Attack, print, and fail unless the table is the committed one and all roots are the same."""
    experiment = _common.start("tamper_matrix", __doc__, arguments)
    table, roots = run(experiment)
    _common.show(table, "which level reports which attack")
    _common.show([roots], "the same decisions, taken again")
    print(f"written to {experiment.folder}")
    wrong = [f"{row['attack']} ({row['rewrites']})" for row in table if not row["as_expected"]]
    if wrong:
        raise SystemExit(f"not as in the committed table: {', '.join(wrong)}")
    if roots["same_decisions"] != roots["deployments"]:
        raise SystemExit("some deployments did not give the same decisions again")


if __name__ == "__main__":
    main()
