"""What a random example is: plain frozen data from which an application's source is made."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from .driver import Request, Short
from .recorder import CLASSIFYING

#: Forms of each flavour; a form says how the callable is written down.
FORMS: dict[str, tuple[str, ...]] = {
    "sync": (
        "function",
        "class",
        "dataclass",
        "model",
        "instance",
        "frozen",
        "method",
        "classmethod",
        "partial",
        "keyword_partial",
        "class_partial",
        "wrapped",
        "cached",
    ),
    "async": (
        "function",
        "instance",
        "frozen",
        "method",
        "partial",
        "keyword_partial",
        "wrapped",
        "sync_wrapped",
    ),
    "gen": ("function", "instance", "frozen", "method", "partial", "wrapped", "contextmanager"),
    "agen": ("function", "instance", "frozen", "method", "partial", "wrapped"),
    "scheme": (
        "oauth2",
        "http_bearer",
        "http_basic",
        "api_key_header",
        "api_key_query",
        "api_key_cookie",
    ),
}


@dataclass(frozen=True, repr=False)
class Param(Short):
    """One parameter that comes out of the request, or one field of a parameter model."""

    name: str
    source: str = "query"
    type: str = "int"
    default: str | None = None
    factory: str | None = None
    alias: str | None = None
    alias_kind: str = "alias"
    constraint: tuple[str, str] | None = None
    validator: bool = False
    style: str = "annotated"
    convert_underscores: bool = True
    embed: bool = False
    validate_default: bool = False

    @property
    def is_model(self) -> bool:
        """Whether the type is one of the description's own models."""
        return self.type.removesuffix(" | None") in ("M0", "M1", "M2", "M3")


@dataclass(frozen=True, repr=False)
class Dep(Short):
    """One `Depends` or `Security` on the node with that index."""

    node: int
    name: str = ""
    security: bool = False
    scopes: tuple[str, ...] = ()
    use_cache: bool = True
    scope: str | None = None
    limit: int | None = None
    style: str = "annotated"


@dataclass(frozen=True, repr=False)
class Special(Short):
    """One parameter that FastAPI fills by its type, such as `Request`."""

    name: str
    type: str


@dataclass(frozen=True, repr=False)
class Node(Short):
    """One dependency, or the endpoint."""

    form: str = "function"
    flavour: str = "sync"
    deps: tuple[Dep, ...] = ()
    params: tuple[Param, ...] = ()
    specials: tuple[Special, ...] = ()
    returns: str = "value"
    exit: str = "plain"
    mark: str | None = None
    mark_at: str = "outer"
    auto_error: bool = True


@dataclass(frozen=True, repr=False)
class Model(Short):
    """A pydantic model for parameters or a body."""

    fields: tuple[Param, ...] = ()
    extra: str = "ignore"


@dataclass(frozen=True, repr=False)
class Endpoint(Short):
    """The endpoint, and what it answers."""

    node: Node = field(default_factory=Node)
    reply: str = "dict"
    status_code: int | None = None


@dataclass(frozen=True, repr=False)
class Layout(Short):
    """Where the endpoint is, and the dependencies of what is around it."""

    kind: str = "app"
    path: tuple[str, ...] = ()
    on_app: tuple[Dep, ...] = ()
    on_router: tuple[Dep, ...] = ()
    on_include: tuple[Dep, ...] = ()
    on_route: tuple[Dep, ...] = ()


@dataclass(frozen=True, repr=False)
class Settings(Short):
    """The arguments of `init_app`, and when and on what it is called."""

    all_classes_safe: bool = False
    predicate: str | None = None
    predicate_nodes: tuple[int, ...] = ()
    when: str = "after"
    on: str = "app"
    #: Whether stock FastAPI is run while other applications of the process are accelerated.
    beside: bool = False
    #: The function of `copy` that made the application which is served, after all else.
    copied: str | None = None


@dataclass(frozen=True, repr=False)
class Description(Short):
    """One example: an application and the requests made to it, in this order."""

    endpoint: Endpoint = field(default_factory=Endpoint)
    nodes: tuple[Node, ...] = ()
    models: tuple[Model, ...] = ()
    layout: Layout = field(default_factory=Layout)
    settings: Settings = field(default_factory=Settings)
    overrides: tuple[tuple[int, int], ...] = ()
    requests: tuple[Request, ...] = ()
    websocket: bool = False
    method: str = "GET"
    #: Marks set before the request of that number, on a node or the endpoint.
    late_marks: tuple[tuple[int, str, str], ...] = ()
    #: What of FastAPI is replaced before the request of that number, at -1 before the application
    #: is made; without a name all is put back.
    replaced: tuple[tuple[int, str], ...] = ()

    def as_of(self, number: int) -> Description:
        """Give it with the marks that count at the request of that number."""
        nodes, endpoint = list(self.nodes), self.endpoint
        for at, name, mark in self.late_marks:
            if at > number:
                continue
            if name == "endpoint":
                endpoint = replace(endpoint, node=replace(endpoint.node, mark=mark))
            else:
                index = int(name[1:])
                nodes[index] = replace(nodes[index], mark=mark)
        return replace(self, nodes=tuple(nodes), endpoint=endpoint)

    def falls_back(self, number: int) -> bool:
        """Say whether FastAPI's own code answers that request, as it was replaced in part."""
        active: set[str] = set()
        for at, name in self.replaced:
            if at <= number:
                active = active | {name} if name else set()
        return bool(active & CLASSIFYING and (self.top_deps() or self.endpoint.node.deps))

    def top_deps(self) -> tuple[Dep, ...]:
        """Give the `dependencies=[...]` around the endpoint that apply to it."""
        layout = self.layout
        deps = layout.on_app + layout.on_route
        if layout.kind != "app":
            deps += layout.on_router
        if layout.kind in ("router", "nested"):
            deps += layout.on_include
        return deps

    def reachable(self) -> tuple[int, ...]:
        """Give the indices of the nodes that a request can come to, overriding ones included."""
        found: set[int] = set()
        todo = [dep.node for dep in (*self.top_deps(), *self.endpoint.node.deps)]
        overrides = dict(self.overrides)
        while todo:
            index = todo.pop()
            if index in found:
                continue
            found.add(index)
            todo.extend(dep.node for dep in self.nodes[index].deps)
            if index in overrides:
                todo.append(overrides[index])
        return tuple(sorted(found))

    def params(self) -> Iterator[Param]:
        """Give every parameter that a request to the endpoint can fill."""
        for node in (self.endpoint.node, *(self.nodes[index] for index in self.reachable())):
            yield from node.params

    def model(self, param: Param) -> Model:
        """Give the model that is the type of `param`."""
        return self.models[int(param.type.removesuffix(" | None")[1:])]
