# cython: language_level=3, boundscheck=False, wraparound=False, initializedcheck=False
# cython: binding=False, embedsignature=True
"""The core, compiled: the same names in the same order as `_core_py.py`, which tells their meaning.

It awaits nothing: awaiting in compiled code costs two to three times what it does in Python.
"""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_GET_SIZE
from cpython.list cimport PyList_GET_SIZE
from cpython.long cimport PyLong_AsSsize_t, PyLong_FromLongLong
from cpython.mem cimport PyMem_Free, PyMem_Malloc
from cpython.object cimport PyObject, PyTypeObject
from cpython.ref cimport Py_CLEAR, Py_INCREF, Py_XDECREF
from cpython.unicode cimport PyUnicode_DecodeLatin1, PyUnicode_DecodeUTF8
from libc.string cimport memset

from scan cimport (
    SCAN_HIGH,
    SCAN_PERCENT,
    SCAN_PLUS,
    scan_next_pair,
    scan_pair,
    scan_text,
    scan_unquote,
)

from copy import deepcopy as _deepcopy
from types import FunctionType as _FunctionType
from types import MemberDescriptorType as _MemberDescriptorType
from urllib.parse import unquote as _unquote

from pydantic_core import ValidationError

from fastapi_async_safe import _fastapi
from fastapi_async_safe._core_py import NOTHING as _NOTHING

cdef extern from "Python.h":
    PyObject *PyDict_GetItemWithError(object items, object key) except? NULL
    int PyDict_SetItem(object items, object key, object value) except -1
    object PyObject_Call(object call, tuple arguments, PyObject *keywords)
    object PyObject_Vectorcall(
        object call, PyObject **arguments, size_t count, PyObject *keywords
    )
    size_t PY_VECTORCALL_ARGUMENTS_OFFSET
    ctypedef object (*newfunc)(PyTypeObject *cls, object arguments, PyObject *keywords)
    ctypedef struct _TypeWithNew "PyTypeObject":
        newfunc tp_new
    _TypeWithNew PyBaseObject_Type
    int PyUnicode_IS_ASCII(object text)
    Py_ssize_t PyUnicode_GET_LENGTH(object text)
    const char *PyUnicode_1BYTE_DATA(object text)

    ctypedef struct PyMemberDef:
        int type
        Py_ssize_t offset

    ctypedef struct PyMemberDescrObject:
        PyMemberDef *d_member

cdef extern from "structmember.h":
    int OBJECT_MEMBER "T_OBJECT_EX"


PATH, QUERY, HEADER, COOKIE = range(4)
cdef enum:
    _PATH, _QUERY, _HEADER, _COOKIE

REQUIRED, SHARED, FRESH = range(3)
cdef enum:
    _REQUIRED, _SHARED, _FRESH

TEXT, DIGITS, SCHEMA, FIELD = range(4)
cdef enum:
    _TEXT, _DIGITS, _SCHEMA, _FIELD

ROOT, INLINE, INLINE_CONTEXT, INLINE_LIMITED, INLINE_CONTEXT_LIMITED, COROUTINE, THREAD, CONTEXT = (
    range(8)
)
cdef enum:
    _ROOT, _INLINE, _INLINE_CONTEXT

DONE, BODY, CALL = range(3)
cdef enum:
    _DONE, _BODY, _CALL

NOTHING = _NOTHING
cdef object nothing = _NOTHING
cdef tuple no_arguments = ()
cdef list no_items = []  # never added to
cdef object function = _FunctionType
cdef object new_object = object.__new__
cdef object member_descriptor = _MemberDescriptorType


cdef class Param:
    cdef readonly str name
    cdef readonly str key
    cdef readonly tuple loc
    cdef readonly bint many
    cdef readonly int otherwise
    cdef readonly object default
    cdef readonly dict missing
    cdef readonly int convert
    cdef readonly object validate
    cdef readonly object field
    cdef Py_ssize_t number  # among the names of the query, set by the plan

    def __init__(
        self, *, str name, str key, tuple loc, bint many, int otherwise, default, dict missing,
        int convert, validate, field,
    ):
        self.name = name
        self.key = key
        self.loc = loc
        self.many = many
        self.otherwise = otherwise
        self.default = default
        self.missing = missing
        self.convert = convert
        self.validate = validate
        self.field = field


