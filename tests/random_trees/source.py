"""Turns a description into the source text of an application, as a person would have written it."""

from __future__ import annotations

from .capabilities import HAS_CONCURRENCY, HAS_SCOPE
from .description import Dep, Description, Model, Node, Param
from .types_of_parameters import BODY_TYPES, FILE_TYPES, TYPES

#: What every generated application starts with; executed once, and shared by all of them.
PRELUDE = """\
import asyncio
import copy
import functools
from collections.abc import AsyncIterable, Iterable, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import Enum, IntEnum
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import (
    APIRouter, BackgroundTasks, Body, Cookie, Depends, FastAPI, File, Form, Header, HTTPException,
    Path, Query, Request, Response, Security, UploadFile, WebSocket,
)
from fastapi.responses import JSONResponse, StreamingResponse
from fastapi.security import (
    APIKeyCookie, APIKeyHeader, APIKeyQuery, HTTPBasic, HTTPBearer, OAuth2PasswordBearer,
    SecurityScopes,
)
from pydantic import (
    AfterValidator, AliasChoices, BaseModel, BeforeValidator, ConfigDict, Field, Json, SecretStr,
    StrictInt,
)
from starlette.background import BackgroundTasks as StarletteBackgroundTasks
from starlette.requests import HTTPConnection
from typing_extensions import TypeAliasType


class Color(str, Enum):
    RED = "red"
    BLUE = "blue"


class Level(IntEnum):
    LOW = 1
    HIGH = 2


class Item(BaseModel):
    a: int
    b: list[int] | None = None


class SpecialRequest(Request):
    pass


Number = TypeAliasType("Number", int)
"""

_FUNCTIONS = {
    "query": "Query",
    "path": "Path",
    "header": "Header",
    "cookie": "Cookie",
    "body": "Body",
    "form": "Form",
    "file": "File",
}
_INDENT = "    "


def name_of(index: int) -> str:
    """Give the name of the node with that index."""
    return f"n{index}"


def source_of(description: Description) -> str:
    """Write the application, which needs `PRELUDE` and the recorder as `T` around it."""
    return _Writer(description).write()


