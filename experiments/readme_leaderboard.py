"""Write the leaderboard of the committed quick result into the README, as text.

python experiments/readme_leaderboard.py
"""

from __future__ import annotations

import csv
from pathlib import Path

from _common import ROOT

START, END = "<!-- leaderboard -->\n", "<!-- end -->\n"
#: column of the table, its head in the text, digits
COLUMNS = (
    ("bracket", "bracket", 3),
    ("regret", "regret", 3),
    ("accuracy", "accuracy", 3),
    ("retrains", "retrains", 1),
    ("rollbacks", "rollbacks", 1),
)


def leaderboard(folder: Path) -> str:
    """Return the methods of a suite's result with NS, its interval, and a few means, and what made it."""
    from omegaconf import OmegaConf

    with (folder / "leaderboard.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    lines = [["method", "NS", "", *(head for _, head, _ in COLUMNS)]]
    for row in rows:
        ns, low, high = (float(row[name]) for name in ("ns", "ns_low", "ns_high"))
        means = [f"{float(row[name]):.{digits}f}" for name, _, digits in COLUMNS]
        lines.append([row["method"], f"{ns:.3f}", f"[{low:.3f}, {high:.3f}]", *means])
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    texts = [
        "  ".join([line[0].ljust(widths[0]), *map(str.rjust, line[1:], widths[1:])]).rstrip()
        for line in lines
    ]
    config = OmegaConf.load(folder / "config.yaml")
    made = f"{config.title}, mlopsim {config.made_with.mlopsim}"
    texts.append(f"{made}: {config.made_with.note}" if "note" in config.made_with else made)
    return "\n".join(texts) + "\n"


def with_leaderboard(text: str, board: str) -> str:
    """Put a leaderboard between the marks of a text."""
    before, start, rest = text.partition(START)
    _, end, after = rest.partition(END)
    if not (start and end):
        raise ValueError(f"no {START.strip()} ... {END.strip()} in the text")
    return f"{before}{start}```text\n{board}```\n{end}{after}"


def main() -> None:
    """Write it."""
    readme = ROOT / "README.md"
    board = leaderboard(ROOT / "results" / "quick")
    readme.write_text(with_leaderboard(readme.read_text(encoding="utf-8"), board), encoding="utf-8")
    print(board, end="")


if __name__ == "__main__":
    main()