cdef class Group:
    cdef readonly int source
    cdef readonly list fields
    cdef readonly tuple params

    def __init__(self, *, int source, list fields, tuple params):
        self.source = source
        self.fields = fields
        self.params = params


cdef class Node:
    cdef readonly str name
    cdef readonly object call
    cdef readonly int kind
    cdef readonly bint leaf
    cdef readonly bint limited
    cdef readonly object dependant
    cdef readonly bint function_scoped
    cdef readonly Py_ssize_t slot
    cdef readonly bint use_cache
    cdef readonly bint reusable
    cdef readonly tuple groups
    cdef readonly list body_fields
    cdef readonly tuple connection_names
    cdef readonly str background_name
    cdef readonly str response_name
    cdef readonly str scopes_name
    cdef readonly tuple scopes
    cdef readonly bint special
    cdef tuple keywords

    def __init__(
        self, *, str name, call, int kind, bint leaf, bint limited, dependant,
        bint function_scoped, Py_ssize_t slot, bint use_cache, bint reusable, tuple groups,
        list body_fields, tuple connection_names, str background_name, str response_name,
        str scopes_name, tuple scopes,
    ):
        self.name = name
        self.call = call
        self.kind = kind
        self.leaf = leaf
        self.limited = limited
        self.dependant = dependant
        self.function_scoped = function_scoped
        self.slot = slot
        self.use_cache = use_cache
        self.reusable = reusable
        self.groups = groups
        self.body_fields = body_fields
        self.connection_names = connection_names
        self.background_name = background_name
        self.response_name = response_name
        self.scopes_name = scopes_name
        self.scopes = scopes
        self.special = bool(connection_names or background_name or response_name or scopes_name)

    cdef list own_keywords(self):
        """List the keywords that the node gets a value for, after those of its dependencies."""
        cdef Group group
        names = []
        for group in self.groups:
            names += [field.name for field in group.fields]
        names += [field.name for field in self.body_fields]
        names += self.connection_names
        names += [
            name for name in (self.background_name, self.response_name, self.scopes_name) if name
        ]
        return names


cdef struct Place:
    # Where a node has its values: `start` for the object that a class makes, then one for each
    # keyword, those of its dependencies first.
    Py_ssize_t start
    Py_ssize_t own  # the first one that is no dependency's
    Py_ssize_t count
    bint repeats  # has a keyword twice, of which the last one counts
    Py_ssize_t target  # where its result goes, -1: nowhere


