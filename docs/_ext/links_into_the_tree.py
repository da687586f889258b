"""Links from a page to files outside ``docs``: tables and figures travel with the site.

Pages are read on a code host as well, where ``../results/...`` is a file beside ``docs``. In the site such a
file is copied and the link points at the copy; a link to a file that is not there is an error.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

from docutils import nodes
from sphinx import addnodes
from sphinx.util import logging

if TYPE_CHECKING:
    from sphinx.application import Sphinx

logger = logging.getLogger(__name__)
#: folder of the site that holds the copies
FOLDER = "_tree"
#: pages outside ``docs`` that a page of the site includes
INCLUDED = {"results/README": "results"}


def outside(app: Sphinx, docname: str, target: str) -> Path | None:
    """Return the file outside ``docs`` that a link of a page means; None: it is no such link."""
    if "://" in target or target.startswith(("#", "mailto:")):
        return None
    place = target.split("#")[0]
    if not place:
        return None
    path = (Path(app.srcdir) / docname).parent / place
    found = Path(os.path.normpath(path))
    return None if found.is_relative_to(Path(app.srcdir)) else found


def copied(app: Sphinx, docname: str, path: Path) -> str | None:
    """Copy a file of the tree into the site; returns the link to it from a page."""
    root = Path(app.srcdir).parent
    if not path.is_file() or not path.is_relative_to(root):
        logger.warning("%s links to %s, which is no file of the tree", docname, path, location=docname)
        return None
    place = Path(FOLDER) / path.relative_to(root)
    goal = Path(app.outdir) / place
    goal.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(path, goal)
    return "../" * docname.count("/") + place.as_posix()


def resolve(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    """Let links and pictures of a page point at copies in the site."""
    if app.builder.format != "html":
        return
    for node in list(doctree.findall(addnodes.download_reference)):
        path = outside(app, docname, node.get("reftarget", ""))
        if path is not None and (link := copied(app, docname, path)):
            node.replace_self(nodes.reference("", "", *node.children, refuri=link, internal=False))
    for reference in doctree.findall(nodes.reference):
        path = outside(app, docname, reference.get("refuri", ""))
        if path is not None and not reference.get("internal", False):
            if FOLDER in Path(reference["refuri"]).parts:
                continue
            if link := copied(app, docname, path):
                reference["refuri"] = link


def included(app: Sphinx, doctree: nodes.document) -> None:
    """Let links to a page that the site includes point at the page that does it."""
    root = Path(app.srcdir).parent
    for link in doctree.findall(addnodes.pending_xref):
        target = Path(link.get("reftarget", ""))
        if link.get("refdomain") == "doc" and target.is_absolute() and target.is_relative_to(root):
            link["reftarget"] = INCLUDED.get(target.relative_to(root).as_posix(), link["reftarget"])


def setup(app: Sphinx) -> dict[str, Any]:
    """Connect to Sphinx."""
    app.connect("doctree-read", included)
    app.connect("doctree-resolved", resolve)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
