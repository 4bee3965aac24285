"""What is known of what a call gives, by those that get it next.

What a call made is nobody else's until it returns. As long as nothing runs but what is proven it
stays as it was made, as what is proven changes nothing that others have. Of all else that a call
gives nothing is known to others: whoever has it may change it meanwhile.
"""

from __future__ import annotations

from .values import (
    SCALARS,
    AnyOf,
    Box,
    Given,
    Known,
    Made,
    Opaque,
    Plain,
    Value,
    any_of,
    is_constant,
    iterated,
    size_of,
)

_DEEPEST = 4
_MOST_PARTS = 64


def given_by(result: Value, what: str) -> Value | None:
    """Give what the one that gets `result` may count on; None if that is nothing.

    Parameters:
        result: of a call that is proven.
        what: it is, in words.
    """
    given = _Giving(what).of(result, 0)
    return None if isinstance(given, Opaque) else given


class _Giving:
    def __init__(self, what: str) -> None:
        self._unknown = Opaque(what)
        self._what = what
        self._parts = 0

    def of(self, value: Value, depth: int) -> Value:
        self._parts += 1
        if depth > _DEEPEST or self._parts > _MOST_PARTS:
            return self._unknown
        if isinstance(value, AnyOf):
            return _one_of([self.of(each, depth) for each in value.options])
        if isinstance(value, Given):
            return value
        if isinstance(value, Known):
            return value if is_constant(value.obj) else self._unknown
        if isinstance(value, Plain):
            return value if value.type in SCALARS else self._unknown
        if isinstance(value, Box):
            return self._of_box(value, depth + 1)
        if isinstance(value, Made):
            attributes = {
                name: _one_of([self.of(each, depth + 1) for each in stored])
                for name, stored in value.attributes.items()
            }
            return Given(value.cls, self._what, attributes)
        return self._unknown

    def _of_box(self, box: Box, depth: int) -> Value:
        parts = [*box.elements, *(box.keys or ())]
        if len(parts) > _MOST_PARTS:
            return self._unknown
        return Plain(
            box.type,
            size=size_of(box) + sum(map(size_of, parts)),
            element=any_of([self.of(each, depth) for each in box.elements]),
            key=None if box.keys is None else any_of([self.of(each, depth) for each in box.keys]),
            most=len(iterated(box)),
        )


def _one_of(values: list[Value]) -> Value:
    """Give what is one of `values`; containers of one kind as one that may be any of them."""
    found: list[Value] = []
    containers: dict[type, list[Plain]] = {}
    for each in values:
        if isinstance(each, Plain) and each.most is not None:
            containers.setdefault(each.type, []).append(each)
        else:
            found.append(each)
    for kind, of_kind in containers.items():
        keys = [each.key for each in of_kind if each.key is not None]
        found.append(
            Plain(
                kind,
                size=max(each.size for each in of_kind),
                element=any_of([each.element for each in of_kind if each.element is not None]),
                key=any_of(keys) if keys else None,
                most=max(each.most or 0 for each in of_kind),
            )
        )
    return any_of(found)
