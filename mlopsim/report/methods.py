"""One method of a page: what is known of it, its place on each task, its cells, the command for it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from mlopsim.report.packing import packed
from mlopsim.report.templating import fill


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """A method on a task.

    Parameters
    ----------
    task : str
    score : str
        Estimate with interval, typeset.
    n : int
        What the interval rests on.
    rank, of : int
        Its place among those methods of the task that are no controls and have a score; 0 where it has none.
    alike, of_alike : int
        Likewise among those that are like it.
    cells : str
        What its cells have, by seed.
    reason : str
        Why there is no score.
    """

    task: str
    score: str
    n: int
    rank: int = 0
    of: int = 0
    alike: int = 0
    of_alike: int = 0
    cells: str = ""
    reason: str = ""


@dataclass(frozen=True, kw_only=True)
class MethodView:
    """What a page shows of a method.

    Parameters
    ----------
    name : str
    facts : mapping of str to str
        Its attributes.
    places : sequence of Place
    commands : sequence of str
        They make its cells again.
    note : str
        What the commands do.
    """

    name: str
    facts: Mapping[str, str]
    places: Sequence[Place]
    commands: Sequence[str] = ()
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class MethodsView:
    """What a page shows of its methods, one at a time.

    Parameters
    ----------
    score : str
        By what they are ranked, with its unit and direction.
    alike : str
        What those are that a method is like.
    cells : str
        What is shown of the cells, and of which seeds.
    methods : sequence of MethodView
    """

    score: str
    alike: str
    cells: str
    methods: Sequence[MethodView]


def methods_html(view: MethodsView) -> Markup:
    """Put the methods into a page: a closed dialog, and its content deflated, as texts.

    Examples
    --------
    >>> place = Place(task="a", score="0.5 [0.4, 0.6]", n=3, rank=1, of=2)
    >>> one = MethodView(name="m", facts={"family": "rule"}, places=[place])
    >>> html = methods_html(MethodsView(score="NS", alike="all", cells="returns", methods=[one]))
    >>> '<dialog id="method"' in html, "rule" in html
    (True, False)
    """
    tasks = list(dict.fromkeys(place.task for method in view.methods for place in method.places))
    number = {task: k for k, task in enumerate(tasks)}
    content = {
        "tasks": tasks,
        "methods": {
            method.name: {
                "facts": list(method.facts.items()),
                "commands": list(method.commands),
                "note": method.note,
                "places": [
                    [number[p.task], p.score, p.n, p.rank, p.of, p.alike, p.of_alike, p.cells, p.reason]
                    for p in method.places
                ],
            }
            for method in view.methods
        },
    }
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
    return fill("method.html", view=view, content=packed(text))
