"""Looking up attributes without running anybody's code, and watching what was found.

`getattr` may run properties, `__getattr__` and metaclasses. Here classes and instances are read as
the interpreter keeps them.
"""

from __future__ import annotations

import builtins
import sys
from operator import is_
from types import (
    BuiltinFunctionType,
    FunctionType,
    GetSetDescriptorType,
    MemberDescriptorType,
    MethodDescriptorType,
    ModuleType,
    WrapperDescriptorType,
)
from typing import Any, TypeGuard

_MRO = type.__dict__["__mro__"]
_ABSTRACT_METHODS = type.__dict__["__abstractmethods__"]
_DICT = type.__dict__["__dict__"]
_QUALNAME = type.__dict__["__qualname__"]
_MODULE = type.__dict__["__module__"]
_FLAGS = type.__dict__["__flags__"]

#: Flags of classes: made at run time; with abstract methods.
HEAP_TYPE, ABSTRACT_TYPE = 1 << 9, 1 << 20


class _Absent:
    __slots__ = ()

    def __repr__(self) -> str:
        return "ABSENT"


#: Stands for an attribute that is not there.
ABSENT: Any = _Absent()

#: What a class hands out as it is, without binding it.
_UNBOUND = (
    FunctionType,
    WrapperDescriptorType,
    MethodDescriptorType,
    MemberDescriptorType,
    GetSetDescriptorType,
    BuiltinFunctionType,
    property,
    type(None),
    str,
    int,
    float,
    bool,
    tuple,
    frozenset,
)


def mro_of(cls: type) -> tuple[type, ...]:
    """Give the order in which attributes of `cls` are looked up."""
    mro: tuple[type, ...] = _MRO.__get__(cls)
    return mro


def dict_of(cls: type) -> Any:
    """Give the attributes of `cls` itself."""
    return _DICT.__get__(cls)


def flags_of(cls: type) -> int:
    """Give the flags of `cls`."""
    flags: int = _FLAGS.__get__(cls)
    return flags


def name_of(obj: Any) -> str:
    """Name a function, class, module or instance as a user knows it."""
    if isinstance(obj, type):
        module, name = _MODULE.__get__(obj), _QUALNAME.__get__(obj)
        # NOTE: of a class made in C the module may be a descriptor.
        return f"{module}.{name}" if type(module) is str and module != "builtins" else str(name)
    kind = type(obj)
    if kind is FunctionType:
        return f"{obj.__module__}.{obj.__qualname__}"
    if kind is BuiltinFunctionType:
        owner = obj.__self__
        if isinstance(owner, ModuleType) or owner is None:
            module = obj.__module__ or "builtins"
            return obj.__name__ if module == "builtins" else f"{module}.{obj.__name__}"
        return f"{name_of(owner if isinstance(owner, type) else type(owner))}.{obj.__name__}"
    if kind in (MethodDescriptorType, WrapperDescriptorType):
        return f"{name_of(obj.__objclass__)}.{obj.__name__}"
    if kind is ModuleType:
        return str(ModuleType.__getattribute__(obj, "__dict__").get("__name__", "a module"))
    return f"an object of the class {name_of(kind)}"


def find(cls: type, name: str, behind: type | None = None) -> tuple[Any, type | None]:
    """Find `name` in `cls` and its bases.

    Parameters:
        behind: leave out the bases up to this one, as `super()` does.

    Returns:
        What is there, unbound, and the class that has it; ABSENT and None without one.
    """
    mro = mro_of(cls)
    if behind is not None:
        mro = mro[mro.index(behind) + 1 :]
    for base in mro:
        attributes = dict_of(base)
        if name in attributes:
            return attributes[name], base
    return ABSENT, None


class Probe:
    """Something to be watched that `getattr` alone does not show.

    PERF: the compiled core looks itself where the kind is "instance", "items", "size" or "type".
    """

    __slots__ = ("key", "kind", "owner")

    def __init__(self, kind: str, owner: Any, key: Any) -> None:
        self.kind = kind
        self.owner = owner
        self.key = key

    @property
    def looks_at(self) -> tuple[Any, ...]:
        """The same for all that look for the same at the same place."""
        parts = self.key if type(self.key) is tuple else (self.key,)
        sought = (x for part in parts for x in (part if type(part) is tuple else (part,)))
        return self.kind, id(self.owner), *map(id, sought)

    @property
    def value(self) -> Any:
        """What is there now. As with any attribute there is an AttributeError if nothing is."""
        found = self._look()
        if found is ABSENT:
            raise AttributeError(self.key)
        return found

    def _look(self) -> Any:
        if self.kind == "class":
            return find(self.owner, self.key)[0]
        if self.kind == "mro":
            return mro_of(self.owner)
        if self.kind == "items":
            # PERF: instead of a loop over pairs: 1.3 -> 0.4 us for two (3.13).
            keys, values = self.key
            same = (
                len(self.owner) == len(keys)
                and all(map(is_, self.owner, keys))
                and all(map(is_, self.owner.values(), values))
            )
            return True if same else ABSENT
        if self.kind == "type":
            return type(self.owner)
        if self.kind == "size":
            return len(self.owner)
        if self.kind == "instance":
            # NOTE: a class cannot be given another `__dict__`. PERF: instead of looking for it
            # in the bases each time: 0.9 -> 0.3 us (3.13).
            name, descriptor = self.key
            return dict.get(descriptor.__get__(self.owner), name, ABSENT)
        return self.owner.get(self.key, ABSENT)


