"""Memory that no allocation and no count of references stands behind, for calls that take less than those."""

from __future__ import annotations

from typing import Any

from numba import types
from numba.core import cgutils
from numba.extending import intrinsic


@intrinsic
def floats_at(typing: Any, address: Any) -> Any:
    """Return the pointer to the floats at an address, for ``numba.carray``."""
    return _pointer(types.float64)


@intrinsic
def flags_at(typing: Any, address: Any) -> Any:
    """Return the pointer to the flags at an address, for ``numba.carray``."""
    return _pointer(types.boolean)


def _pointer(what: Any) -> Any:
    kind = types.CPointer(what)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.inttoptr(arguments[0], context.get_value_type(kind))

    return kind(types.intp), generate


@intrinsic(prefer_literal=True)
def scratch(typing: Any, size: Any) -> Any:
    """Return the pointer to ``size`` floats on the stack of the calling function; ``size`` is a constant."""
    if not isinstance(size, types.IntegerLiteral):
        return None

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return cgutils.alloca_once(builder, context.get_value_type(types.float64), size=size.literal_value)

    return types.CPointer(types.float64)(size), generate
