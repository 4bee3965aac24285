"""What a proof expects of the values that a call gets, where nothing says what they are for sure.

A dependency may return anything, whatever is annotated. A proof that needs to know takes the
annotation's word, and says so; before each call a guard looks whether it is so, and if it is not,
this one call goes to the thread pool.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, TypeAlias

from .kinds import BITS, LARGE, Exactly, Kind, Sizes, kind_of, looked_at
from .lookup import ABSENT
from .places import Item, Keys, Place
from .values import (
    SCALARS,
    TEXT_CLAIMED,
    Given,
    Held,
    Opaque,
    Plain,
    Value,
    any_of,
    options_of,
)

#: What leads to a value: the name of a parameter, then those of attributes, or an `Item`.
Path: TypeAlias = tuple[Any, ...]

_DEEPEST = 16  # names that lead to a value
_MOST_LOOKED_AT = 384  # values by one guard


@dataclass(frozen=True)
class Expectation:
    """One thing that a proof expects when the call is made.

    Attributes:
        path: the name of the parameter, and of the attributes that lead on from there; an `Item`
            where it is an item of a dict.
        kind: what is there; None: no attribute of the instance itself, so that its class has it.
        owners: for each name but the last, the class of what is there, if it may be something else
            too; what is expected is expected of that class only.
    """

    path: Path
    kind: Kind | None
    owners: tuple[type | None, ...] = ()

    def __str__(self) -> str:
        first, *others = self.path
        steps = [f"[{x.key!r}]" if isinstance(x, Item) else f".{x}" for x in others]
        where = f"{first}{''.join(steps)}"
        if self.kind is None:
            return f"`{where}` is what the class has"
        return f"`{where}` is {self.kind}"


class Expected:
    """Collects what one proof expects.

    Parameters:
        without: the paths of which nothing may be expected.
        sizes: how large that is which is expected.
    """

    def __init__(self, without: Iterable[Path] = (), sizes: Sizes = LARGE) -> None:
        self.without = frozenset(without)
        self.sizes = sizes
        self._found: dict[tuple[Path, tuple[type | None, ...]], Expectation] = {}
        self._classes: dict[str, type] = {}  # of parameters that are known to be of one
        self._looked_at = 0
        self.met_large = False  # of something smaller more might be proven

    @property
    def expectations(self) -> tuple[Expectation, ...]:
        """All of them, those of an object before those of its attributes."""
        return tuple(self._found.values())

    def parameter(self, name: str, value: Value, annotation: Any) -> Value:
        """Give what a parameter is if the annotation's word is taken.

        Parameters:
            name: of the parameter.
            value: what is known of it for sure.
            annotation: that says what it is; ABSENT if nothing does.
        """
        if isinstance(value, Given):
            return Given(value.cls, value.what, value.attributes, Place((name,)))
        if isinstance(value, Held):
            self._classes[name] = value.cls
            return Held(value.cls, value.what, Place((name,)))
        kind = kind_of(annotation, self.sizes)
        if kind is None or not self._is_worth_expecting(value) or not self._add((name,), (), kind):
            return value
        return kind.value(f"the parameter `{name}`", Place((name,)))

    def attribute(
        self, owner: Held, name: str, annotation: Any, of_class: list[Value], what: str
    ) -> Value:
        """Give what an attribute of an instance is if the annotation's word is taken.

        Parameters:
            owner: the instance; others have it, too.
            name: of the attribute.
            annotation: that says what it is; ABSENT if nothing does.
            of_class: what the class has under that name.
            what: it is, in words.
        """
        if annotation is not ABSENT:
            return self._at(owner.place, owner.cls, name, annotation, what)
        if owner.place is not None and owner.place.path and of_class:
            path, owners = _below(owner.place, owner.cls, name)
            if self._add(path, owners, None):
                return any_of(of_class)
        return Opaque(what)

    def own_attribute(self, owner: Held, name: str, annotation: Any, what: str) -> Value | None:
        """Give what an instance itself has under a name, without asking its class; None if unsure.

        Parameters:
            owner: the instance; others have it, too.
            name: of the attribute; the class has nothing under it.
            annotation: that says what it is; ABSENT if nothing does.
            what: it is, in words.
        """
        if annotation is ABSENT or kind_of(annotation, self.sizes) is None:
            return None
        own = self._at(owner.place, owner.cls, "__dict__", Keys(((name, annotation),)), what)
        found = self.item(own, name, what) if isinstance(own, Plain) else None
        return None if isinstance(found, Opaque) else found

    def item(self, owner: Plain, key: str, what: str) -> Value:
        """Give what a dict has under a key if the annotation's word is taken.

        Parameters:
            owner: the dict; others have it, too.
            key: of the item.
            what: it is, in words.
        """
        if owner.items is not None:
            for name, annotation in owner.items.annotations:
                if name == key:
                    return self._at(owner.items.place, dict, Item(key), annotation, what)
        return owner.element or Opaque(what)

    def _at(
        self, above: Place | None, cls: type, step: str | Item, annotation: Any, what: str
    ) -> Value:
        kind = kind_of(annotation, self.sizes)
        if kind is None or above is None or not above.path:
            return Opaque(what)
        path, owners = _below(above, cls, step)
        if not self._add(path, owners, kind):
            return Opaque(what)
        return kind.value(what, Place(path, owners))

    def _add(self, path: Path, owners: tuple[type | None, ...], kind: Kind | None) -> bool:
        if path in self.without or path[:1] in self.without or len(path) > _DEEPEST:
            return False
        if (path, owners) not in self._found:
            self._looked_at += 1 if kind is None else looked_at(kind)
        if self._looked_at > _MOST_LOOKED_AT:
            self.met_large = True
            return False
        cls = self._classes.get(path[0])
        if cls is not None:  # so that reading its attributes runs nobody's code
            self._found.setdefault((path[:1], ()), Expectation(path[:1], Exactly(cls)))
        self._found[path, owners] = Expectation(path, kind, owners)
        return True

    def _is_worth_expecting(self, value: Value) -> bool:
        """Say whether knowing more of `value` may help."""
        return any(
            isinstance(option, Opaque) or (isinstance(option, Plain) and self._is_large(option))
            for option in options_of(value)
        )

    def _is_large(self, value: Plain) -> bool:
        if value.type is int:
            return value.bits > BITS
        if value.type in (str, bytes):
            return value.size * TEXT_CLAIMED > self.sizes.text
        return value.type not in SCALARS and (value.most is None or value.most > self.sizes.most)


def _below(above: Place, cls: type, step: str | Item) -> tuple[Path, tuple[type | None, ...]]:
    return (*above.path, step), (*above.owners, None if above.is_sure else cls)