class Watched:
    """Collects what a proof rests on, as rows of an owner, an attribute and its value."""

    __slots__ = ("_called", "_rows")

    def __init__(self) -> None:
        self._rows: dict[tuple[int, str], tuple[Any, str, Any]] = {}
        self._called: dict[int, Any] = {}

    def called(self) -> tuple[Any, ...]:
        """Give the functions and classes that must not be marked async_unsafe."""
        return tuple(self._called.values())

    def call(self, called: Any) -> None:
        """Watch the mark of what is called."""
        self._called[id(called)] = called

    def rows(self) -> tuple[tuple[Any, str, Any], ...]:
        """Give all rows."""
        return tuple(self._rows.values())

    def add(self, owner: Any, attribute: str, value: Any) -> None:
        """Watch an attribute that `getattr` gives as it is, or not at all for ABSENT."""
        self._rows.setdefault((id(owner), attribute), (owner, attribute, value))

    def class_attribute(self, cls: type, name: str) -> Any:
        """Look up and watch `name` in `cls`; give it unbound, ABSENT if there is none."""
        value, _ = find(cls, name)
        key = (id(cls), name)
        if key not in self._rows and any(_FLAGS.__get__(base) & HEAP_TYPE for base in mro_of(cls)):
            # NOTE: a class hands out a data descriptor of its metaclass before what it has itself,
            # and what else its metaclass has where it has nothing.
            of_meta = find(type(cls), name)[0]
            plain = value is ABSENT or type(value) in _UNBOUND or isinstance(value, type)
            if of_meta is not ABSENT and (
                value is ABSENT or find(type(of_meta), "__set__")[0] is not ABSENT
            ):
                plain = False
            if value is ABSENT and find(type(cls), "__getattr__")[0] is not ABSENT:
                plain = False
            # NOTE: looked up as a class does it, by a metaclass that does it as `type`.
            if find(type(cls), "__getattribute__")[0] is not type.__getattribute__:
                plain = False
            if plain:
                self._rows[key] = (cls, name, value)
            else:
                self._rows[key] = (Probe("class", cls, name), "value", value)
        return value

    def order(self, cls: type) -> None:
        """Watch the bases of `cls`, and theirs."""
        if not flags_of(cls) & HEAP_TYPE:
            return  # they stay
        if find(type(cls), "__mro__")[0] is _MRO:
            self.add(cls, "__mro__", mro_of(cls))
        else:
            self._rows.setdefault(
                (id(cls), "__mro__"), (Probe("mro", cls, None), "value", mro_of(cls))
            )

    def has_own_dict(self, cls: type) -> bool:
        """Say whether instances of `cls` have the interpreter's own `__dict__`; watch that."""
        # PERF: a class whose metaclass is plain cannot be given another, unless by other bases: 2
        # instead of 78 us to compare 99 classes (W10/100).
        if find(type(cls), "__dict__")[0] is _DICT:
            self.order(cls)
        else:
            self.class_attribute(cls, "__dict__")
        return _own_dict_of(cls) is not None

    def abstract_methods(self, cls: type) -> None:
        """Watch which methods `cls` has to be abstract for."""
        if not flags_of(cls) & HEAP_TYPE:
            return  # it has none
        name = "__abstractmethods__"
        own = dict_of(cls)
        # PERF: a class that gives them as `type` does is looked at without a probe, of which four
        # took 8 of 68 us of a request (W2, 3.13).
        if find(type(cls), name)[0] is _ABSTRACT_METHODS:
            self.add(cls, name, own.get(name, ABSENT))
        else:
            self.key(own, name)

    def items(self, mapping: dict[Any, Any]) -> None:
        """Watch all keys and values of a dict."""
        probe = Probe("items", mapping, (tuple(mapping), tuple(mapping.values())))
        self._rows.setdefault((id(mapping), "items"), (probe, "value", True))

    def size(self, mapping: dict[Any, Any]) -> None:
        """Watch how many keys a dict has."""
        row = (Probe("size", mapping, None), "value", len(mapping))
        self._rows.setdefault((id(mapping), "size"), row)

    def of_instance(self, obj: Any, name: str) -> Any:
        """Look up and watch what an instance itself has under `name`."""
        descriptor = _own_dict_of(type(obj))
        if descriptor is None:
            return ABSENT  # and there never will be any
        self.class_of(obj)
        value = instance_dict(obj).get(name, ABSENT)
        row = (Probe("instance", obj, (name, descriptor)), "value", value)
        self._rows.setdefault((id(obj), f"instance {name}"), row)
        return value

    def class_of(self, obj: Any, *, always: bool = False) -> None:
        """Watch the class of an object, if that can be another one later."""
        # NOTE: that of a class made by `type` cannot.
        if always or _FLAGS.__get__(type(obj)) & HEAP_TYPE:
            row = (Probe("type", obj, None), "value", type(obj))
            self._rows.setdefault((id(obj), "type"), row)

    def key(self, mapping: Any, name: str) -> Any:
        """Look up and watch one key of a dict that has text for keys."""
        value = mapping.get(name, ABSENT)
        row = (Probe("key", mapping, name), "value", value)
        self._rows.setdefault((id(mapping), f"[{name}]"), row)
        return value

    def global_name(self, namespace: dict[str, Any], name: str) -> Any:
        """Look up and watch a global variable; ABSENT if there is none."""
        value = namespace.get(name, ABSENT)
        key = (id(namespace), name)
        if key not in self._rows:
            module = sys.modules.get(str(namespace.get("__name__")))
            if (
                type(module) is ModuleType
                and module.__dict__ is namespace
                and (value is not ABSENT or "__getattr__" not in namespace)
                and not hasattr(ModuleType, name)
            ):
                self._rows[key] = (module, name, value)
            else:
                self._rows[key] = (Probe("key", namespace, name), "value", value)
        return value

    def builtin_name(self, name: str) -> Any:
        """Look up and watch a built-in name; ABSENT if there is none."""
        value = builtins.__dict__.get(name, ABSENT)
        self.add(builtins, name, value)
        return value


