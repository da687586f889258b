"""The words of the report."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from mlopsim.core.registry import register
from mlopsim.core.section import Results, SectionMaker
from mlopsim.core.track import Section


@register("section", "quality-words")
@dataclass(kw_only=True)
class QualityWords(SectionMaker):
    """What the columns and the controls are."""

    track: ClassVar[str] = "quality"
    title: ClassVar[str] = "Words"
    order: ClassVar[float] = 100

    def make(self, results: Results) -> Section:
        """Explain."""
        text = (
            "- **none**: no gate. **clean**: the same rows without errors. **oracle**: drops exactly the "
            "wrong rows. **random**: flags rows at random at the asked rate.\n"
            "- **recall**: wrong rows that are flagged; **false-alarm rate**: right rows that are. A row is "
            "wrong where an error was put into a cell or its label. Labels that the stream's own noise made "
            "wrong are neither (**noise found** counts them).\n"
            "- **f1 at contamination**: F1 with as many flags as there are wrong rows (precision and "
            "recall are equal there).\n"
            "- **batch delay**: windows from the first corrupted window to the first one that is flagged.\n"
            "- **harm**: accuracy lost to a gate where nothing is wrong.\n"
            "- **stage**: where the gate stands: at the entry of rows, at training, at the release of a "
            "version, or at all three. **action**: what is done with what it flags. **level**: what it tells "
            "apart. **needs**: labels, or none. **known**: what it knows that a deployment does not."
        )
        return Section(title=self.title, text=text)