class _Writer:
    def __init__(self, description: Description) -> None:
        self.description = description
        self.lines: list[str] = []

    def write(self) -> str:
        description = self.description
        for number, what in description.replaced:
            if number < 0:
                self.add(f"T.replace({what!r})")
        if description.models:
            for number, model in enumerate(description.models):
                self._write_model(f"M{number}", model)
        for index in description.reachable():
            self._write_node(name_of(index), description.nodes[index])
        self._write_tasks()
        self._write_application()
        return "\n".join(self.lines) + "\n"

    def add(self, text: str, depth: int = 0) -> None:
        self.lines.append(_INDENT * depth + text)

    def reference(self, index: int) -> str:
        node, name = self.description.nodes[index], name_of(index)
        match node.form:
            case "method":
                return f"{name}_owner.make"
            case "classmethod":
                return f"{name}_class.make"
            case "frozen":
                return f"{name}_class('tag')"
        return name

    # --- parameters ---

    def _write_model(self, name: str, model: Model) -> None:
        self.add(f"class {name}(BaseModel):")
        self.add(f"model_config = ConfigDict(extra={model.extra!r})", 1)
        for param in model.fields:
            options = self._options(param, name)
            options.pop("convert_underscores", None)
            options.pop("embed", None)
            call = ", ".join(f"{key}={value}" for key, value in options.items())
            annotation = f"Annotated[{self._annotation(param, name)}, Field({call})]"
            default = "" if param.default is None or param.factory else f" = {param.default}"
            self.add(f"{param.name}: {annotation}{default}", 1)
        self.add("")

    def _annotation(self, param: Param, owner: str) -> str:
        if param.is_model:
            return param.type
        types = FILE_TYPES if param.source == "file" else {**TYPES, **BODY_TYPES}
        annotation = types[param.type].annotation or "Any"
        if param.validator:
            validator = f"AfterValidator(T.validator({owner + '.' + param.name!r}))"
            annotation = f"Annotated[{annotation}, {validator}]"
        return annotation

    def _options(self, param: Param, owner: str) -> dict[str, str]:
        options: dict[str, str] = {}
        if param.alias is not None:
            match param.alias_kind:
                case "choices":
                    other = param.alias + "2"
                    options["validation_alias"] = f"AliasChoices({param.alias!r}, {other!r})"
                case kind:
                    options[kind] = repr(param.alias)
        if param.constraint is not None:
            options[param.constraint[0]] = param.constraint[1]
        if param.factory is not None:
            label = f"{owner}.{param.name}"
            options["default_factory"] = f"T.factory({label!r}, {param.factory})"
        if param.validate_default:
            options["validate_default"] = "True"
        if not param.convert_underscores and param.source == "header":
            options["convert_underscores"] = "False"
        if param.embed and param.source == "body":
            options["embed"] = "True"
        return options

    def _param(self, param: Param, owner: str, form: str) -> str:
        annotation = self._annotation(param, owner)
        if form == "model":
            options = self._options(param, owner)
            call = ", ".join(f"{key}={value}" for key, value in options.items())
            default = "" if param.default is None or param.factory else f" = {param.default}"
            return f"{param.name}: Annotated[{annotation}, Field({call})]{default}"
        if param.style == "bare":
            typed = "" if not param.type and form != "dataclass" else f": {annotation}"
            default = "" if param.default is None else f" = {param.default}"
            return f"{param.name}{typed}{default}"
        options = self._options(param, owner)
        call = ", ".join(f"{key}={value}" for key, value in options.items())
        function = _FUNCTIONS[param.source]
        given = param.default if param.factory is None and param.source != "path" else None
        if param.style == "default" and form != "dataclass":
            first = f"{given}, " if given is not None else ""
            return f"{param.name}: {annotation} = {function}({first}{call})"
        equals = "" if given is None else f" = {given}"
        return f"{param.name}: Annotated[{annotation}, {function}({call})]{equals}"

    def _depends(self, dep: Dep, *, empty: bool = False) -> str:
        arguments = [] if empty else [self.reference(dep.node)]
        if dep.security:
            arguments.append(f"scopes={list(dep.scopes)!r}")
        if not dep.use_cache:
            arguments.append("use_cache=False")
        if not dep.security:
            if dep.scope is not None and HAS_SCOPE:
                arguments.append(f"scope={dep.scope!r}")
            if dep.limit is not None and HAS_CONCURRENCY:
                arguments.append(f"max_concurrency={dep.limit}")
        function = "Security" if dep.security else "Depends"
        return f"{function}({', '.join(arguments)})"

    def _dep(self, dep: Dep, form: str) -> str:
        node = self.description.nodes[dep.node]
        if dep.style == "shortcut" and node.form in ("class", "dataclass", "model"):
            return f"{dep.name}: Annotated[{name_of(dep.node)}, {self._depends(dep, empty=True)}]"
        if dep.style == "default":
            annotation = ": Any" if form == "dataclass" else ""
            return f"{dep.name}{annotation} = {self._depends(dep)}"
        return f"{dep.name}: Annotated[Any, {self._depends(dep)}]"

    def _declarations(self, node: Node, owner: str) -> list[str]:
        return [
            *(self._dep(dep, node.form) for dep in node.deps),
            *(self._param(param, owner, node.form) for param in node.params),
            *(f"{special.name}: {special.type}" for special in node.specials),
        ]

    def _names(self, node: Node) -> list[str]:
        names = [dep.name for dep in node.deps]
        names += [param.name for param in node.params]
        names += [special.name for special in node.specials]
        if node.form == "keyword_partial":
            names.append("bound")
        return names

    # --- nodes ---

    def _write_node(self, name: str, node: Node) -> None:
        if node.flavour == "scheme":
            self._write_scheme(name, node)
            return
        declarations = self._declarations(node, name)
        body = self._body(name, node)
        mark = {None: [], True: ["@async_safe"], False: ["@async_unsafe"]}[
            None if node.mark is None else node.mark == "safe"
        ]
        outer = mark if node.mark_at == "outer" else []
        inner = mark if node.mark_at == "inner" else []
        match node.form:
            case "function":
                self._write_function(name, node, declarations, body, mark)
            case "class" | "class_partial":
                self._write_class(name, node, declarations, inner, outer)
            case "dataclass" | "model":
                self._write_record(name, node, declarations, inner, outer)
            case "instance" | "frozen" | "method" | "classmethod":
                self._write_object(name, node, declarations, body, inner, outer)
            case "partial" | "keyword_partial":
                first = ["fixed"] if node.form == "partial" else []
                last = ["bound: int"] if node.form == "keyword_partial" else []
                inside = f"{name}_inner"
                self._write_function(
                    inside, node, [*declarations, *last], body, inner, positional=first
                )
                bound = "'fixed'" if first else "bound=5"
                self.add(f"{name} = functools.partial({inside}, {bound})")
                self._mark(name, outer)
            case "wrapped" | "sync_wrapped":
                self._write_wrapped(name, node, declarations, body, inner, outer)
            case "cached":
                self._write_function(
                    name, node, declarations, body, [*outer, "@functools.cache", *inner]
                )
            case "contextmanager":
                self._write_function(
                    name, node, declarations, body, [*outer, "@contextmanager", *inner]
                )
        self.add("")

    def _mark(self, name: str, mark: list[str]) -> None:
        for decorator in mark:
            self.add(f"{decorator[1:]}({name})")

    def _write_scheme(self, name: str, node: Node) -> None:
        auto_error = f"auto_error={node.auto_error}"
        made = {
            "oauth2": f"OAuth2PasswordBearer(tokenUrl='token', {auto_error})",
            "http_bearer": f"HTTPBearer({auto_error})",
            "http_basic": f"HTTPBasic({auto_error})",
            "api_key_header": f"APIKeyHeader(name='x-key', {auto_error})",
            "api_key_query": f"APIKeyQuery(name='key', {auto_error})",
            "api_key_cookie": f"APIKeyCookie(name='key', {auto_error})",
        }
        self.add(f"{name} = {made[node.form]}")
        self.add("")

    def _signature(self, declarations: list[str], positional: list[str]) -> str:
        if declarations:
            return ", ".join([*positional, "*", *declarations])
        return ", ".join(positional)

    def _write_function(
        self,
        name: str,
        node: Node,
        declarations: list[str],
        body: list[str],
        decorators: list[str],
        *,
        positional: list[str] | None = None,
        depth: int = 0,
        returns: str = "",
    ) -> None:
        for decorator in decorators:
            self.add(decorator, depth)
        keyword = "async def" if node.flavour in ("async", "agen") else "def"
        self.add(
            f"{keyword} {name}({self._signature(declarations, positional or [])}){returns}:", depth
        )
        for line in body:
            self.add(line, depth + 1)

    def _body(self, who: str, node: Node) -> list[str]:
        arguments = "".join(f", {name}={name}" for name in self._names(node))
        call = f"T.call({who!r}{arguments})"
        result = f"T.result({who!r}, {node.returns!r})"
        leave = f"T.exit({who!r})"
        pause = [f"await T.pause({who!r})"] if node.flavour in ("async", "agen") else []
        if node.flavour in ("sync", "async"):
            return [call, *pause, f"return {result}"]
        caught = f"T.caught({who!r}, exc)"
        match node.exit:
            case "finally":
                after = ["try:", f"    yield {result}", "finally:", *_in(pause), f"    {leave}"]
            case "reraise":
                after = [
                    "try:",
                    f"    yield {result}",
                    "except BaseException as exc:",
                    f"    {caught}",
                    *_in(pause),
                    "    raise",
                    "finally:",
                    f"    {leave}",
                ]
            case "swallow" | "replace" | "refuse":
                after = [
                    "try:",
                    f"    yield {result}",
                    "except Exception as exc:",
                    f"    {caught}",
                    *{
                        "swallow": [],
                        "replace": ["    raise UnhandledError('replaced') from exc"],
                        "refuse": ["    raise HTTPException(410, 'replaced')"],
                    }[node.exit],
                    leave,
                ]
            case "keep":
                after = [
                    "try:",
                    f"    yield {result}",
                    "except BaseException as exc:",
                    f"    {caught}",
                    leave,
                ]
            case "noyield":
                after = ["return", f"yield {result}"]
            case "twice":
                after = [f"yield {result}", leave, f"yield {result}"]
            case _:
                after = [f"yield {result}", *pause, leave]
        return [call, *pause, *after]

    def _write_class(
        self, name: str, node: Node, declarations: list[str], inner: list[str], outer: list[str]
    ) -> None:
        whole = name if node.form == "class" else f"{name}_inner"
        base = ""
        if node.form == "class" and inner:
            base = "(AsyncSafeMixin)"
            if inner == ["@async_unsafe"]:
                self.add("@async_unsafe")
                self.add(f"class {name}_base:")
                self.add("pass", 1)
                base = f"({name}_base)"
        elif inner:
            self.add(inner[0])
        for decorator in outer if node.form == "class" else []:
            self.add(decorator)
        self.add(f"class {whole}{base}:")
        arguments = "".join(f", {item}={item}" for item in self._names(node))
        positional = ["self"] if node.form == "class" else ["self", "fixed"]
        self.add(f"def __init__({self._signature(declarations, positional)}):", 1)
        self.add(f"T.call({name!r}{arguments})", 2)
        self.add(f"self.random_tree_name = T.result({name!r})", 2)
        self.add("def __repr__(self):", 1)
        self.add("return repr(self.random_tree_name)", 2)
        if node.form == "class_partial":
            self.add(f"{name} = functools.partial({whole}, 'fixed')")
            self._mark(name, outer)

    def _write_record(
        self, name: str, node: Node, declarations: list[str], inner: list[str], outer: list[str]
    ) -> None:
        bases = ["BaseModel"] if node.form == "model" else []
        if inner == ["@async_safe"]:
            bases.insert(0, "AsyncSafeMixin")
        elif inner:
            self.add("@async_unsafe")
            self.add(f"class {name}_base:")
            self.add("pass", 1)
            bases.insert(0, f"{name}_base")
        for decorator in outer:
            self.add(decorator)
        if node.form == "dataclass":
            self.add("@dataclass(kw_only=True, repr=False)")
        self.add(f"class {name}({', '.join(bases)}):" if bases else f"class {name}:")
        for declaration in declarations:
            self.add(declaration, 1)
        arguments = "".join(f", {item}=self.{item}" for item in self._names(node))
        if node.form == "model":
            self.add("def model_post_init(self, context):", 1)
        else:
            self.add("def __post_init__(self):", 1)
        self.add(f"T.call({name!r}{arguments})", 2)
        self.add(f"object.__setattr__(self, 'random_tree_name', T.result({name!r}))", 2)
        self.add("def __repr__(self):", 1)
        self.add("return repr(self.random_tree_name)", 2)

    def _write_object(
        self,
        name: str,
        node: Node,
        declarations: list[str],
        body: list[str],
        inner: list[str],
        outer: list[str],
    ) -> None:
        method = "make" if node.form in ("method", "classmethod") else "__call__"
        on_method: list[str] = []
        if node.form == "classmethod":
            on_method = ["@classmethod"]
        if node.form in ("method", "classmethod"):
            on_method += inner + outer
        elif node.form == "frozen":
            for decorator in inner + outer:
                self.add(decorator)
            self.add("@dataclass(frozen=True)")
        else:
            for decorator in inner:
                self.add(decorator)
        self.add(f"class {name}_class:")
        if node.form == "frozen":
            self.add("tag: str", 1)
        first = "cls" if node.form == "classmethod" else "self"
        self._write_function(
            method, node, declarations, body, on_method, positional=[first], depth=1
        )
        if node.form == "method":
            self.add(f"{name}_owner = {name}_class()")
        elif node.form == "instance":
            self.add(f"{name} = {name}_class()")
            self._mark(name, outer)

    def _write_wrapped(
        self,
        name: str,
        node: Node,
        declarations: list[str],
        body: list[str],
        inner: list[str],
        outer: list[str],
    ) -> None:
        inside = f"{name}_inner"
        plain = node.flavour == "async" and node.form == "wrapped"
        if plain:
            body = [line for line in body if not line.startswith("await")]
            for decorator in inner:
                self.add(decorator)
            self.add(f"def {inside}({self._signature(declarations, [])}):")
            for line in body:
                self.add(line, 1)
        else:
            self._write_function(inside, node, declarations, body, inner)
        for decorator in outer:
            self.add(decorator)
        self.add(f"@functools.wraps({inside})")
        self.add(f"{'async def' if plain else 'def'} {name}(*args, **kwargs):")
        call = f"{inside}(*args, **kwargs)"
        self.add(f"return T.track({call})" if node.form == "sync_wrapped" else f"return {call}", 1)

    # --- the application ---

    def _write_tasks(self) -> None:
        description = self.description
        nodes = [description.endpoint.node]
        nodes += [description.nodes[index] for index in description.reachable()]
        if not any("BackgroundTasks" in s.type for node in nodes for s in node.specials):
            return
        for name, keyword, mark in (
            ("task_sync", "def", None),
            ("task_safe", "def", "@async_safe"),
            ("task_async", "async def", None),
        ):
            if mark:
                self.add(mark)
            self.add(f"{keyword} {name}(who):")
            self.add(f"T.task({name!r}, who)", 1)
            if keyword == "async def":
                self.add(f"await T.pause({name!r})", 1)
        self.add("T.tasks = (task_sync, task_safe, task_async)")
        self.add("")

    def _dependencies(self, deps: tuple[Dep, ...]) -> str:
        return f"dependencies=[{', '.join(self._depends(dep) for dep in deps)}]" if deps else ""

    def _write_application(self) -> None:
        description, layout = self.description, self.description.layout
        settings = description.settings
        on_app = self._dependencies(layout.on_app)
        on_router = self._dependencies(layout.on_router)
        on_include = self._dependencies(layout.on_include)
        kind = layout.kind
        self.add(f"app = FastAPI({_join('openapi_url=None', on_app)})")
        made = "app"
        provider = "app"
        if kind in ("router", "nested"):
            self.add(f"router = APIRouter({_join(on_router)})")
            made = "router"
        elif kind == "mounted":
            self.add(f"sub = FastAPI({_join('openapi_url=None', on_router)})")
            made = provider = "sub"
        target = {"app": "app", "router": made, "sub": provider}[settings.on]
        initialise = self._initialise(target)
        if settings.when == "before":
            self.add(initialise)
        for each in dict.fromkeys(("app", provider)):
            self.add(f"@{each}.exception_handler(HandledError)")
            self.add("async def handle(request, exc):")
            self.add("return JSONResponse({'handled': T.show_exception(exc)}, 418)", 1)
        self._write_endpoint(made)
        included = _join("router, prefix='/in'", on_include)
        if kind == "router":
            self.add(f"app.include_router({included})")
        elif kind == "nested":
            self.add("outer = APIRouter()")
            self.add(f"outer.include_router({included})")
            self.add("app.include_router(outer)")
        elif kind == "mounted":
            self.add("app.mount('/in', sub)")
        if settings.when == "after":
            self.add(initialise)
        if settings.copied is not None:
            self.add(f"first, app = app, copy.{settings.copied}(app)")
            # What `copy.copy` made serves the routes of the first one.
            if provider == "app" and settings.copied == "copy":
                provider = "first"
        pairs = ", ".join(
            f"{self.reference(old)}: {self.reference(new)}" for old, new in self._overrides()
        )
        self.add(f"provider, overrides = {provider}, {{{pairs}}}")
        self._write_changes()

    def _write_changes(self) -> None:
        """Write what is called before each request."""
        self.add("def before_request(number):")
        for number, name, mark in self.description.late_marks:
            self.add(f"if number == {number}: async_{mark}({name})", 1)
        for number, what in self.description.replaced:
            self.add(f"if number == {number}: T.replace({what!r})", 1)
        self.add("pass", 1)

    def _overrides(self) -> list[tuple[int, int]]:
        reachable = set(self.description.reachable())
        return [pair for pair in self.description.overrides if pair[0] in reachable]

    def _initialise(self, target: str) -> str:
        settings = self.description.settings
        classes = "all_classes_safe=True" if settings.all_classes_safe else ""
        predicates = ""
        match settings.predicate:
            case "all":
                predicates = "predicates=[lambda call: True]"
            case "none":
                predicates = "predicates=[lambda call: False]"
            case "some":
                reachable = set(self.description.reachable())
                chosen = ", ".join(
                    self.reference(index)
                    for index in settings.predicate_nodes
                    if index in reachable
                )
                predicates = f"predicates=[lambda call: call in [{chosen}]]"
        return f"init_app({_join(target, classes, predicates)})"

    def _write_endpoint(self, made: str) -> None:
        description, endpoint = self.description, self.description.endpoint
        node = endpoint.node
        path = "/r" + "".join(f"/{part}" for part in description.layout.path)
        options = [repr(path), self._dependencies(description.layout.on_route)]
        declarations = self._declarations(node, "endpoint")
        arguments = "".join(f", {name}={name}" for name in self._names(node))
        call = f"T.call('endpoint'{arguments})"
        reply = f"T.reply('endpoint'{arguments})"
        if description.websocket:
            declarations.append("websocket: WebSocket")
            body = [
                call,
                "await websocket.accept()",
                f"await websocket.send_json({reply})",
                "T.record('received', 'endpoint', repr(await websocket.receive()))",
                "await websocket.close()",
            ]
            self.add(f"@{made}.websocket({_join(*options)})")
            self.add(f"async def endpoint({self._signature(declarations, [])}):")
            for line in body:
                self.add(line, 1)
            return
        if endpoint.status_code is not None:
            options.append(f"status_code={endpoint.status_code}")
        returns = ""
        pause = ["await T.pause('endpoint')"] if node.flavour in ("async", "agen") else []
        if node.flavour in ("gen", "agen"):
            body = [call, *pause, "for item in T.chunks('endpoint'):", "    yield item"]
            if endpoint.reply == "raw":
                options.append("response_class=StreamingResponse")
                body[-1] = "    yield repr(item)"
            elif endpoint.reply == "model":
                kind = "AsyncIterable" if node.flavour == "agen" else "Iterable"
                returns = f" -> {kind}[dict[str, Any]]"
        else:
            body = [call, *pause]
            match endpoint.reply:
                case "response":
                    body.append(f"return JSONResponse({reply}, 203, {{'x-own': 'yes'}})")
                case "stream":
                    body.append("return StreamingResponse(T.achunks('endpoint'))")
                case "none":
                    body.append("return None")
                case _:
                    body.append(f"return {reply}")
            if endpoint.reply == "model":
                self.add("Reply = Annotated[dict[str, Any], AfterValidator(T.validator('reply'))]")
                options.append("response_model=Reply")
            elif endpoint.reply == "wrong":
                options.append("response_model=list[int]")
            elif endpoint.reply == "untyped":
                options.append("response_model=None")
        decorate = f"{made}.{description.method.lower()}({_join(*options)})"
        marks = [] if node.mark is None else [f"@async_{node.mark}"]
        if node.form == "instance":
            for mark in marks:
                self.add(mark)
            self.add("class Endpoint:")
            self._write_function(
                "__call__",
                node,
                declarations,
                body,
                [],
                positional=["self"],
                depth=1,
                returns=returns,
            )
            self.add("endpoint = Endpoint()")
            self.add(f"{decorate}(endpoint)")
        elif node.form == "partial":
            self._write_function(
                "endpoint_inner",
                node,
                declarations,
                body,
                marks,
                positional=["fixed"],
                returns=returns,
            )
            self.add("endpoint = functools.partial(endpoint_inner, 'fixed')")
            self.add(f"{decorate}(endpoint)")
        else:
            self._write_function(
                "endpoint", node, declarations, body, [f"@{decorate}", *marks], returns=returns
            )


def _join(*parts: str) -> str:
    return ", ".join(filter(None, parts))


def _in(lines: list[str]) -> list[str]:
    return [_INDENT + line for line in lines]