def _exception_classes() -> list[type]:
    found: list[type] = []
    pending: list[type] = [BaseException]
    while pending:
        cls = pending.pop()
        if cls.__module__ == "builtins" and not issubclass(cls, BaseExceptionGroup):
            found.append(cls)
            pending += type.__subclasses__(cls)
    return found


#: The built-in exceptions; they keep what they are given.
EXCEPTION_CLASSES = tuple(_exception_classes())


def _own(name: str, *classes: type) -> tuple[Any, ...]:
    return tuple(dict_of(cls)[name] for cls in classes if name in dict_of(cls))


# NOTE: up to 3.12 many classes have slots of their own for what `object` does.
_ORDINARY = (str, int, float, bytes, tuple, list, dict, set, frozenset, *EXCEPTION_CLASSES)

#: Reading an attribute of a class whose metaclass does not say how.
CLASS_READING = type.__dict__["__getattribute__"]
#: `__getattribute__` and `__setattr__` that look nowhere but in the instance and its class.
PLAIN_READING = _own("__getattribute__", object, *_ORDINARY)
PLAIN_WRITING = _own("__setattr__", object, *EXCEPTION_CLASSES)

#: `__new__` and `__init__` of exceptions.
EXCEPTION_NEW = _own("__new__", *EXCEPTION_CLASSES)
EXCEPTION_INIT = _own("__init__", *EXCEPTION_CLASSES)


def is_class(obj: Any) -> TypeGuard[type]:
    """Say whether `obj` is a class, without asking it for its `__class__`."""
    return issubclass(type(obj), type)


def is_one_of(found: Any, known: tuple[Any, ...]) -> bool:
    """Say whether `found` is one of `known` objects, without comparing it."""
    return any(found is each for each in known)


def is_compared_plainly(cls: type) -> bool:
    """Say whether comparing and hashing `cls` itself runs no code of a metaclass."""
    meta = type(cls)
    return meta is type or all(find(meta, name)[0] is dict_of(object)[name] for name in _COMPARING)


_COMPARING = ("__eq__", "__ne__", "__hash__")


def module_dict(module: Any) -> dict[str, Any] | None:
    """Give the variables of a plain module, None for anything else."""
    if type(module) is not ModuleType:
        return None
    namespace: dict[str, Any] = ModuleType.__getattribute__(module, "__dict__")
    return namespace


def _own_dict_of(cls: type) -> Any:
    """Give what the attributes of instances of `cls` themselves are read by, None without any."""
    found = find(cls, "__dict__")[0]
    return found if type(found) is GetSetDescriptorType else None


def instance_dict(obj: Any) -> dict[str, Any]:
    """Give the attributes of an instance itself, without asking its class."""
    if _own_dict_of(type(obj)) is None:
        return {}  # it has none, or its class says itself what it is
    namespace: dict[str, Any] = object.__getattribute__(obj, "__dict__")
    # NOTE: of a kind of dict the interpreter reads what is in it, whatever its methods say.
    return namespace if type(namespace) is dict else dict.copy(namespace)
