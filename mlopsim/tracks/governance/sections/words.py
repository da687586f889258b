"""The words of the report."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from mlopsim.core.registry import register
from mlopsim.core.section import Results, SectionMaker
from mlopsim.core.track import Section


@register("section", "governance-words")
@dataclass(kw_only=True)
class GovernanceWords(SectionMaker):
    """What the words of the columns stand for."""

    track: ClassVar[str] = "governance"
    title: ClassVar[str] = "Words"
    order: ClassVar[float] = 70

    def make(self, results: Results) -> Section:
        """Explain."""
        text = (
            "- **R**, return: mean reward a window (quality of what served less costs of switches and "
            "retrains).\n"
            "- **C**, cost: mean cost of the task's constraints a window, by the truth, summed by their "
            "weights; 0 while the fallback serves. It is not part of R.\n"
            "- **over**: how far costs are above their limits in a deployment, on average: a deployment "
            "below its limit does not make up for one above.\n"
            "- **out**, **longest**: share of windows with a violation, and the longest run of them.\n"
            "- **suspended**: share of windows that the fallback served.\n"
            "- **gate**: versions are trained on what the data gate lets through; **trigger**: alarms of the "
            "deployment's drift detector are observed; **audits**: release gates and audits stop versions on "
            "arrival; **learned**: a learned selector decides, else a rule (on alarms instead of a schedule "
            "where there is a trigger); **rollback**: versions other than the newest can be deployed. What "
            "else a task has (reviewer, fallback, limits) is the same in all arms: those that learn suspend "
            "when they think fit, the others where a measured cost is beyond a tuned share of its limit, and "
            "both aim at the limits; whether a fit was shown to keep them stands in **Budgets**.\n"
            "- **denied**: versions that the reviewer denied; **refused**: versions that release gates and "
            "audits stopped; **alarms**: decisions at which a drift alarm was seen.\n"
            "- **impossible**: actions that a method asked for and that were carried out as keep.\n"
            "- **U**, upper: bound of what a clairvoyant with all parts could earn, whatever it cost; "
            "**optimum**: its plan; **never**: never acts; **suspend_always**: suspends at once and for good."
        )
        return Section(title=self.title, text=text)
