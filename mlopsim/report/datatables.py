"""DataTables as itables bundles it: one copy in a page, no request for it."""

from __future__ import annotations

import base64
import functools
import hashlib
import re
from dataclasses import dataclass
from importlib.metadata import version
from importlib.resources import files

from markupsafe import Markup

from mlopsim.core.errors import MlopsimError


@dataclass(frozen=True, kw_only=True)
class Bundle:
    """Script and style, ready to stand in a page.

    Attributes
    ----------
    script : Markup
        A module that leaves ``globalThis.itables``.
    style : Markup
    source : str
        What it is, with versions.
    """

    script: Markup
    style: Markup
    source: str

    @property
    def megabytes(self) -> float:
        """Its part of the page's size."""
        return len((self.script + self.style).encode()) / 1e6


def inline(script: str) -> Markup:
    r"""Return a script as it may stand between its tags: what HTML would act on or forbids is written out.

    Examples
    --------
    >>> print(inline("a = '</script><!--';"))
    a = '\x3c/script>\x3c!--';
    """
    text = re.sub(r"<(?=!--|/?script)", r"\\x3c", script.replace("\r\n", "\n"), flags=re.IGNORECASE)
    text = re.sub(r"[\x00-\x08\x0b\x0c\x0e-\x1f]", lambda found: f"\\x{ord(found[0]):02x}", text)
    return Markup(text)


def source_hash(script: str) -> str:
    """Return the source expression by which a content security policy allows one script.

    Examples
    --------
    >>> source_hash("")
    'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='
    """
    return "sha256-" + base64.b64encode(hashlib.sha256(script.encode()).digest()).decode("ascii")


@functools.cache
def bundle() -> Bundle:
    """Return what itables bundles.

    itables writes tables of its own from a data frame, with a script and a copy of each row for every one.
    Here the rows stand in the page as HTML, which is read without scripts, too, with intervals and
    footnotes; DataTables takes them over where they are.

    Examples
    --------
    >>> bundle().source
    'DataTables ... (MIT), bundled by itables ...'
    """
    folder = files("itables") / "html"
    script = (folder / "dt_bundle.js").read_text(encoding="utf-8")
    style = (folder / "dt_bundle.css").read_text(encoding="utf-8")
    exports = re.findall(r"export\s*\{([^}]*)\}", script)
    release = re.search(r"DataTables (\d+\.\d+\.\d+)", script)
    if len(exports) != 1 or release is None:
        raise MlopsimError(
            f"the bundle of itables {version('itables')} is of an unknown form",
            remedy="pip install 'itables>=2.9,<3'",
        )
    names = [tuple(part.split(" as ")) for part in exports[0].split(",")]
    found = ",".join(f'"{outer.strip()}":{inner.strip()}' for inner, outer in names)
    script = re.sub(r"export\s*\{[^}]*\};?", lambda _: f"globalThis.itables={{{found}}};", script)
    return Bundle(
        script=inline(script),
        # a style ends at its closing tag only
        style=Markup(style.replace("</", r"<\/")),
        source=f"DataTables {release[1]} (MIT), bundled by itables {version('itables')}",
    )
