"""Hypothesis strategies that make descriptions."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from typing import TypeVar
from urllib.parse import quote, quote_plus

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st

from .capabilities import (
    HAS_EXITS_AFTER_ENTERING,
    HAS_EXITS_ALWAYS,
    HAS_MIXED_MODELS,
    HAS_SCOPE,
    HAS_STEADY_SCOPES,
    HAS_STREAMING_ENDPOINTS,
    HAS_UNWRAPPING,
)
from .description import (
    FORMS,
    Dep,
    Description,
    Endpoint,
    Layout,
    Model,
    Node,
    Param,
    Settings,
    Special,
)
from .driver import Request
from .recorder import CHANGES, EXCEPTIONS, REPLACEMENTS
from .types_of_parameters import BODY_TYPES, FILE_TYPES, TYPES, ParameterType

T = TypeVar("T")

_integers = cache(st.integers)
_PERCENT = _integers(0, 99)
_NAMES = ("a", "b", "c", "d", "e_f", "g")
#: How many of a hundred parameters share their name, and so their key, with other nodes.
_SHARED = 30
_ALIASES = ("q", "x-y", "X", "a", "ä", "a.b", "items[]", "e_f", "Q")
_PATH_NAMES = ("p0", "p1")
_COUNTS = (1, 2, 3, 4, 5, 6, 2, 3, 4, 5, 8, 12, 20)
_LARGEST_TREE = 70
_FAILURES = tuple(
    name for name, make in EXCEPTIONS.items() if HAS_EXITS_ALWAYS or isinstance(make(), Exception)
)
_FIELD_KINDS = tuple(kind for kind in TYPES if kind not in ("", "'int'"))
_PLAIN_KINDS = tuple(kind for kind in _FIELD_KINDS if TYPES[kind].path)


class _Draw:
    """`draw` with the few things that are drawn all the time."""

    def __init__(self, draw: st.DrawFn) -> None:
        self.draw = draw

    def chance(self, percent: int) -> bool:
        """Shrinks to False."""
        return self.draw(_PERCENT) >= 100 - percent

    def number(self, low: int, high: int) -> int:
        return self.draw(_integers(low, high))

    def pick(self, values: Sequence[T]) -> T:
        """Shrinks to the first."""
        return values[self.draw(_integers(0, len(values) - 1))]


@st.composite
def descriptions(draw: st.DrawFn) -> Description:
    """Make an application with some requests to it."""
    return _Maker(_Draw(draw)).make()


class _Maker:
    def __init__(self, d: _Draw) -> None:
        self.d = d
        self.models: list[Model] = []
        self.nodes: list[Node] = []
        #: How many calls a node causes, itself included, if nothing is cached.
        self.cost: list[int] = []
        #: Nodes that `yield` and depend on something with function scope.
        self.function_only: set[int] = set()
        self.websocket = d.chance(8)
        self.body = "none" if self.websocket else d.pick(("none", "none", "json", "form", "files"))
        self.has_models: set[str] = set()

    def make(self) -> Description:
        d = self.d
        path = self.path()
        count = d.pick(_COUNTS)
        for _ in range(count):
            self.add_node(self.node(len(self.nodes)))
        overrides = self.overrides(count)
        endpoint = self.endpoint(count)
        layout = self.layout(count, path)
        settings = self.settings(layout)
        method = "POST" if self.body != "none" else d.pick(("GET", "GET", "DELETE"))
        tree = Description(
            endpoint,
            tuple(self.nodes),
            tuple(self.models),
            layout,
            settings,
            overrides,
            websocket=self.websocket,
            method=method,
        )
        maker = _RequestMaker(d, tree, self.body)
        requests = tuple(maker.make() for _ in range(d.number(1, 4)))
        return replace(
            tree,
            requests=requests,
            late_marks=self.late_marks(tree, len(requests)),
            replaced=self.replaced(len(requests)),
        )

    def late_marks(self, tree: Description, requests: int) -> tuple[tuple[int, str, str], ...]:
        """Draw marks that are set when the application serves already."""
        d = self.d
        if not d.chance(25):
            return ()
        forms = ["function", "class", "dataclass", "model", "wrapped"]
        if tree.settings.copied != "deepcopy":
            forms.append("instance")  # of which the copy is another one
        nodes = {f"n{index}": tree.nodes[index] for index in tree.reachable()}
        nodes["endpoint"] = tree.endpoint.node
        names = [
            name
            for name, node in nodes.items()
            if node.form in forms and node.flavour in ("sync", "gen")
            if node.mark is None or node.mark_at == "outer"
        ]
        if not names:
            return ()
        marks = [
            (d.number(0, requests - 1), d.pick(names), d.pick(("safe", "unsafe")))
            for _ in range(d.number(1, 3))
        ]
        return tuple(sorted(marks, key=lambda mark: mark[0]))

    def replaced(self, requests: int) -> tuple[tuple[int, str], ...]:
        """Draw what of FastAPI is replaced and put back, and when."""
        d = self.d
        if not d.chance(20):
            return ()
        changes = [
            (d.number(-1, requests - 1), d.pick(("", *REPLACEMENTS))) for _ in range(d.number(1, 4))
        ]
        return tuple(sorted(changes, key=lambda change: change[0]))

    # --- dependencies ---

    def add_node(self, node: Node) -> None:
        index = len(self.nodes)
        self.nodes.append(node)
        self.cost.append(1 + sum(self.cost[dep.node] for dep in node.deps))
        if node.flavour in ("gen", "agen") and any(dep.scope == "function" for dep in node.deps):
            self.function_only.add(index)

    def node(self, below: int) -> Node:
        d = self.d
        flavour = d.pick(
            ("sync",) * 5 + ("async",) * 2 + ("gen",) * 3 + ("agen",) * 2 + ("scheme",)
        )
        form = d.pick(FORMS[flavour])
        if flavour == "async" and "partial" in form and not HAS_UNWRAPPING:
            form = "function"  # otherwise nobody awaits what it gives
        if form == "contextmanager" and not (HAS_EXITS_AFTER_ENTERING and d.chance(20)):
            form = "function"
        if flavour == "scheme":
            return Node(form, flavour, auto_error=d.chance(50))
        params = self.params(form, d.pick((0, 1, 1, 2, 2, 3, 5)))
        if form == "model":
            deps: tuple[Dep, ...] = ()
            specials: tuple[Special, ...] = ()
        else:
            deps = self.deps(below, d.pick((0, 1, 1, 2, 2, 3)), form)
            specials = self.specials()
        mark = d.pick((None, "safe", "safe", "unsafe"))
        return Node(
            form,
            flavour,
            deps,
            params,
            specials,
            d.pick(("value", "value", "value", "none", "list", "text", "coroutine", "generator"))
            if d.chance(40)
            else "value",
            d.pick(("plain", "finally", "reraise", "swallow", "replace", "refuse"))
            if not d.chance(6)
            else d.pick(("noyield", "twice")),
            mark,
            self.place_of_mark(form, flavour) if mark else "outer",
        )

    def place_of_mark(self, form: str, flavour: str) -> str:
        if form in ("function", "frozen", "method", "classmethod"):
            return "outer"
        return self.d.pick(("outer", "inner"))

    def deps(self, below: int, count: int, form: str, *, named: bool = True) -> tuple[Dep, ...]:
        d = self.d
        deps: list[Dep] = []
        budget = _LARGEST_TREE
        for number in range(count if below else 0):
            # The nearest are the likeliest, so that trees get deep and most nodes are used.
            index = below - 1 - (0 if d.chance(50) else d.number(0, below - 1))
            if self.cost[index] > budget:
                continue
            budget -= self.cost[index]
            deps.append(self.dep(index, f"dep{number}" if named else "", form))
        return tuple(deps)

    def dep(self, index: int, name: str, form: str) -> Dep:
        d = self.d
        node = self.nodes[index]
        security = d.chance(12) and index not in self.function_only
        scopes: tuple[str, ...] = ()
        scope = None
        limit = None
        if security:
            scopes = tuple(d.pick(("read", "write", "admin")) for _ in range(d.number(0, 2)))
        elif index in self.function_only:
            scope = "function"
        elif HAS_SCOPE and d.chance(25):
            scope = d.pick(("function", "request"))
        if not security and d.chance(8):
            # A generator holds its place until it exits, so a low limit could lock it up.
            limit = 64 if node.flavour in ("gen", "agen") else d.pick((1, 2))
        styles = ["annotated", "default"]
        if name and node.form in ("class", "dataclass", "model"):
            styles.append("shortcut")
        return Dep(index, name, security, scopes, not d.chance(20), scope, limit, d.pick(styles))

    def overrides(self, count: int) -> tuple[tuple[int, int], ...]:
        d = self.d
        pairs: list[tuple[int, int]] = []
        if not count or not d.chance(25):
            return ()
        if any(map(_adds_scopes, self.nodes)):
            return ()
        for _ in range(d.number(1, 2)):
            old = d.number(0, count - 1)
            # What overrides a node depends on nothing above it, so that the tree stays finite.
            new = self.node(old)
            if any(dep.scope == "function" for dep in new.deps) and new.flavour in ("gen", "agen"):
                continue
            if _adds_scopes(new):
                continue
            if old not in dict(pairs):
                pairs.append((old, len(self.nodes)))
                self.add_node(new)
        return tuple(pairs)

    def specials(self) -> tuple[Special, ...]:
        d = self.d
        if not d.chance(25):
            return ()
        kinds = [
            "Request",
            "Response",
            "BackgroundTasks",
            "SecurityScopes",
            "HTTPConnection",
            "SpecialRequest",
            "StarletteBackgroundTasks",
            "JSONResponse",
        ]
        if self.websocket:
            kinds = ["WebSocket", "HTTPConnection", "SecurityScopes", "Response", "BackgroundTasks"]
            if d.chance(10):
                kinds = ["Request"]
        elif d.chance(2):
            kinds = ["WebSocket"]
        return tuple(Special(f"s{number}", d.pick(kinds)) for number in range(d.number(1, 2)))

    # --- parameters ---

    def params(self, form: str, count: int) -> tuple[Param, ...]:
        names = list(_NAMES)
        made = []
        for _ in range(count):
            name = names.pop(self.d.number(0, len(names) - 1))
            if not self.d.chance(_SHARED):
                name += str(len(self.nodes))
            made.append(self.param(name, form))
        if self.path_names and self.d.chance(25):
            name = self.d.pick(self.path_names)
            made.append(self.path_param(name, form))
        return tuple(made)

    def path_param(self, name: str, form: str) -> Param:
        d = self.d
        kind = d.pick(_PLAIN_KINDS)
        if d.chance(60):
            kinds = {":int": "int", ":float": "float", ":uuid": "UUID"}
            kind = kinds.get(self.convertors[name], "str")
        style = "bare" if form == "model" else d.pick(("annotated", "bare", "default"))
        constraint = None
        if style != "bare" and TYPES[kind].constraints and d.chance(30):
            constraint = d.pick(TYPES[kind].constraints)
        return Param(
            name,
            "path",
            kind,
            constraint=constraint,
            style=style,
            validator=bool(kind) and d.chance(20),
        )

    def param(self, name: str, form: str) -> Param:
        d = self.d
        if form == "model":
            return self.plain_field(name)
        source = d.pick(("query",) * 4 + ("header", "header", "cookie", "body"))
        if source == "body":
            source = {"none": "query", "json": "body", "form": "form", "files": "file"}[self.body]
            if source == "file" and d.chance(40):
                source = "form"
        if source in ("query", "header", "cookie", "form", "body") and d.chance(12):
            return self.model_param(name, source)
        pool: dict[str, ParameterType] = TYPES
        if source == "file":
            pool = FILE_TYPES
        elif source == "body" and d.chance(40):
            pool = BODY_TYPES
        kind = d.pick(self.kinds(pool, source))
        spec = pool[kind]
        styles = ["annotated", "default"]
        if source == "query" and not spec.many and spec.path:
            styles.append("bare")
        style = d.pick(styles)
        if style == "bare" and form != "dataclass" and d.chance(10):
            return Param(name, source, "'int'", style=style)
        return self.finish(name, source, kind, spec, style, form)

    def kinds(self, pool: dict[str, ParameterType], source: str) -> list[str]:
        # A forward reference is resolved only as a whole annotation, not inside `Annotated`.
        kinds = [kind for kind in pool if kind != "'int'"]
        if source != "body":
            # No text is a strict integer.
            kinds = [kind for kind in kinds if kind != "StrictInt" or self.d.chance(10)]
        if self.d.chance(50) and pool is TYPES:
            kinds = kinds[:8]
        if source == "cookie":
            kinds = [kind for kind in kinds if not pool[kind].many]
        return kinds

    def finish(
        self, name: str, source: str, kind: str, spec: ParameterType, style: str, form: str
    ) -> Param:
        d = self.d
        default = factory = alias = constraint = None
        alias_kind = "alias"
        defaults = [
            each
            for each in spec.defaults
            if form != "dataclass" or not each.startswith(("[", "{", "set("))
        ]
        if d.chance(55) and defaults:
            default = d.pick(defaults)
        elif style != "bare" and spec.factories and d.chance(30) and form != "dataclass":
            factory = d.pick(spec.factories)
        if style != "bare":
            if d.chance(30):
                alias = d.pick(_ALIASES)
                if not d.chance(_SHARED):
                    alias += name
                alias_kind = d.pick(("alias", "alias", "validation_alias", "choices"))
                if alias_kind != "alias" and not HAS_MIXED_MODELS:
                    alias_kind = "alias"
            if spec.constraints and d.chance(35):
                constraint = d.pick(spec.constraints)
        return Param(
            name,
            source,
            kind,
            default,
            factory,
            alias,
            alias_kind,
            constraint,
            bool(kind) and d.chance(15),
            style,
            not d.chance(15),
            style != "bare" and d.chance(15),
            style != "bare" and default is not None and d.chance(8),
        )

    def plain_field(self, name: str) -> Param:
        d = self.d
        kind = d.pick(_PLAIN_KINDS)
        spec = TYPES[kind]
        default = d.pick(spec.defaults) if spec.defaults and d.chance(50) else None
        constraint = d.pick(spec.constraints) if spec.constraints and d.chance(30) else None
        return Param(
            name,
            "query",
            kind,
            default,
            constraint=constraint,
            validator=d.chance(15),
        )

    def model_param(self, name: str, source: str) -> Param:
        d = self.d
        if not HAS_MIXED_MODELS and source != "body" and source in self.has_models:
            return Param(name, source, "int")
        self.has_models.add(source)
        if len(self.models) < 3 and (not self.models or d.chance(60)):
            names = list(_NAMES)
            fields = []
            for _ in range(d.number(1, 3)):
                field_name = names.pop(d.number(0, len(names) - 1))
                kind = d.pick(_FIELD_KINDS)
                spec = TYPES[kind]
                fields.append(self.finish(field_name, source, kind, spec, "annotated", "field"))
            extra = d.pick(("ignore", "ignore", "allow", "allow", "forbid"))
            self.models.append(Model(tuple(fields), extra))
            number = len(self.models) - 1
        else:
            number = d.number(0, len(self.models) - 1)
        optional = HAS_MIXED_MODELS and d.chance(25)
        return Param(
            name,
            source,
            f"M{number} | None" if optional else f"M{number}",
            "None" if optional and d.chance(70) else None,
            style=d.pick(("annotated", "default")),
            convert_underscores=not d.chance(15),
        )

    # --- around the tree ---

    def path(self) -> tuple[str, ...]:
        d = self.d
        names = _PATH_NAMES[: d.pick((0, 0, 1, 2))]
        self.path_names = names
        self.convertors: dict[str, str] = {}
        parts = []
        for number, name in enumerate(names):
            last = number == len(names) - 1
            kinds = ["", "", ":int", ":float", ":uuid"] + [":path"] * last
            self.convertors[name] = d.pick(kinds)
            parts.append("{" + name + self.convertors[name] + "}")
        return tuple(parts)

    def endpoint(self, count: int) -> Endpoint:
        d = self.d
        if self.websocket:
            node = Node(
                "function",
                "async",
                self.deps(count, d.pick((1, 2, 0)), "function"),
                self.params("function", d.number(0, 2)),
            )
            return Endpoint(node)
        flavours = ["async", "async", "sync"]
        if HAS_STREAMING_ENDPOINTS and d.chance(12):
            flavours = ["gen", "agen"]
        flavour = d.pick(flavours)
        replies = ["dict", "dict", "response", "stream", "model", "none", "wrong", "untyped"]
        if flavour in ("gen", "agen"):
            replies = ["dict", "raw", "model"]
        form = d.pick(("function", "instance", "partial")) if d.chance(25) else "function"
        if flavour == "async" and not HAS_UNWRAPPING:
            form = "function"  # otherwise nobody awaits what it gives
        node = Node(
            form,
            flavour,
            self.deps(count, d.pick((1, 1, 1, 2, 2, 3, 0)), "function"),
            self.params("function", d.pick((0, 1, 1, 2, 4))),
            self.specials(),
            mark=d.pick((None, None, "safe", "unsafe")),
        )
        return Endpoint(
            node, d.pick(replies), d.pick((201, 204, 304, 422)) if d.chance(12) else None
        )

    def layout(self, count: int, path: tuple[str, ...]) -> Layout:
        d = self.d
        kind = d.pick(("app", "app", "router", "nested", "mounted"))

        def some() -> tuple[Dep, ...]:
            if not count or not d.chance(12):
                return ()
            return self.deps(count, d.number(1, 2), "function", named=False)

        on_app = some() if kind != "mounted" else ()
        return Layout(kind, path, on_app, some(), some(), () if self.websocket else some())

    def settings(self, layout: Layout) -> Settings:
        d = self.d
        on = "app"
        if layout.kind in ("router", "nested") and d.chance(25):
            on = "router"
        elif layout.kind == "mounted" and d.chance(25):
            on = "sub"
        predicate = d.pick((None, None, "some", "all", "none"))
        chosen: tuple[int, ...] = ()
        if predicate == "some" and self.nodes:
            chosen = tuple(
                sorted({d.number(0, len(self.nodes) - 1) for _ in range(d.number(1, 3))})
            )
        copied = None
        # A copy of an instance is none of the callables that a predicate names.
        if layout.kind != "mounted" and predicate != "some" and d.chance(15):
            copied = d.pick(("copy", "deepcopy"))
        return Settings(
            d.chance(35), predicate, chosen, d.pick(("after", "before")), on, d.chance(25), copied
        )


def _adds_scopes(node: Node) -> bool:
    return not HAS_STEADY_SCOPES and any(dep.scopes for dep in node.deps)


def _is_connection(special: Special) -> bool:
    return special.type in ("Request", "SpecialRequest", "HTTPConnection", "WebSocket")


def places_of(description: Description) -> list[tuple[str, str]]:
    """List where an application may fail: who, and in which phase."""
    places: list[tuple[str, str]] = [("endpoint", "call")]
    if description.endpoint.reply == "stream" or description.endpoint.node.flavour == "gen":
        places += [("endpoint", "chunk0"), ("endpoint", "chunk1")]
    if description.endpoint.reply == "model":
        places.append(("reply", "validate"))
    nodes = [("endpoint", description.endpoint.node)]
    nodes += [(f"n{index}", description.nodes[index]) for index in description.reachable()]
    for name, node in nodes:
        if name != "endpoint" and node.flavour != "scheme":
            places.append((name, "call"))
        if node.flavour in ("gen", "agen") and name != "endpoint":
            places.append((name, "exit"))
        for param in node.params:
            if param.validator:
                places.append((f"{name}.{param.name}", "validate"))
            if param.factory:
                places.append((f"{name}.{param.name}", "factory"))
        if any("BackgroundTasks" in special.type for special in node.specials):
            places += [(task, "task") for task in ("task_sync", "task_safe", "task_async")]
    for number, model in enumerate(description.models):
        places += [
            (f"M{number}.{param.name}", "validate") for param in model.fields if param.validator
        ]
    return places


class _RequestMaker:
    """Makes requests that mostly fit the parameters of a description."""

    def __init__(self, d: _Draw, description: Description, body: str) -> None:
        self.d = d
        self.description = description
        self.body = body
        self.params = [
            (each.source, each.convert_underscores, each)
            for param in description.params()
            for each in self.leaves(param)
        ]

    def leaves(self, param: Param) -> Sequence[Param]:
        if not param.is_model or param.source == "body":
            return (param,)
        return tuple(
            Param(
                field.name,
                param.source,
                field.type,
                alias=field.alias,
                alias_kind=field.alias_kind,
                convert_underscores=field.convert_underscores,
            )
            for field in self.description.model(param).fields
        )

    def make(self) -> Request:
        d = self.d
        #: How often something is wrong, in percent.
        self.wild = d.pick((0, 0, 5, 30))
        query = self.query()
        headers = self.headers()
        content, parts = self.content()
        headers += content
        if d.chance(30):
            headers = headers[::-1]
        websocket = self.description.websocket
        return Request(
            self.path(),
            query,
            tuple(headers),
            parts,
            self.description.method,
            websocket,
            bool(self.description.overrides) and d.chance(50),
            self.failures() + self.changes(),
        )

    def changes(self) -> tuple[tuple[str, str, str], ...]:
        """Draw what dependencies do to the requests that they are given."""
        d = self.d
        if not d.chance(40):
            return ()
        return tuple(
            (f"n{index}", "change", d.pick(tuple(CHANGES)))
            for index in self.description.reachable()
            if any(_is_connection(special) for special in self.description.nodes[index].specials)
        )

    def failures(self) -> tuple[tuple[str, str, str], ...]:
        d = self.d
        if not d.chance(30):
            return ()
        places = places_of(self.description)
        return tuple((*d.pick(places), d.pick(_FAILURES)) for _ in range(d.number(1, 2)))

    # --- texts ---

    def text(self, param: Param, *, path: bool = False) -> str:
        d = self.d
        if param.is_model:
            return "{}"
        spec = TYPES.get(param.type)
        if spec is None:
            return "3"
        if d.chance(self.wild) and spec.bad:
            return d.pick(spec.bad)
        if d.chance(self.wild):
            return d.draw(_ANY_TEXT)
        good = spec.good or spec.bad or ("3",)
        if param.constraint or (not self.wild and not d.chance(3)):
            good = good[:2]
        return d.pick(good)

    def values(self, param: Param) -> list[str]:
        d = self.d
        if d.chance(self.wild):
            return []
        optional = param.default is not None or param.factory or param.type.endswith("None")
        if optional and d.chance(40):
            return []
        spec = TYPES.get(param.type)
        many = spec is not None and spec.many
        count = d.number(1, 3) if many else 1
        if param.type == "tuple[int, str]":
            count = 2
        if d.chance(self.wild):
            count = d.number(1, 3)
        return [self.text(param) for _ in range(count)]

    def key(self, param: Param) -> str:
        alias = param.alias
        if alias is None:
            return param.name
        if param.alias_kind == "choices" and self.d.chance(40):
            return alias + "2"
        if self.d.chance(self.wild):
            return param.name
        return alias

    def escape(self, text: str) -> bytes:
        """Write text into a query string in one of the ways that are met."""
        way = self.d.number(0, 5) if self.wild else self.d.number(0, 1)
        match way:
            case 0:
                return quote_plus(text).encode()
            case 1:
                return quote(text, safe="").encode()
            case 2:
                return text.encode().replace(b"&", b"%26").replace(b"=", b"%3D")
            case 3:
                return "".join(f"%{byte:02x}" for byte in text.encode()).encode()
            case 4:
                return text.encode("latin-1", "replace")
        return quote(text, safe="/:?").lower().encode()

    def encoded(self, source: str) -> bytes:
        d = self.d
        parts: list[bytes] = []
        for where, _, param in self.params:
            if where == source:
                key = self.key(param)
                parts += [self.escape(key) + b"=" + self.escape(v) for v in self.values(param)]
        if d.chance(self.wild * 2):
            parts.append(d.pick(_JUNK))
        if d.chance(self.wild):
            parts.insert(0, d.pick(_JUNK))
        if d.chance(self.wild):
            parts.append(d.draw(st.binary(max_size=12)))
        if d.chance(5):
            parts.append(b"bound=7&key=abc")
        return b"&".join(parts)

    # --- parts of a request ---

    def query(self) -> bytes:
        return self.encoded("query")

    def headers(self) -> list[tuple[bytes, bytes]]:
        d = self.d
        headers: list[tuple[bytes, bytes]] = []
        for where, convert, param in self.params:
            if where != "header":
                continue
            key = self.key(param)
            if key == param.name and (convert or d.chance(20)):
                key = key.replace("_", "-")
            name = key.encode("latin-1").lower()
            if d.chance(self.wild):
                name = name.title()
            headers += [(name, v.encode("latin-1", "replace")) for v in self.values(param)]
        cookies = self.cookies()
        if cookies:
            headers.append((b"cookie", cookies))
        if d.chance(self.wild):
            headers.append(d.pick(_ODD_HEADERS))
        if any(node.flavour == "scheme" for node in self.description.nodes) and d.chance(70):
            headers.append(d.pick(_CREDENTIALS))
            headers.append((b"x-key", b"abc"))
        return headers

    def cookies(self) -> bytes:
        d = self.d
        parts: list[bytes] = []
        for where, _, param in self.params:
            if where != "cookie":
                continue
            key = self.key(param)
            for value in self.values(param):
                quoted = f'"{value}"' if d.chance(20) else value
                parts.append(f"{key}={quoted}".encode("latin-1", "replace"))
        if any(node.form == "api_key_cookie" for node in self.description.nodes):
            parts.append(b"key=abc")
        if d.chance(self.wild):
            parts.append(d.pick(_ODD_COOKIES))
        return d.pick((b"; ", b";", b" ; ")).join(parts) if parts else b""

    def path(self) -> str:
        d = self.d
        path = "" if self.description.layout.kind == "app" else "/in"
        path += "/r"
        for part in self.description.layout.path:
            name, _, convertor = part.strip("{}").partition(":")
            good = {
                "int": ("7", "0", "007"),
                "float": ("1.5", "2"),
                "uuid": ("12345678-1234-5678-1234-567812345678",),
                "path": ("a/b", "3", ""),
            }.get(convertor)
            if good is None:
                params = [each for where, _, each in self.params if each.name == name]
                text = self.text(d.pick(params), path=True) if params else d.pick(("3", "a b"))
                text = text or "3"
            else:
                text = d.pick(good)
            path += "/" + quote(text, safe="/" if convertor == "path" else "")
        return path

    def content(self) -> tuple[list[tuple[bytes, bytes]], tuple[bytes, ...]]:
        d = self.d
        match self.body:
            case "json":
                kind, content = b"application/json", self.json()
            case "form":
                kind, content = b"application/x-www-form-urlencoded", self.encoded("form")
            case "files":
                kind, content = b"multipart/form-data; boundary=BoUnD", self.multipart()
            case _:
                return [], (b"",)
        headers = [(b"content-type", kind)]
        if d.chance(self.wild):
            headers = d.pick(
                (
                    [],
                    [(b"content-type", b"text/plain")],
                    [(b"content-type", b"application/json; charset=utf-8")],
                    [(b"content-type", b"application/x-www-form-urlencoded")],
                    [(b"content-type", b"application/vnd.api+json")],
                )
            )
        if len(content) > 2 and d.chance(20):
            middle = len(content) // 2
            return headers, (content[:middle], content[middle:], b"")
        return headers, (content,)

    def json(self) -> bytes:
        d = self.d
        params = [param for where, _, param in self.params if where == "body"]
        if not params or d.chance(self.wild):
            return d.pick(_ODD_JSON)
        values = [(self.key(param), self.json_value(param)) for param in params]
        embedded = len({param.name for param in params}) > 1 or params[0].embed
        if d.chance(10):
            embedded = not embedded
        if not embedded:
            return values[0][1].encode()
        kept = [each for each in values if not d.chance(self.wild)]
        return ("{" + ", ".join(f"{json.dumps(k)}: {v}" for k, v in kept) + "}").encode()

    def json_value(self, param: Param) -> str:
        d = self.d
        if d.chance(self.wild):
            return d.pick(("null", "{}", "[]", '"x"', "1.5", "true", '{"a": {"b": []}}'))
        if param.is_model:
            fields = self.description.model(param).fields
            pairs = ((self.key(field), self.json_value(field)) for field in fields)
            return "{" + ", ".join(f"{json.dumps(key)}: {value}" for key, value in pairs) + "}"
        return d.pick({**TYPES, **BODY_TYPES}[param.type].json or ("3",))

    def multipart(self) -> bytes:
        d = self.d
        parts: list[tuple[bytes, bytes]] = []
        for where, _, param in self.params:
            key = self.key(param).encode("ascii", "ignore")
            if where == "form":
                parts += [(b'name="%s"' % key, value.encode()) for value in self.values(param)]
            elif where == "file" and not d.chance(20):
                for _ in range(d.number(1, 2) if FILE_TYPES[param.type].many else 1):
                    name = b'name="%s"' % key
                    filename = d.pick(_FILENAMES)
                    parts.append((name + filename, d.pick((b"content", b"", b"\x00\xff"))))
        if d.chance(self.wild):
            return d.pick((b"", b"--BoUnD--\r\n", b"garbage", b"--BoUnD\r\n\r\n"))
        body = b"".join(
            b"--BoUnD\r\ncontent-disposition: form-data; %s\r\n\r\n%s\r\n" % part for part in parts
        )
        return body + b"--BoUnD--\r\n"


_ANY_TEXT: st.SearchStrategy[str] = st.text(max_size=8)
_JUNK = (
    b"&&",
    b"=",
    b"a",
    b"a=",
    b"=a",
    b"%",
    b"%zz=%zz",
    b"a=%ff",
    b"a=%c3%28",
    b"a=\xff\xfe",
    b"a=1;b=2",
    b"a+b=c+d",
    b"a=%00",
    b"a=1=2",
    b"unknown=1&unknown=2",
    b"q=1&q=2&q=3",
    b"%61=1",
    b"a=" + b"9" * 5000,
    b"?a=1",
    b"a=%E2%82",
    b"a=\xc3\xa4",
    b"c=%2B%26%3D",
)
_ODD_HEADERS = (
    (b"a", b""),
    (b"A", b"1"),
    (b"a", b"1"),
    (b"a", b" 1 "),
    (b"x-y", b"\xe4\xff"),
    (b"e_f", b"1"),
    (b"e-f", b"2"),
    (b"cookie", b"a=1"),
    (b"Cookie", b"b=2"),
    (b"\xe4", b"3"),
    (b"host", b"example"),
    (b"q", b"1, 2, 3"),
)
_ODD_JSON = (b"{}", b"", b"[]", b"null", b"{", b'{"a": 1}', b"\xff", b'"text"', b"1e999")
_FILENAMES = (b'; filename="f.txt"', b'; filename="f.txt"', b'; filename=""', b"")
_ODD_COOKIES = (
    b"a",
    b"=a",
    b"a=",
    b";;",
    b'a="1"',
    b'a="\\061"',
    b'a="x;y"',
    b"a=1; a=2",
    b"a = 3",
    b"a=%31",
    b"a=\xe4",
    b"$Version=1",
    b"a=b=c",
    b"A=1",
    b'b="',
)
_CREDENTIALS = (
    (b"authorization", b"Bearer token"),
    (b"authorization", b"bearer  token"),
    (b"authorization", b"Basic dXNlcjpwYXNz"),
    (b"authorization", b"Basic broken"),
    (b"authorization", b"Bearer"),
    (b"authorization", b""),
    (b"Authorization", b"Bearer token"),
)


def exploring(examples: int, *, shrink: bool) -> settings:
    """Give the settings with which so many examples are drawn, and a smaller one looked for."""
    return settings(
        max_examples=examples,
        database=None,
        deadline=None,
        phases=(Phase.generate, Phase.shrink) if shrink else (Phase.generate,),
        print_blob=False,
        report_multiple_bugs=False,
        suppress_health_check=list(HealthCheck),
    )
