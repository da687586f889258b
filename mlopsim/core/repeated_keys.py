"""Keys that stand twice in one pair of braces: readers of YAML and of overrides silently keep the last."""

from __future__ import annotations

from mlopsim.core.errors import ConfigError


def refuse_repeated_keys(text: str) -> None:
    """Raise if a key stands twice in one pair of braces of a text like ``[a, {b: {c: 1, d: 2}}]``.

    Parameters
    ----------
    text : str
        Lists and mappings in brackets and braces; what is in quotes is passed over.

    Raises
    ------
    ConfigError
        Names the key.

    Examples
    --------
    >>> refuse_repeated_keys("[{tree: {max_depth: 3}}, {tree: {max_depth: 4}}, '{a: 1, a: 2}']")
    >>> refuse_repeated_keys("{a: x:1, b: x:2}")
    >>> refuse_repeated_keys("{tree: {max_depth: 3, max_depth: 4}}")
    Traceback (most recent call last):
    ...
    mlopsim.core.errors.ConfigError: 'max_depth' is given twice
      remedy: keep one of them
    """
    # of each open bracket the keys so far; None: a list
    levels: list[set[str] | None] = []
    word, quote, before, key_due = "", "", "", False
    for sign in text:
        if quote:
            # a backslash takes the meaning from the sign that follows it
            if sign == quote and before != "\\":
                quote = ""
            else:
                word += sign
        elif sign in "'\"" and not word.strip():
            quote = sign
        elif sign in "{[":
            levels.append(set() if sign == "{" else None)
            word, key_due = "", True
        elif sign in "}],":
            if sign != "," and levels:
                levels.pop()
            word, key_due = "", sign == ","
        elif sign == ":" and key_due and levels and (keys := levels[-1]) is not None:
            key = word.strip()
            if key in keys:
                raise ConfigError(f"'{key}' is given twice", remedy="keep one of them")
            keys.add(key)
            # a value may hold colons of its own
            word, key_due = "", False
        else:
            word += sign
        before = sign
