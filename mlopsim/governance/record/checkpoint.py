"""The head of a log as text: a checkpoint of three lines (c2sp.org/tlog-checkpoint).

A key that lies beside the log proves nothing, so heads are not signed here. What others have signed is read,
and the signatures are told, not judged.
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass

from mlopsim.core.errors import DataError
from mlopsim.governance.record.merkle import SIZE

_DASH = "\u2014 "
#: largest head that is read, in bytes
LARGEST = 1 << 20
#: largest number of leaves: what 64 bits hold
MOST = 2**63 - 1


@dataclass(frozen=True, kw_only=True)
class Signature:
    """A signature line: name of the key, its id, and the signature's bytes. Not judged."""

    name: str
    key: int
    data: bytes


@dataclass(frozen=True, kw_only=True)
class Checkpoint:
    """Origin, number of leaves and root of a log at one moment.

    Parameters
    ----------
    origin : str
        Which log it is.
    size : int
        Number of leaves.
    root : bytes
        Root of their tree, 32 bytes.
    extensions : tuple of str
        Further lines of the body, which nobody reads.
    signatures : tuple of Signature

    Examples
    --------
    >>> from mlopsim.governance.record.merkle import root_of
    >>> head = Checkpoint(origin="example.com/log", size=0, root=root_of([]))
    >>> print(head.text(), end="")
    example.com/log
    0
    47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=
    >>> read_checkpoint(head.text()) == head
    True
    """

    origin: str
    size: int
    root: bytes
    extensions: tuple[str, ...] = ()
    signatures: tuple[Signature, ...] = ()

    def text(self) -> str:
        """Return the checkpoint, without signatures."""
        lines = [self.origin, str(self.size), encoded(self.root), *self.extensions]
        return "".join(f"{line}\n" for line in lines)


def encoded(data: bytes) -> str:
    """Return bytes in base64."""
    return base64.b64encode(data).decode("ascii")


def decoded(text: str) -> bytes:
    """Return the bytes of base64 text, which must be written as it would be here.

    Raises
    ------
    DataError
        If it is no base64, or one of the other ways to write the same bytes.

    Examples
    --------
    >>> decoded("AAE="), encoded(decoded("AAE="))
    (b'\\x00\\x01', 'AAE=')
    """
    try:
        data = base64.b64decode(text.encode("ascii"), validate=True)
    except (binascii.Error, ValueError) as error:
        raise DataError(f"'{text[:60]}' is no base64", remedy="take the text as it was published") from error
    if encoded(data) != text:
        raise DataError(f"'{text[:60]}' is not how base64 is written", remedy="take it as it was published")
    return data


def hash_of(text: str) -> bytes:
    """Return a hash that is written in base64.

    Raises
    ------
    DataError
        If it is none of 32 bytes.
    """
    data = decoded(text)
    if len(data) != SIZE:
        raise DataError(f"'{text[:60]}' is no hash of {SIZE} bytes", remedy="take it as it was published")
    return data


def read_checkpoint(text: str, where: str = "the head") -> Checkpoint:
    """Read a checkpoint.

    Parameters
    ----------
    text : str
    where : str
        What it is called in errors.

    Raises
    ------
    DataError
        If it is cut, or no checkpoint.

    Examples
    --------
    >>> read_checkpoint("example.com/log\\n0\\n")
    Traceback (most recent call last):
    ...
    mlopsim.core.errors.DataError: the head is truncated: 2 of its 3 lines
      remedy: write the record anew, or take the head as it was published
    """
    remedy = "write the record anew, or take the head as it was published"
    body, blank, rest = text.partition("\n\n")
    lines = (body + blank[:1]).split("\n")
    whole, lines = lines[-1] == "", lines[:-1] if lines[-1] == "" else lines
    if len(lines) < 3 or not whole:
        left = f"{len(lines)} of its 3 lines" if len(lines) < 3 else "its last line has no end"
        raise DataError(f"{where} is truncated: {left}", remedy=remedy)
    if any(ord(sign) < 32 for line in lines for sign in line) or "" in lines:
        raise DataError(
            f"{where} is no checkpoint: it holds control characters or empty lines", remedy=remedy
        )
    origin, size, root = lines[:3]
    if not (size.isascii() and size.isdigit() and str(int(size[:20])) == size and int(size) <= MOST):
        raise DataError(f"{where} is no checkpoint: '{size[:60]}' is no size", remedy=remedy)
    try:
        found = hash_of(root)
    except DataError as error:
        raise DataError(f"{where} is truncated or no checkpoint: {error.message}", remedy=remedy) from error
    return Checkpoint(
        origin=origin,
        size=int(size),
        root=found,
        extensions=tuple(lines[3:]),
        signatures=_signatures(rest, where, remedy),
    )


def _signatures(text: str, where: str, remedy: str) -> tuple[Signature, ...]:
    found = []
    if text and not text.endswith("\n"):
        raise DataError(f"{where} is truncated in its signatures", remedy=remedy)
    for line in text.split("\n")[:-1]:
        name, space, data = line.removeprefix(_DASH).partition(" ")
        if not (line.startswith(_DASH) and name and space) or "+" in name:
            raise DataError(f"{where} has a line '{line[:60]}' that is no signature", remedy=remedy)
        raw = decoded(data)
        if len(raw) < 5:
            raise DataError(f"{where} has a signature of {len(raw)} bytes", remedy=remedy)
        found.append(Signature(name=name, key=int.from_bytes(raw[:4], "big"), data=raw[4:]))
    return tuple(found)