cdef class Plan:
    cdef readonly object connection
    cdef readonly bint raw
    cdef readonly tuple response
    cdef readonly object solved
    cdef readonly tuple order
    cdef readonly tuple after
    cdef readonly tuple nodes
    cdef readonly tuple keys
    cdef readonly dict query_names
    cdef readonly dict header_names
    cdef readonly bint uses_cookies
    cdef readonly bint needs_stacks
    cdef readonly tuple watched
    cdef readonly tuple dependants
    cdef tuple fields
    cdef tuple seen
    cdef tuple lists
    cdef tuple lists_seen
    cdef dict query_numbers
    cdef Py_ssize_t size  # of all the places together
    cdef Py_ssize_t length
    cdef Py_ssize_t *offsets
    cdef Py_ssize_t *order_numbers
    cdef Py_ssize_t *after_numbers
    cdef Place *places

    def __cinit__(self, *, tuple order, tuple after, tuple nodes, **others):
        self.length = len(order)
        self.order_numbers = <Py_ssize_t *>_allocated(self.length * sizeof(Py_ssize_t))
        self.after_numbers = <Py_ssize_t *>_allocated(self.length * sizeof(Py_ssize_t))
        self.places = <Place *>_allocated(len(nodes) * sizeof(Place))
        for position in range(self.length):
            self.order_numbers[position] = order[position]
            self.after_numbers[position] = after[position]

    def __dealloc__(self):
        PyMem_Free(self.offsets)
        PyMem_Free(self.order_numbers)
        PyMem_Free(self.after_numbers)
        PyMem_Free(self.places)

    def __init__(
        self, *, connection, bint raw, tuple response, solved, tuple order, tuple after,
        tuple nodes, tuple keys, dict query_names, dict header_names, bint uses_cookies,
        bint needs_stacks, tuple watched, tuple dependants, tuple fields, tuple lists,
    ):
        self.connection = connection
        self.raw = raw
        self.response = response
        self.solved = solved
        self.order = order
        self.after = after
        self.nodes = nodes
        self.keys = keys
        self.query_names = query_names
        self.header_names = header_names
        self.uses_cookies = uses_cookies
        self.needs_stacks = needs_stacks
        self.watched = watched
        self.dependants = dependants
        self.fields = fields
        self.seen = tuple(
            [tuple([getattr(dependant, name) for name in fields]) for dependant in dependants]
        )
        self.lists = lists
        self.lists_seen = tuple([items.copy() if items else no_items for items in lists])
        self._find_offsets()
        self._find_places()
        self._number_query_names()

    cdef int _find_places(self) except -1:
        cdef Node node
        cdef Place *place
        cdef Py_ssize_t position, index
        cdef dict targets = {}  # where the result of a dependency goes, by index
        cdef list open_nodes = []  # of those entered: the dependencies seen so far
        cdef list below
        for position in range(self.length):
            index = self.order_numbers[position]
            if index < 0:
                open_nodes.append([])
                continue
            node = <Node>self.nodes[index]
            below = [] if node.leaf else open_nodes.pop()
            names = [(<Node>self.nodes[child]).name for child in below] + node.own_keywords()
            node.keywords = tuple(names)
            place = &self.places[index]
            place.start = self.size
            place.own = place.start + 1 + len(below)
            place.count = len(names)
            place.repeats = len(set(names)) != len(names)
            place.target = -1
            self.size += 1 + place.count
            for number, child in enumerate(below):
                targets[child] = place.start + 1 + number
            if open_nodes and node.name is not None:
                (<list>open_nodes[len(open_nodes) - 1]).append(index)
        for index, target in targets.items():
            self.places[index].target = target
        return 0

    cdef int _number_query_names(self) except -1:
        cdef Node node
        cdef Group group
        cdef Param param
        self.query_numbers = {name: number for number, name in enumerate(self.query_names)}
        for node in self.nodes:
            for group in node.groups:
                if group.source == _QUERY:
                    for param in group.params:
                        param.number = self.query_numbers[param.key]
        return 0

    cdef int _find_offsets(self) except -1:
        # PERF: where a dependant has slots, its fields are compared in place: 20 fields in 10 ns
        # instead of 250. The first look must agree with what `getattr` gave.
        cdef Py_ssize_t field
        cdef PyMemberDef *member
        cdef object descriptor
        if not self.dependants:
            return 0
        self.offsets = <Py_ssize_t *>_allocated(len(self.fields) * sizeof(Py_ssize_t))
        for field in range(len(self.fields)):
            descriptor = getattr(type(self.dependants[0]), <str>self.fields[field], None)
            member = NULL
            if type(descriptor) is member_descriptor:
                member = (<PyMemberDescrObject *>descriptor).d_member
            if member == NULL or member.type != OBJECT_MEMBER:
                self._forget_offsets()
                return 0
            self.offsets[field] = member.offset
        if not self._fields_are_as_seen():
            self._forget_offsets()
        return 0

    cdef void _forget_offsets(self) noexcept:
        PyMem_Free(self.offsets)
        self.offsets = NULL

    cdef bint _fields_are_as_seen(self) except -1:
        cdef Py_ssize_t index, field, count = len(self.fields)
        cdef tuple seen
        cdef char *start
        for index in range(len(self.dependants)):
            seen = <tuple>self.seen[index]
            if self.offsets == NULL:
                for field in range(count):
                    if getattr(self.dependants[index], <str>self.fields[field]) is not seen[field]:
                        return False
                continue
            start = <char *><PyObject *>self.dependants[index]
            for field in range(count):
                if (<PyObject **>(start + self.offsets[field]))[0] != <PyObject *>seen[field]:
                    return False
        return True

    cpdef bint is_current(self) except -1:
        cdef tuple entry
        cdef Py_ssize_t index
        for entry in self.watched:
            if getattr(entry[0], <str>entry[1]) is not entry[2]:
                return False
        if not self._fields_are_as_seen():
            return False
        for index in range(len(self.lists)):
            if not _same(<list>self.lists[index], <list>self.lists_seen[index]):
                return False
        return True


cdef void *_allocated(size_t size) except NULL:
    cdef void *memory = PyMem_Malloc(size if size else 1)
    if memory == NULL:
        raise MemoryError
    return memory


