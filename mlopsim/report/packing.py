"""Texts of a page that a browser unpacks when they are asked for."""

from __future__ import annotations

import base64
import zlib


def packed(text: str) -> str:
    """Return a text deflated, in base 64: what repeats itself takes a tenth of the room, and nothing acts.

    Examples
    --------
    >>> zlib.decompress(base64.b64decode(packed("<b>" * 1000))).decode() == "<b>" * 1000
    True
    >>> len(packed("<b>" * 1000)) < 60
    True
    """
    return base64.b64encode(zlib.compress(text.encode(), 9)).decode("ascii")
