"""A decision's explanation in words and tables: on the terminal and as sections of a page."""

from __future__ import annotations

import math
from typing import Any

import polars as pl

from mlopsim.core.text import code_span
from mlopsim.core.track import Section
from mlopsim.governance.explained.attribution import ordered
from mlopsim.governance.explained.decision import Explained

#: why there is no counterfactual, by what a policy says of itself
_NO_QUANTITY = "no quantity that can change alone changes the answer"
_INPUTS = "it reads the rows themselves, not the observation: changed features would not reach it"


def alternatives(explained: Explained) -> pl.DataFrame:
    """Return one row a possible action, the best in hindsight first: values less that of what was done.

    Columns: ``action``, ``value`` (less what was done), its parts, the costs of constraints, ``done``.
    """
    chosen = explained.chosen
    rows = []
    for action in explained.possible:
        parts = explained.parts(action)
        base = explained.parts(chosen)
        row: dict[str, Any] = {"action": explained.actions[action]}
        differences = {name: parts[name] - base[name] for name in parts}
        row["value"] = sum(differences.values())
        row |= differences
        for name, cost in explained.forks.costs.items():
            row[f"cost {name}"] = float(cost[0, action] - cost[0, chosen])
        row["done"] = "done" if action == chosen else ""
        rows.append(row)
    return pl.DataFrame(rows)


def beliefs(explained: Explained) -> pl.DataFrame | None:
    """Return one row an action: by which numbers the policy chose; None if it has none."""
    believed = explained.believed
    if believed is None:
        return None
    # it may not know the last action, suspend
    unknown = [None] * (len(explained.actions) - len(believed))
    table: dict[str, list[Any]] = {
        "action": list(explained.actions),
        # infinite: ruled out beforehand
        explained.policy.believes: [float(v) if math.isfinite(v) else None for v in believed] + unknown,
    }
    if explained.probabilities is not None:
        table["probability"] = [float(value) for value in explained.probabilities] + unknown
    table["possible"] = ["yes" if possible else "no" for possible in explained.forks.mask[0]]
    table["answer"] = ["answer" if i == explained.answer else "" for i in range(len(explained.actions))]
    return pl.DataFrame(table)


def changes(explained: Explained) -> pl.DataFrame | None:
    """Return one row a counterfactual, the smallest change first; None if there is none."""
    if not explained.counterfactuals:
        return None
    return pl.DataFrame(
        [
            {
                "feature": found.quantity.name,
                "was": f"{found.quantity.value:.3f}",
                "same answer up to": f"{found.still:.3f}",
                "another from": f"{found.value:.3f}",
                "then": explained.actions[found.answer],
                "found by": found.how,
            }
            for found in explained.counterfactuals
        ]
    )


def groups(explained: Explained) -> pl.DataFrame:
    """Return one row a group of features: its Shapley value."""
    found = ordered(explained.attribution)
    return pl.DataFrame(
        {"group": [name for name, _ in found], "Shapley value": [value for _, value in found]}
    )


def headline(explained: Explained) -> str:
    """Say what was decided, and whether something else would have been better in hindsight."""
    words = [
        f"After window {explained.window} it answered: {explained.actions[explained.answer]}"
        + ("" if explained.answer == explained.chosen else ", which was impossible and became keep")
        + "."
    ]
    why = explained.reasons
    if why is None or explained.rival is None:
        return f"{words[0]} Nothing else was possible."
    rival = explained.actions[explained.rival]
    if why.total > 0:
        words.append(f"In hindsight that was the best: {why.total:.4g} above {rival}, the next.")
    elif why.total < 0:
        words.append(f"In hindsight {rival} would have been better, by {-why.total:.4g}.")
    else:
        words.append(f"In hindsight {rival} would have been worth exactly as much.")
    if why.sufficient:
        better = "it" if why.total > 0 else rival
        outweighed = f", against {' and '.join(why.against)}" if why.against else ""
        words.append(f"Reasons that suffice for {better}: {' and '.join(why.sufficient)}{outweighed}.")
    return " ".join(words)


def hindsight_note(explained: Explained) -> str:
    """Say what the values are."""
    last = explained.scene.first + explained.scene.steps
    return (
        f"Reward of the windows {explained.window + 1} to {last}, added up, less that of what was done: "
        "exact, by walking each action in this very scenario with the same method afterwards. One future, "
        "which nobody knew: no expectation, and so without an interval. The parts add up to the value to the "
        "bit."
    )


def belief_note(explained: Explained) -> str:
    """Say what the policy went by, where it tells."""
    words = []
    if explained.believed is None:
        words.append("It keeps no number for each action.")
    else:
        words.append(f"It went by its {explained.policy.believes}; that is all it knew of values then.")
        if not explained.took_largest:
            words.append("It did not take the largest possible one: a rule of its own stood before them.")
        if explained.probabilities is not None:
            words.append("It acts by the largest; the probabilities are those that it was trained with.")
    if explained.alarmed is not None:
        words.append(f"It had {'an' if explained.alarmed else 'no'} alarm.")
    if explained.rules:
        words.append(f"Its leaf: {'; '.join(explained.rules)}.")
    return " ".join(words)


def change_note(explained: Explained) -> str:
    """Say what the counterfactuals are, or why there are none."""
    policy = explained.policy
    if getattr(policy, "uses_inputs", False):
        return f"None: {_INPUTS}."
    rows = getattr(policy, "uses_errors", True)
    left_out = " What labels tell is left out: it reads the errors row by row." if rows else ""
    if not explained.counterfactuals:
        return f"None: {_NO_QUANTITY}.{left_out}"
    return (
        "One feature changed, with what shows the same number, all else equal; only features that can change "
        "alone in a deployment. Each was verified: the method was run on the changed observation, after its "
        f"true past.{left_out}"
    )


def group_note(explained: Explained) -> str:
    """Say what is attributed."""
    found = explained.attribution
    return (
        f"Attributed is the behaviour: how often it answers the same if features are mixed with those of "
        f"{found.decisions} other decisions of this deployment, {found.none:.0%} with none of this one's "
        f"features, {found.whole:.0%} with all. Exact Shapley values over {len(found.groups)} groups; "
        "mixed observations need not be possible ones."
    ).replace("%", " %")


def sections(explained: Explained) -> list[Section]:
    """Make the sections of the page."""
    from mlopsim.governance.explained.pictures import futures, hangs_on

    return [
        Section(
            title="Alternatives, in hindsight",
            text=hindsight_note(explained),
            table=alternatives(explained),
            figures={"What came of each possible action": futures(explained)},
        ),
        Section(title="What it went by", text=_coded(belief_note(explained)), table=beliefs(explained)),
        Section(
            title="What would have changed the answer",
            text=change_note(explained),
            table=changes(explained),
        ),
        Section(
            title="What the answer hangs on",
            text=group_note(explained),
            table=groups(explained),
            figures={"Shapley values of groups of features": hangs_on(explained)},
        ),
    ]


def _coded(text: str) -> str:
    """Set the conditions of a tree as code: names with underscores stay as they are."""
    head, mark, rest = text.partition("Its leaf: ")
    if not mark:
        return text
    return f"{head}{mark}{', '.join(code_span(rule) for rule in rest.rstrip('.').split('; '))}."