cdef inline bint _same(list items, list seen) except -1:
    cdef Py_ssize_t position, length = PyList_GET_SIZE(items)
    if length != PyList_GET_SIZE(seen):
        return False
    for position in range(length):
        if items[position] is not seen[position]:
            return bool(items == seen)
    return True


def scan_query(bytes query, dict names):
    cdef dict numbers = {name: number for number, name in enumerate(names)}
    cdef dict lists = {}
    cdef Py_ssize_t number
    cdef PyObject **found = <PyObject **>_allocated(len(names) * sizeof(PyObject *))
    memset(found, 0, len(names) * sizeof(PyObject *))
    try:
        _scan_query(query, names, numbers, found, lists)
        scalars = {name: <object>found[number] for name, number in numbers.items() if found[number]}
        return scalars, lists
    finally:
        _release(found, len(names))


cdef int _scan_query(
    bytes query, dict names, dict numbers, PyObject **found, dict lists
) except -1:
    """Put the last value of each name into `found`, at its number."""
    cdef const char *cursor = PyBytes_AS_STRING(query)
    cdef const char *end = cursor + PyBytes_GET_SIZE(query)
    cdef scan_pair pair
    cdef str name, value
    cdef PyObject *number
    while True:
        cursor = scan_next_pair(cursor, end, &pair)
        if cursor == NULL:
            return 0
        name = _text(pair.name)
        number = PyDict_GetItemWithError(numbers, name)
        if number == NULL:
            continue
        value = _text(pair.value)
        _put(&found[PyLong_AsSsize_t(<object>number)], value)
        if names[name] is True:
            if name in lists:
                (<list>lists[name]).append(value)
            else:
                lists[name] = [value]


cdef inline void _put(PyObject **place, object value) noexcept:
    cdef PyObject *old = place[0]
    Py_INCREF(value)
    place[0] = <PyObject *>value
    Py_XDECREF(old)


cdef void _release(PyObject **values, Py_ssize_t count) noexcept:
    cdef Py_ssize_t number
    for number in range(count):
        Py_CLEAR(values[number])
    PyMem_Free(values)


cdef str _text(scan_text text):
    cdef char *buffer
    cdef char small[256]
    cdef size_t length
    if text.flags & SCAN_PERCENT and text.flags & SCAN_HIGH:
        # Escapes next to raw high bytes: Python decodes these run by run.
        return _unquote(
            PyUnicode_DecodeLatin1(text.start, text.length, NULL).replace("+", " "),
            "utf-8",
            "replace",
        )
    if not text.flags & (SCAN_PLUS | SCAN_PERCENT):
        return PyUnicode_DecodeLatin1(text.start, text.length, NULL)
    buffer = small
    if text.length > sizeof(small):
        buffer = <char *>_allocated(text.length)
    try:
        length = scan_unquote(text, buffer)
        if text.flags & SCAN_PERCENT:
            return PyUnicode_DecodeUTF8(buffer, length, b"replace")
        return PyUnicode_DecodeLatin1(buffer, length, NULL)
    finally:
        if buffer != small:
            PyMem_Free(buffer)


def scan_headers(headers, dict names):
    cdef dict scalars = {}, lists = {}
    cdef PyObject *wanted
    cdef str name, text
    for key, value in headers:
        wanted = PyDict_GetItemWithError(names, key)
        if wanted == NULL:
            continue
        name, many = <tuple>wanted
        text = value.decode("latin-1")
        if name not in scalars:
            scalars[name] = text
        if many:
            if name in lists:
                (<list>lists[name]).append(text)
            else:
                lists[name] = [text]
    return scalars, lists


def extract(tuple params, scalars, lists, dict values, list errors):
    cdef Param param
    cdef Py_ssize_t number, count = len(params)
    cdef PyObject **found = <PyObject **>_allocated(count * sizeof(PyObject *))
    memset(found, 0, count * sizeof(PyObject *))
    try:
        _extract(params, scalars, lists, NULL, found, errors)
        for number in range(count):
            if found[number] != NULL:
                param = <Param>params[number]
                values[param.name] = <object>found[number]
    finally:
        _release(found, count)


cdef int _extract(
    tuple params, dict scalars, dict lists, PyObject **query, PyObject **values, list errors
) except -1:
    """Put the value of each parameter into `values`, one after the other.

    One that takes one value has it from `query`, by its number, or where that is NULL, from
    `scalars`.
    """
    cdef Param param
    cdef PyObject *found
    cdef Py_ssize_t number
    cdef object raw, value
    for number in range(len(params)):
        param = <Param>params[number]
        if param.many:
            found = PyDict_GetItemWithError(lists, param.key)
        elif query != NULL:
            found = query[param.number]
        else:
            found = PyDict_GetItemWithError(scalars, param.key)
        if found == NULL or <object>found is None:
            if param.otherwise == _SHARED:
                _put(&values[number], param.default)
            elif param.missing is not None:
                errors.append(param.missing.copy())
            else:
                _put(&values[number], _deepcopy(param.field.default))
            continue
        raw = <object>found
        if param.convert <= _DIGITS and type(raw) is str:
            if param.convert == _TEXT:
                _put(&values[number], raw)
                continue
            value = _digits(<str>raw)
            if value is not None:
                _put(&values[number], value)
                continue
        if param.convert == _FIELD:
            value, wrong = _fastapi.explain(param.field, raw, param.loc)
            if wrong:
                errors.extend(wrong)
            else:
                _put(&values[number], value)
            continue
        try:
            value = param.validate(raw)
        except ValidationError:
            errors.extend(_fastapi.explain(param.field, raw, param.loc)[1])
        else:
            _put(&values[number], value)
    return 0


cdef object _digits(str text):
    # PERF: decimal digits without sign, space or leading zero are what pydantic makes of them,
    # a third faster. All else is for pydantic.
    cdef Py_ssize_t position, length = PyUnicode_GET_LENGTH(text)
    cdef const char *data
    cdef long long number = 0
    if not PyUnicode_IS_ASCII(text) or length == 0 or length > 18:
        return None
    data = PyUnicode_1BYTE_DATA(text)
    if data[0] == b"0" and length > 1:
        return None
    for position in range(length):
        if data[position] < b"0" or data[position] > b"9":
            return None
        number = number * 10 + (data[position] - 48)
    return PyLong_FromLongLong(number)


cdef object _called(object call, PyObject **arguments, tuple keywords):
    """Call with keyword arguments; in front of them is a place that may be used."""
    cdef object made, init
    if type(call) is type and (<_TypeWithNew *>call).tp_new == PyBaseObject_Type.tp_new:
        # PERF: what `type.__call__` does for a class with an `__init__` in Python, without making
        # a dict of the keywords and taking it apart again: a third less.
        init = (<object>call).__init__
        if type(init) is function:
            made = PyBaseObject_Type.tp_new(<PyTypeObject *>call, no_arguments, NULL)
            (arguments - 1)[0] = <PyObject *>made
            try:
                if PyObject_Vectorcall(init, arguments - 1, 1, <PyObject *>keywords) is not None:
                    raise TypeError(f"{call.__name__}.__init__() should return None")
            finally:
                (arguments - 1)[0] = NULL
            return made
    return PyObject_Vectorcall(
        call, arguments, PY_VECTORCALL_ARGUMENTS_OFFSET, <PyObject *>keywords
    )


cdef class Run:
    cdef readonly Plan plan
    cdef readonly object request
    cdef readonly object request_stack
    cdef readonly object function_stack
    cdef readonly Node node
    cdef readonly dict values
    cdef readonly object solved
    cdef PyObject **_values  # of all nodes, each at its place
    cdef Py_ssize_t _value_count  # with those of the query
    cdef PyObject **_query  # by number
    cdef Py_ssize_t *_marks  # how many errors there were when a node was entered
    cdef bint _body_read
    cdef bint _raw
    cdef bint _reuses
    cdef Py_ssize_t _position
    cdef list _slots
    cdef list _errors
    cdef object _background
    cdef object _response
    cdef dict _cache
    cdef dict _query_lists
    cdef list _header_list
    cdef dict _headers
    cdef dict _header_lists
    cdef list _headers_seen

    def __init__(
        self, Plan plan, request, request_stack, function_stack, background, response, dict cache
    ):
        cdef Py_ssize_t nodes = len(plan.nodes), query = len(plan.query_numbers)
        cdef Py_ssize_t size = (plan.size + query) * sizeof(PyObject *)
        # One block: values, what the query has, marks.
        self._values = <PyObject **>_allocated(size + nodes * sizeof(Py_ssize_t))
        memset(self._values, 0, size)
        self._value_count = plan.size + query
        self._query = self._values + plan.size
        self._marks = <Py_ssize_t *>(self._query + query)
        self.plan = plan
        self.request = request
        self.request_stack = request_stack
        self.function_stack = function_stack
        self._slots = [nothing] * len(plan.keys)
        self._errors = []
        self._background = background
        self._response = response
        self._cache = cache
        self._reuses = not cache
        if cache:
            self._slots = [cache.get(key, nothing) for key in plan.keys]
        self._raw = plan.raw and type(request) is plan.connection
        if self._raw:
            self._read(plan, request)

    def __dealloc__(self):
        if self._values != NULL:
            _release(self._values, self._value_count)

    def advance(self, value):
        cdef Plan plan = self.plan
        cdef Py_ssize_t position = self._position, index
        cdef Node node
        cdef Place *place
        cdef list slots = self._slots, errors = self._errors
        cdef object cached
        if value is not nothing:
            self._keep(self.node, plan.order_numbers[position], value)
            position += 1
        while position < plan.length:
            index = plan.order_numbers[position]
            if index < 0:
                node = <Node>plan.nodes[~index]
                if node.reusable and self._reuses:
                    cached = slots[node.slot]
                    if cached is not nothing:
                        self._pass_on(~index, cached)
                        position = plan.after_numbers[position]
                        continue
                self._marks[~index] = PyList_GET_SIZE(errors)
                position += 1
                continue
            node = <Node>plan.nodes[index]
            place = &plan.places[index]
            if self._body_read:
                self._body_read = False
            else:
                if node.leaf:
                    if node.reusable and self._reuses:
                        cached = slots[node.slot]
                        if cached is not nothing:
                            self._pass_on(index, cached)
                            position += 1
                            continue
                    self._marks[index] = PyList_GET_SIZE(errors)
                if node.groups or not self._raw:
                    self._extract(node, place)
                if node.body_fields:
                    self.node = node
                    self._position = position
                    return _BODY
            if node.special:
                self._add_special(node, place)
            if node.kind == _ROOT:
                self.values = self._dict_of(node, place)
            elif PyList_GET_SIZE(errors) == self._marks[index]:
                cached = slots[node.slot] if node.use_cache else nothing
                if cached is not nothing:
                    self._pass_on(index, cached)
                elif node.kind == _INLINE:
                    self._keep(node, index, self._call(node, place))
                elif node.kind == _INLINE_CONTEXT:
                    stack = self.function_stack if node.function_scoped else self.request_stack
                    self._keep(node, index, stack.enter_context(self._call(node, place)))
                else:
                    self.node = node
                    self.values = self._dict_of(node, place)
                    self._position = position
                    self._clear(place)
                    return _CALL
            self._clear(place)
            position += 1
        self._finish()
        return _DONE

    def receive_body(self, dict values, list errors):
        cdef Py_ssize_t index = self.plan.order_numbers[self._position]
        self._put_named(self.node, &self.plan.places[index], values)
        self._errors.extend(errors)
        self._body_read = True

    cdef int _read(self, Plan plan, request) except -1:
        cdef object scope = request.scope, query, headers
        cdef dict parsed = request.__dict__
        if plan.query_names and "_query_params" not in parsed:
            query = scope["query_string"]
            if type(query) is bytes:
                self._query_lists = {}
                _scan_query(
                    <bytes>query,
                    plan.query_names,
                    plan.query_numbers,
                    self._query,
                    self._query_lists,
                )
            else:
                request.query_params
        if plan.header_names and "_headers" not in parsed:
            headers = scope["headers"]
            if type(headers) is list:
                self._header_list = headers
            else:
                request.headers
        if plan.uses_cookies:
            request.cookies
        return 0

    cdef int _extract(self, Node node, Place *place) except -1:
        cdef Group group
        cdef list errors = self._errors
        cdef object request = self.request
        cdef PyObject **values = self._values + place.own
        if not self._raw:
            found, wrong = _fastapi.extract_all(node.dependant, request)
            self._put_named(node, place, found)
            errors.extend(wrong)
            return 0
        for group in node.groups:
            if not group.params:
                found, wrong = _fastapi.extract(group.source, group.fields, request)
                self._put_named(node, place, found)
                errors.extend(wrong)
            elif group.source == _QUERY:
                self._read_query()
                _extract(group.params, None, self._query_lists, self._query, values, errors)
            elif group.source == _PATH:
                _extract(group.params, request.path_params, None, NULL, values, errors)
            elif group.source == _HEADER:
                self._read_headers()
                _extract(group.params, self._headers, self._header_lists, NULL, values, errors)
            else:
                _extract(group.params, request.cookies, None, NULL, values, errors)
            values += PyList_GET_SIZE(group.fields)
        return 0

    cdef int _read_query(self) except -1:
        cdef Py_ssize_t number
        if "_query_params" not in <dict>self.request.__dict__:
            return 0
        params = self.request.query_params
        self._query_lists = {}
        for name, number in self.plan.query_numbers.items():
            Py_CLEAR(self._query[number])
            if name in params:
                _put(&self._query[number], params[name])
                if self.plan.query_names[name]:
                    self._query_lists[name] = params.getlist(name)
        return 0

    cdef int _read_headers(self) except -1:
        if "_headers" in <dict>self.request.__dict__:
            headers = self.request.headers.raw
        elif self._headers is None or not _same(self._headers_seen, self._header_list):
            headers = self._headers_seen = self._header_list.copy()
        else:
            return 0
        self._headers, self._header_lists = scan_headers(headers, self.plan.header_names)
        return 0

    cdef int _add_special(self, Node node, Place *place) except -1:
        cdef PyObject **values = self._values + place.start + 1 + place.count
        # From the last keyword to the first.
        if node.scopes_name is not None:
            values -= 1
            _put(values, _fastapi.new_security_scopes(list(node.scopes)))
        if node.response_name is not None:
            if self._response is None:
                self._response = self._new_response()
            values -= 1
            _put(values, self._response)
        if node.background_name is not None:
            if self._background is None:
                self._background = _fastapi.new_background_tasks()
            values -= 1
            _put(values, self._background)
        for _ in node.connection_names:
            values -= 1
            _put(values, self.request)
        return 0

    cdef int _put_named(self, Node node, Place *place, dict values) except -1:
        cdef Py_ssize_t number
        for name, value in values.items():
            number = node.keywords.index(name, place.own - place.start - 1)
            _put(self._values + place.start + 1 + number, value)
        return 0

    cdef object _call(self, Node node, Place *place):
        if place.repeats:
            return node.call(**self._dict_of(node, place))
        return _called(node.call, self._values + place.start + 1, node.keywords)

    cdef dict _dict_of(self, Node node, Place *place):
        cdef dict values = {}
        cdef Py_ssize_t number
        cdef PyObject **start = self._values + place.start + 1
        for number in range(place.count):
            if start[number] != NULL:
                PyDict_SetItem(values, node.keywords[number], <object>start[number])
        return values

    cdef inline void _clear(self, Place *place) noexcept:
        cdef Py_ssize_t number
        cdef PyObject **start = self._values + place.start + 1
        for number in range(place.count):
            Py_CLEAR(start[number])

    cdef inline int _pass_on(self, Py_ssize_t index, value) except -1:
        cdef Py_ssize_t target = self.plan.places[index].target
        if target >= 0:
            _put(&self._values[target], value)
        return 0

    cdef int _keep(self, Node node, Py_ssize_t index, value) except -1:
        self._pass_on(index, value)
        if self._slots[node.slot] is nothing:
            self._slots[node.slot] = value
            if self._cache is not None:
                self._cache[self.plan.keys[node.slot]] = value
        return 0

    cdef int _finish(self) except -1:
        cdef dict cache = self._cache
        cdef Plan plan = self.plan
        cdef Py_ssize_t slot
        cdef object solved
        if self._response is None:
            self._response = self._new_response()
        if cache is None:
            cache = {}
            for slot in range(PyList_GET_SIZE(self._slots)):
                value = self._slots[slot]
                if value is not nothing:
                    PyDict_SetItem(cache, plan.keys[slot], value)
        if plan.solved is None:
            self.solved = _fastapi.new_solved(
                self.values, self._errors, self._background, self._response, cache
            )
            return 0
        solved = PyObject_Call(new_object, (plan.solved,), NULL)
        solved.values = self.values
        solved.errors = self._errors
        solved.background_tasks = self._background
        solved.response = self._response
        solved.dependency_cache = cache
        self.solved = solved
        return 0

    cdef object _new_response(self):
        cdef object response
        if self.plan.response is None:
            return _fastapi.new_response()
        response = PyObject_Call(new_object, (self.plan.response[0],), NULL)
        for name, value in (<dict>self.plan.response[1]).items():
            setattr(response, name, value)
        response.raw_headers = []
        return response
