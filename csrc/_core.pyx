# cython: language_level=3, boundscheck=False, wraparound=False, initializedcheck=False
# cython: binding=False, embedsignature=True
"""The core, compiled: the same names in the same order as `_core_py.py`, which tells their meaning.

It awaits nothing: awaiting in compiled code costs two to three times what it does in Python. But it
begins to run a coroutine, and is done with it if that does not suspend.
"""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_GET_SIZE
from cpython.list cimport PyList_GET_SIZE
from cpython.long cimport PyLong_AsSsize_t, PyLong_FromLongLong, PyLong_FromVoidPtr
from cpython.mem cimport PyMem_Free, PyMem_Malloc
from cpython.object cimport PyObject, PyTypeObject
from cpython.ref cimport Py_CLEAR, Py_DECREF, Py_INCREF, Py_XDECREF
from cpython.unicode cimport PyUnicode_DecodeLatin1, PyUnicode_DecodeUTF8
from libc.string cimport memchr, memcmp, memset

from scan cimport (
    SCAN_HIGH,
    SCAN_PERCENT,
    SCAN_PLUS,
    scan_add,
    scan_find,
    scan_name,
    scan_next_pair,
    scan_pair,
    scan_table,
    scan_text,
    scan_unquote,
)

cimport cython

from copy import deepcopy as _deepcopy
from functools import cache as _cache
from types import FunctionType as _FunctionType
from types import MemberDescriptorType as _MemberDescriptorType
from urllib.parse import unquote as _unquote

from pydantic_core import ValidationError

from fastapi_async_safe import _fastapi
from fastapi_async_safe._core_py import NOTHING as _NOTHING

cdef extern from "Python.h":
    Py_ssize_t size_of "Py_SIZE"(PyObject *)
    PyObject *PyDict_GetItemWithError(object items, object key) except? NULL
    int PyDict_SetItem(object items, object key, object value) except -1
    ctypedef Py_ssize_t Py_hash_t
    object PyObject_GenericGetDict(object owner, void *)
    object PyObject_Vectorcall(
        object call, PyObject **arguments, size_t count, PyObject *keywords
    )
    size_t PY_VECTORCALL_ARGUMENTS_OFFSET
    ctypedef object (*newfunc)(PyTypeObject *cls, object arguments, PyObject *keywords)
    ctypedef int (*visitproc)(PyObject *value, void *data)
    ctypedef int (*traverseproc)(PyObject *owner, visitproc visit, void *data)
    ctypedef int (*inquiry)(PyObject *owner)
    ctypedef struct _Type "PyTypeObject":
        newfunc tp_new
        traverseproc tp_traverse
        inquiry tp_clear
        unsigned int tp_version_tag
    _Type PyBaseObject_Type
    int PyUnicode_IS_ASCII(object text)
    Py_ssize_t PyUnicode_GET_LENGTH(object text)
    const char *PyUnicode_1BYTE_DATA(object text)
    int PyCoro_CheckExact(object value)
    ctypedef enum PySendResult:
        PYGEN_RETURN
        PYGEN_ERROR
        PYGEN_NEXT
    PySendResult PyIter_Send(
        object iterator, object value, PyObject **result
    ) except PYGEN_ERROR

    ctypedef struct _Tuple "PyTupleObject":
        PyObject *ob_item[1]

    ctypedef struct PyMemberDef:
        int type
        Py_ssize_t offset

    ctypedef struct PyMemberDescrObject:
        PyMemberDef *d_member

cdef extern from *:
    """
    #if PY_VERSION_HEX >= 0x030E0000
      /* Tuples keep their hash. */
      #define set_item_by_hash(items, key, value, hash) PyDict_SetItem(items, key, value)
    #else
      #if PY_VERSION_HEX >= 0x030D0000
        PyAPI_FUNC(int) _PyDict_SetItem_KnownHash(PyObject *, PyObject *, PyObject *, Py_hash_t);
      #endif
      #define set_item_by_hash(items, key, value, hash) \
          _PyDict_SetItem_KnownHash(items, key, value, hash)
    #endif
    """
    int set_item_by_hash(object items, object key, object value, Py_hash_t hash) except -1

cdef extern from "structmember.h":
    int OBJECT_MEMBER "T_OBJECT_EX"


PATH, QUERY, HEADER, COOKIE = range(4)
cdef enum:
    _PATH, _QUERY, _HEADER, _COOKIE

REQUIRED, SHARED, FRESH = range(3)
cdef enum:
    _REQUIRED, _SHARED, _FRESH

TEXT, DIGITS, DECIMAL, SCHEMA, FIELD = range(5)
cdef enum:
    _TEXT, _DIGITS, _DECIMAL, _SCHEMA, _FIELD

ROOT, INLINE, INLINE_CONTEXT, INLINE_LIMITED, INLINE_CONTEXT_LIMITED, COROUTINE, THREAD, CONTEXT = (
    range(8)
)
cdef enum:
    _ROOT, _INLINE, _INLINE_CONTEXT, _INLINE_LIMITED, _INLINE_CONTEXT_LIMITED, _COROUTINE

AWAIT, BODY, CALL, APART = range(4)
cdef enum:
    _AWAIT, _BODY, _CALL, _APART


def _new(kind):
    # PERF: half the time of `object.__new__`, which looks at its arguments first.
    if not isinstance(kind, type):
        raise TypeError(f"a class was expected, not {kind!r}")
    return PyBaseObject_Type.tp_new(<PyTypeObject *>kind, no_arguments, NULL)


# Of an object that has its overrides, and is true, without its class being asked.
_NOT_PLAIN = ("dependency_overrides", "__bool__", "__len__")

NOTHING = _NOTHING
NEW = _new
cdef object nothing = _NOTHING
cdef tuple no_arguments = ()
cdef str made_query = _fastapi.MADE_QUERY
cdef str made_headers = _fastapi.MADE_HEADERS
cdef str made_cookies = _fastapi.MADE_COOKIES
cdef object function = _FunctionType
cdef object member_descriptor = _MemberDescriptorType
cdef bint tells_names = _fastapi.TELLS_NAMES
cdef unsigned int plain_provider_tag = 0  # of a class whose instances hold the overrides


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
    cdef readonly object declared
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
    cdef object init  # of a class
    cdef unsigned int init_tag  # of the class when it had that

    def __init__(
        self, *, str name, call, int kind, bint leaf, bint limited, declared, dependant,
        bint function_scoped, Py_ssize_t slot, bint use_cache, bint reusable, tuple groups,
        list body_fields, tuple connection_names, str background_name, str response_name,
        str scopes_name, tuple scopes,
    ):
        self.name = name
        self.call = call
        self.kind = kind
        self.leaf = leaf
        self.limited = limited
        self.declared = declared
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


cdef class _QueryNames:
    """The names that a plan wants of a query, numbered."""

    cdef readonly tuple names
    cdef readonly dict numbers
    cdef bytes _text  # all names, one after the other
    cdef scan_table _table
    cdef scan_name *_entries
    cdef bint *_many

    def __cinit__(self, dict names not None):
        cdef Py_ssize_t count = len(names), buckets = 2, number, start = 0
        encoded = [name.encode() for name in names]
        self.names = tuple(names)
        self.numbers = {name: number for number, name in enumerate(names)}
        self._text = b"".join(encoded)
        while buckets < 2 * count:
            buckets *= 2
        self._entries = <scan_name *>_allocated(count * sizeof(scan_name))
        self._many = <bint *>_allocated(count * sizeof(bint))
        self._table.buckets = <unsigned int *>_allocated(buckets * sizeof(unsigned int))
        memset(self._table.buckets, 0, buckets * sizeof(unsigned int))
        self._table.names = self._entries
        self._table.mask = buckets - 1
        for number in range(count):
            self._many[number] = bool(names[self.names[number]])
            self._entries[number].start = PyBytes_AS_STRING(self._text) + start
            self._entries[number].length = len(<bytes>encoded[number])
            start += len(<bytes>encoded[number])
            scan_add(&self._table, number)

    def __dealloc__(self):
        PyMem_Free(self._entries)
        PyMem_Free(self._many)
        PyMem_Free(self._table.buckets)

    cdef int scan(self, bytes query, PyObject **found, dict lists) except -1:
        """Put the last value of each name into `found`, at its number."""
        cdef const char *cursor = PyBytes_AS_STRING(query)
        cdef const char *end = cursor + PyBytes_GET_SIZE(query)
        cdef scan_pair pair
        cdef str name, value
        cdef Py_ssize_t number
        cdef PyObject *known
        while True:
            cursor = scan_next_pair(cursor, end, &pair)
            if cursor == NULL:
                return 0
            if pair.name.flags == 0:
                # PERF: no text is made of a name that is what it stands for: a third less.
                number = scan_find(&self._table, pair.name.start, pair.name.length)
                if number < 0:
                    continue
            else:
                known = PyDict_GetItemWithError(self.numbers, _text(pair.name))
                if known == NULL:
                    continue
                number = PyLong_AsSsize_t(<object>known)
            value = _text(pair.value)
            _put(&found[number], value)
            if self._many[number]:
                name = <str>self.names[number]
                if name in lists:
                    (<list>lists[name]).append(value)
                else:
                    lists[name] = [value]


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
    cdef readonly object new_response
    cdef readonly object new_solved
    cdef readonly tuple order
    cdef readonly tuple after
    cdef readonly tuple nodes
    cdef readonly tuple keys
    cdef readonly dict query_names
    cdef readonly dict header_names
    cdef readonly frozenset cookie_names
    cdef readonly bint needs_stacks
    cdef readonly tuple watched
    cdef readonly tuple dependants
    cdef readonly tuple chosen
    cdef readonly bint inline
    cdef readonly bint noted
    cdef tuple fields
    cdef tuple seen
    cdef tuple empty_lists
    cdef tuple filled_lists
    cdef tuple filled_seen
    cdef tuple owners  # the classes that own what is watched
    cdef tuple watched_elsewhere  # what no class owns
    cdef unsigned int *owner_tags
    cdef _QueryNames query
    cdef Py_ssize_t size  # of all the places together
    cdef Py_ssize_t length
    cdef Py_ssize_t block  # where the fields of a dependant are, -1: not in one block
    cdef Py_ssize_t *order_numbers
    cdef Py_ssize_t *after_numbers
    cdef Place *places
    cdef Py_hash_t *hashes  # of the keys; -1: not known, or nothing to rely on

    def __cinit__(
        self, *, tuple order not None, tuple after not None, tuple nodes not None, **others
    ):
        self.length = len(order)
        self.order_numbers = <Py_ssize_t *>_allocated(self.length * sizeof(Py_ssize_t))
        self.after_numbers = <Py_ssize_t *>_allocated(self.length * sizeof(Py_ssize_t))
        self.places = <Place *>_allocated(len(nodes) * sizeof(Place))
        for position in range(self.length):
            self.order_numbers[position] = order[position]
            self.after_numbers[position] = after[position]

    def __dealloc__(self):
        PyMem_Free(self.order_numbers)
        PyMem_Free(self.after_numbers)
        PyMem_Free(self.places)
        PyMem_Free(self.owner_tags)
        PyMem_Free(self.hashes)

    def __init__(
        self, *, connection, bint raw, new_response, new_solved, tuple order, tuple after,
        tuple nodes, tuple keys, dict query_names, dict header_names, frozenset cookie_names,
        bint needs_stacks, tuple watched, tuple dependants, tuple fields, tuple lists,
        tuple chosen, bint inline, bint noted,
    ):
        self.connection = connection
        self.raw = raw
        self.new_response = new_response
        self.new_solved = new_solved
        self.order = order
        self.after = after
        self.nodes = nodes
        self.keys = keys
        self.query_names = query_names
        self.header_names = header_names
        self.cookie_names = cookie_names
        self.needs_stacks = needs_stacks
        self.watched = watched
        self.dependants = dependants
        self.fields, self.block = fields, -1
        if dependants:
            self.fields, self.block = _block_of(type(dependants[0]), fields)
        self.seen = tuple(
            [tuple([getattr(dependant, name) for name in self.fields]) for dependant in dependants]
        )
        if not self._fields_are_as_seen():
            self.block = -1
        self.chosen = chosen
        self.inline = inline
        self.noted = noted
        self.empty_lists = tuple([items for items in lists if not items])
        self.filled_lists = tuple([items for items in lists if items])
        self.filled_seen = tuple([items.copy() for items in self.filled_lists])
        self.owners = tuple(
            dict.fromkeys([entry[0] for entry in watched if isinstance(entry[0], type)])
        )
        self.watched_elsewhere = tuple(
            [entry for entry in watched if not isinstance(entry[0], type)]
        )
        self.owner_tags = <unsigned int *>_allocated(len(self.owners) * sizeof(unsigned int))
        memset(self.owner_tags, 0, len(self.owners) * sizeof(unsigned int))
        self._find_hashes()
        self._find_places()
        self._number_query_names()

    cdef int _find_hashes(self) except -1:
        # PERF: in a key is the call and some text; the hash of a function or class cannot change,
        # and hashing such a tuple takes longer than putting it into a dict.
        cdef Py_ssize_t slot
        self.hashes = <Py_hash_t *>_allocated(len(self.keys) * sizeof(Py_hash_t))
        for slot in range(len(self.keys)):
            key = self.keys[slot]
            self.hashes[slot] = -1
            if type(key) is tuple and len(<tuple>key) and type(key[0]) in (function, type):
                self.hashes[slot] = hash(key)
        return 0

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
        self.query = _QueryNames(self.query_names)
        for node in self.nodes:
            for group in node.groups:
                if group.source == _QUERY:
                    for param in group.params:
                        param.number = self.query.numbers[param.key]
        return 0

    cdef bint _fields_are_as_seen(self) except -1:
        cdef Py_ssize_t index, count = len(self.fields)
        cdef size_t size = count * sizeof(PyObject *)
        cdef tuple seen
        cdef char *start
        for index in range(len(self.dependants)):
            seen = <tuple>self.seen[index]
            if self.block < 0:
                for field in range(count):
                    if getattr(self.dependants[index], <str>self.fields[field]) is not seen[field]:
                        return False
                continue
            start = <char *><PyObject *>self.dependants[index] + self.block
            if memcmp(start, (<_Tuple *><PyObject *>seen).ob_item, size) != 0:
                return False
        return True

    cpdef bint is_current(self) except -1:
        cdef Py_ssize_t index
        cdef PyObject **lists = (<_Tuple *><PyObject *>self.empty_lists).ob_item
        if not self._watched_is_as_seen() or not self._fields_are_as_seen():
            return False
        for index in range(len(self.empty_lists)):
            if size_of(lists[index]):
                return False
        for index in range(len(self.filled_lists)):
            if not _same(<list>self.filled_lists[index], <list>self.filled_seen[index]):
                return False
        return True

    cdef bint _watched_is_as_seen(self) except -1:
        # PERF: a class gets another version tag when it or a base of it changes; while it has the
        # same one there is nothing to look up: a tenth of the time.
        cdef Py_ssize_t index
        cdef tuple entry
        cdef bint same = True
        for entry in self.watched_elsewhere:
            if getattr(entry[0], <str>entry[1]) is not entry[2]:
                return False
        for index in range(len(self.owners)):
            if (<_Type *><PyObject *>self.owners[index]).tp_version_tag != self.owner_tags[index]:
                same = False
            elif self.owner_tags[index] == 0:
                same = False
        if same:
            return True
        for entry in self.watched:
            if getattr(entry[0], <str>entry[1]) is not entry[2]:
                return False
        for index in range(len(self.owners)):
            self.owner_tags[index] = (<_Type *><PyObject *>self.owners[index]).tp_version_tag
        return True

    cpdef bint fits(self, overrides) except -1:
        cdef tuple entry
        if not overrides or self.chosen is None:
            return not overrides and self.chosen is None
        for entry in self.chosen:
            if overrides.get(entry[0], entry[0]) is not entry[1]:
                return False
        return True


@_cache
def _block_of(kind, tuple fields):
    """Put `fields` in the order in which their slots follow each other, and say where they start.

    PERF: the fields of a dependant are compared in place with those that were seen, at once: 20 in
    5 ns instead of 250.
    """
    cdef PyMemberDef *member
    offsets = {}
    for name in fields:
        descriptor = getattr(kind, name, None)
        if type(descriptor) is not member_descriptor:
            return fields, -1
        member = (<PyMemberDescrObject *>descriptor).d_member
        if member.type != OBJECT_MEMBER:
            return fields, -1
        offsets[name] = member.offset
    ordered = tuple(sorted(fields, key=offsets.__getitem__))
    start = offsets[ordered[0]]
    for number, name in enumerate(ordered):
        if offsets[name] != start + number * <Py_ssize_t>sizeof(PyObject *):
            return fields, -1
    return ordered, start


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
    cdef _QueryNames wanted = _QueryNames(names)
    cdef dict lists = {}
    cdef Py_ssize_t number, count = len(names)
    cdef PyObject **found = <PyObject **>_allocated(count * sizeof(PyObject *))
    memset(found, 0, count * sizeof(PyObject *))
    try:
        wanted.scan(query, found, lists)
        scalars = {
            wanted.names[number]: <object>found[number]
            for number in range(count)
            if found[number] != NULL
        }
        return scalars, lists
    finally:
        _release(found, count)


cdef inline void _put(PyObject **place, object value) noexcept:
    cdef PyObject *old = place[0]
    Py_INCREF(value)
    place[0] = <PyObject *>value
    Py_XDECREF(old)


cdef void _let_go(PyObject **values, Py_ssize_t count) noexcept:
    cdef Py_ssize_t number
    for number in range(count):
        Py_CLEAR(values[number])


cdef void _release(PyObject **values, Py_ssize_t count) noexcept:
    _let_go(values, count)
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


cdef object _bytes_of(key):
    return bytes(key) if isinstance(key, (bytearray, memoryview)) else b""


def scan_headers(headers, dict names):
    cdef dict scalars = {}, lists = {}
    cdef PyObject *wanted
    cdef str name, text
    for key, value in headers:
        wanted = PyDict_GetItemWithError(names, key if type(key) is bytes else _bytes_of(key))
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


cdef inline bint _is_space(char byte) noexcept:
    # Of what is space in Python, that in ASCII.
    return byte == 32 or 9 <= byte <= 13 or 28 <= byte <= 31


cdef str _stripped(const char *start, const char *end):
    while start < end and _is_space(start[0]):
        start += 1
    while start < end and _is_space((end - 1)[0]):
        end -= 1
    return PyUnicode_DecodeLatin1(start, end - start, NULL)


def scan_cookies(list headers, frozenset names):
    cdef bytes found = None
    cdef dict cookies = {}
    cdef const char *cursor
    cdef const char *end
    cdef const char *stop
    cdef const char *equals
    cdef str name, text
    for pair in headers:
        if type(pair) not in (tuple, list) or len(pair) != 2:
            return None
        key, value = pair
        if type(key) is not bytes or <bytes>key == b"cookie":
            if type(key) is not bytes or type(value) is not bytes or found is not None:
                return None
            found = <bytes>value
    if found is None:
        return cookies
    cursor = PyBytes_AS_STRING(found)
    end = cursor + PyBytes_GET_SIZE(found)
    if memchr(cursor, c'"', end - cursor) != NULL or not found.isascii():
        return None
    while cursor <= end:
        stop = <const char *>memchr(cursor, c";", end - cursor)
        if stop == NULL:
            stop = end
        equals = <const char *>memchr(cursor, c"=", stop - cursor)
        if equals == NULL:
            name, text = "", _stripped(cursor, stop)
        else:
            name, text = _stripped(cursor, equals), _stripped(equals + 1, stop)
        if name in names and (name or text):
            cookies[name] = text
        cursor = stop + 1
    return cookies


cdef dict _as_dict(mapping, tuple params):
    if type(mapping) is dict:
        return <dict>mapping
    return {param.key: mapping.get(param.key) for param in params}


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
        if param.convert <= _DECIMAL and type(raw) is str:
            if param.convert == _TEXT:
                _put(&values[number], raw)
                continue
            value = _digits(<str>raw) if param.convert == _DIGITS else _decimal(<str>raw)
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


cdef object _decimal(str text):
    # PERF: of at most 15 digits the number and the power of ten are exact, and their quotient is
    # the nearest float, which is what pydantic makes of them, at a third of its time.
    cdef Py_ssize_t position, length = PyUnicode_GET_LENGTH(text)
    cdef const char *data
    cdef double number = 0, power = 1
    cdef bint after_point = False
    if sizeof(void *) < 8 or not PyUnicode_IS_ASCII(text) or length == 0 or length > 15:
        return None
    data = PyUnicode_1BYTE_DATA(text)
    if data[0] == b"." or data[length - 1] == b".":
        return None
    for position in range(length):
        if data[position] == b"." and not after_point:
            after_point = True
        elif data[position] < b"0" or data[position] > b"9":
            return None
        else:
            number = number * 10 + (data[position] - 48)
            if after_point:
                power *= 10
    return number / power


cdef object _init_of(kind):
    # As it stands in the class: a static method, for one, is none of those that take the object.
    kind.__init__  # so that the class has a version tag
    for base in kind.__mro__:
        if "__init__" in base.__dict__:
            return base.__dict__["__init__"]


cdef object _called(Node node, PyObject **arguments):
    """Call a node with keyword arguments; in front of them is a place that may be used."""
    cdef object call = node.call, made
    cdef unsigned int tag
    if type(call) is type and (<_Type *>call).tp_new == PyBaseObject_Type.tp_new:
        # PERF: what `type.__call__` does for a class with an `__init__` in Python, without making
        # a dict of the keywords and taking it apart again: a third less. While the class has the
        # same version tag, it has the same `__init__`.
        tag = (<_Type *>call).tp_version_tag
        if tag == 0 or tag != node.init_tag:
            node.init = _init_of(call)
            node.init_tag = (<_Type *>call).tp_version_tag
        if type(node.init) is function:
            made = PyBaseObject_Type.tp_new(<PyTypeObject *>call, no_arguments, NULL)
            (arguments - 1)[0] = <PyObject *>made
            try:
                given = PyObject_Vectorcall(
                    node.init, arguments - 1, 1, <PyObject *>node.keywords
                )
                if given is not None:
                    raise TypeError(
                        f"__init__() should return None, not '{type(given).__name__:.200}'"
                    )
            finally:
                (arguments - 1)[0] = NULL
            return made
    return PyObject_Vectorcall(
        call, arguments, PY_VECTORCALL_ARGUMENTS_OFFSET, <PyObject *>node.keywords
    )


cdef class _Begun:
    """What goes on with a coroutine that has yielded for the first time, in its place."""

    cdef object coroutine
    cdef object yielded
    cdef bint is_handed_over

    def __await__(self):
        return self

    def __iter__(self):
        return self

    def __next__(self):
        return self.send(None)

    def send(self, value):
        cdef object yielded = self.yielded
        if self.is_handed_over:
            return self.coroutine.send(value)
        self.is_handed_over = True
        self.yielded = None
        return yielded

    def throw(self, *exception):
        self.is_handed_over = True
        self.yielded = None
        return self.coroutine.throw(*exception)

    def close(self):
        self.yielded = None
        self.coroutine.close()

    def __getattr__(self, name):
        # Whoever follows the chain of awaits finds the coroutine here.
        return getattr(self.coroutine, name)


cdef object _begun(given, bint *suspends):
    """Run a coroutine until it suspends.

    PERF: most never do, and are at their end without a coroutine around them that waits: a third
    of the time of four of them.

    Returns:
        What the coroutine gave, or, if it `suspends`, or is none, what is to be awaited.
    """
    cdef PyObject *result
    cdef _Begun begun
    suspends[0] = True
    # One that is being awaited elsewhere is refused by `await`.
    if not PyCoro_CheckExact(given) or given.cr_await is not None:
        return given
    suspends[0] = PyIter_Send(given, None, &result) == PYGEN_NEXT
    value = <object>result
    Py_DECREF(value)
    if not suspends[0]:
        return value
    begun = _Begun.__new__(_Begun)
    begun.coroutine = given
    begun.yielded = value
    return begun


cdef object _overrides_of(provider):
    # PERF: an attribute that only instances have is in their dict: a third of the time of looking
    # for it in all classes first, for every dependency.
    global plain_provider_tag
    cdef PyObject *found
    cdef object kind = type(provider)
    cdef unsigned int tag = (<_Type *>kind).tp_version_tag
    if tag != 0 and tag == plain_provider_tag:
        found = PyDict_GetItemWithError(
            PyObject_GenericGetDict(provider, NULL), "dependency_overrides"
        )
        if found != NULL:
            return <object>found
    if not provider:
        return None
    if (
        kind.__getattribute__ is object.__getattribute__
        and not any([hasattr(kind, name) for name in _NOT_PLAIN])
        and kind.__dictoffset__
    ):
        plain_provider_tag = (<_Type *>kind).tp_version_tag
    return provider.dependency_overrides


@cython.freelist(16)
cdef class Run:
    cdef readonly Plan plan
    cdef readonly object request
    cdef readonly object request_stack
    cdef readonly object function_stack
    cdef readonly int action
    cdef readonly object awaitable
    cdef readonly Node node
    cdef readonly dict values
    cdef PyObject **_values  # of all nodes, each at its place
    cdef Py_ssize_t _value_count  # with those of the query and the slots
    cdef PyObject **_query  # by number
    cdef PyObject **_slots  # what is in the dependency cache
    cdef Py_ssize_t *_marks  # how many errors there were when a node was entered
    cdef object _provider
    cdef bint _body_read
    cdef bint _raw
    cdef bint _scanned  # the query of the scope
    cdef bint _reuses
    cdef Py_ssize_t _position
    cdef dict _others  # values that have no place, by the place of their node
    cdef list _errors
    cdef object _background
    cdef object _response
    cdef dict _cache
    cdef dict _query_lists
    cdef list _header_list
    cdef dict _headers
    cdef dict _header_lists
    cdef list _headers_seen
    cdef dict _cookies

    def __init__(
        self, Plan plan not None, request, stack, provider, background, response, dict cache
    ):
        self._begin(plan, request, stack, provider, background, response, cache)

    cdef int _begin(
        self, Plan plan, request, stack, provider, background, response, dict cache
    ) except -1:
        cdef Py_ssize_t nodes = len(plan.nodes), query = len(plan.query.names)
        cdef Py_ssize_t count = plan.size + query + len(plan.keys)
        # One block: values, what the query has, slots, marks.
        self._values = <PyObject **>_allocated((count + nodes) * sizeof(PyObject *))
        memset(self._values, 0, count * sizeof(PyObject *))
        self._value_count = count
        self._query = self._values + plan.size
        self._slots = self._query + query
        self._marks = <Py_ssize_t *>(self._values + count)
        self.plan = plan
        self.request = request
        if plan.needs_stacks:
            stacks = _fastapi.exit_stacks(request.scope, stack)
            self.request_stack, self.function_stack = stacks
        self._errors = []
        self._provider = provider
        self._background = background
        self._response = response
        self._cache = cache
        self._reuses = cache is None
        self._raw = plan.raw and type(request) is plan.connection
        if self._raw:
            self._read(plan, request)
        return 0

    def __dealloc__(self):
        if self._values != NULL:
            _release(self._values, self._value_count)

    def advance(self, value):
        return self._advance(value)

    cdef object _advance(self, value):
        cdef bint went_well = False
        try:
            solved = self._go_on(value)
            went_well = True
            return solved
        finally:
            if not went_well:
                self._forget()

    cdef object _go_on(self, value):
        cdef Plan plan = self.plan
        cdef Py_ssize_t position = self._position, index
        cdef Node node
        cdef Place *place
        cdef list errors = self._errors
        cdef PyObject *cached
        cdef bint watches = self._provider is not None, suspends
        self.awaitable = None
        if value is not nothing:
            self._keep(self.node, plan.order_numbers[position], value)
            position += 1
        while position < plan.length:
            index = plan.order_numbers[position]
            if index < 0:
                node = <Node>plan.nodes[~index]
                if watches and position > 1 and self._is_overridden_anew(node):
                    return self._ask(_APART, node, position)
                if node.reusable and self._reuses:
                    cached = self._slots[node.slot]
                    if cached != NULL:
                        self._pass_on(~index, <object>cached)
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
                    if watches and position > 1 and self._is_overridden_anew(node):
                        return self._ask(_APART, node, position)
                    if node.reusable and self._reuses:
                        cached = self._slots[node.slot]
                        if cached != NULL:
                            self._pass_on(index, <object>cached)
                            position += 1
                            continue
                    self._marks[index] = PyList_GET_SIZE(errors)
                if node.groups or not self._raw:
                    self._extract(node, place)
                if node.body_fields:
                    return self._ask(_BODY, node, position)
            if node.special:
                self._add_special(node, place)
            if node.kind == _ROOT:
                self.values = self._dict_of(node, place)
            elif PyList_GET_SIZE(errors) == self._marks[index]:
                cached = self._cached_value(node) if node.use_cache else NULL
                if cached != NULL:
                    self._pass_on(index, <object>cached)
                elif node.kind == _INLINE:
                    self._keep(node, index, self._call(node, place))
                elif node.kind == _INLINE_CONTEXT:
                    stack = self.function_stack if node.function_scoped else self.request_stack
                    self._keep(node, index, stack.enter_context(self._call(node, place)))
                elif node.kind == _COROUTINE and not node.limited:
                    given = _begun(self._call(node, place), &suspends)
                    if suspends:
                        self.awaitable = given
                        self._clear(place)
                        return self._ask(_AWAIT, node, position)
                    self._keep(node, index, given)
                else:
                    self.values = self._dict_of(node, place)
                    self._clear(place)
                    return self._ask(_CALL, node, position)
            self._clear(place)
            position += 1
        return self._result()

    def receive_body(self, values, errors):
        cdef Py_ssize_t index = self.plan.order_numbers[self._position]
        self._put_named(self.node, &self.plan.places[index], values)
        self._errors.extend(errors)
        self._body_read = True

    def share(self):
        if self._response is None:
            self._response = self.plan.new_response()
        if self._cache is None:
            self._cache = self._cached()
            self._reuses = False
        return self._background, self._response, self._cache

    def receive_solved(self, solved):
        cdef Plan plan = self.plan
        cdef Py_ssize_t index = plan.order_numbers[self._position]
        self._background = solved.background_tasks
        self._errors.extend(solved.errors)
        if not solved.errors and self.node.name is not None:
            self._pass_on(~index if index < 0 else index, solved.values[self.node.name])
        self._cache.update(solved.dependency_cache)
        self._position = plan.after_numbers[self._position] if index < 0 else self._position + 1

    def forget(self):
        self._forget()

    cdef int _forget(self) except -1:
        # What an exception keeps of this resolution must not keep its values.
        self.awaitable = None
        _let_go(self._values, self._value_count)
        return 0

    cdef object _ask(self, int action, Node node, Py_ssize_t position):
        self.action = action
        self.node = node
        self._position = position
        return None

    cdef bint _is_overridden_anew(self, Node node) except -1:
        cdef object overrides = _overrides_of(self._provider), call
        if self.plan.chosen is None:
            if type(overrides) is dict:
                return len(<dict>overrides) > 0
            return bool(overrides)
        if not overrides or node.reusable:
            return not self.plan.fits(overrides)
        call = node.declared.call
        return overrides.get(call, call) is not node.dependant.call

    cdef int _read(self, Plan plan, request) except -1:
        cdef object scope = request.scope, query, headers
        if plan.query_names and not self._has_made(made_query):
            query = scope["query_string"]
            if type(query) is bytes:
                self._scanned = True
                self._query_lists = {}
                plan.query.scan(<bytes>query, self._query, self._query_lists)
            else:
                request.query_params
        if plan.header_names and not self._has_made(made_headers):
            headers = scope["headers"]
            if type(headers) is list:
                self._header_list = headers
            else:
                request.headers
        if len(plan.cookie_names) and not self._has_made(made_cookies):
            headers = scope["headers"]
            if type(headers) is list and not self._has_made(made_headers):
                self._cookies = scan_cookies(headers, plan.cookie_names)
            if self._cookies is None:
                request.cookies
        return 0

    cdef inline bint _has_made(self, str name) except -1:
        return name in <dict>PyObject_GenericGetDict(self.request, NULL)

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
                path_params = _as_dict(request.path_params, group.params)
                _extract(group.params, path_params, None, NULL, values, errors)
            elif group.source == _HEADER:
                self._read_headers()
                _extract(group.params, self._headers, self._header_lists, NULL, values, errors)
            else:
                _extract(group.params, self._read_cookies(group.params), None, NULL, values, errors)
            values += PyList_GET_SIZE(group.fields)
        return 0

    cdef int _read_query(self) except -1:
        cdef Py_ssize_t number
        if self._scanned and not self._has_made(made_query):
            return 0
        self._scanned = False
        params = self.request.query_params
        self._query_lists = {}
        for name, number in self.plan.query.numbers.items():
            Py_CLEAR(self._query[number])
            if name in params:
                _put(&self._query[number], params[name])
                if self.plan.query_names[name]:
                    self._query_lists[name] = params.getlist(name)
        return 0

    cdef int _read_headers(self) except -1:
        if self._header_list is None or self._has_made(made_headers):
            headers = self.request.headers.raw
        elif self._headers is None or not _same(self._headers_seen, self._header_list):
            headers = self._headers_seen = self._header_list.copy()
        else:
            return 0
        self._headers, self._header_lists = scan_headers(headers, self.plan.header_names)
        return 0

    cdef dict _read_cookies(self, tuple params):
        if self._cookies is not None and not self._has_made(made_cookies):
            return self._cookies
        return _as_dict(self.request.cookies, params)

    cdef int _add_special(self, Node node, Place *place) except -1:
        cdef PyObject **values = self._values + place.start + 1 + place.count
        # From the last keyword to the first.
        if node.scopes_name is not None:
            values -= 1
            _put(values, _fastapi.new_security_scopes(list(node.scopes)))
        if node.response_name is not None:
            if self._response is None:
                self._response = self.plan.new_response()
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

    cdef int _put_named(self, Node node, Place *place, values) except -1:
        cdef Py_ssize_t number
        for name, value in values.items():
            for number in range(place.own - place.start - 1, place.count):
                if node.keywords[number] == name:
                    _put(self._values + place.start + 1 + number, value)
                    break
            else:  # a tool in the place of FastAPI's function may give what nobody asked for
                if self._others is None:
                    self._others = {}
                self._others.setdefault(place.start, {})[name] = value
        return 0

    cdef object _call(self, Node node, Place *place):
        cdef Py_ssize_t number
        cdef bint as_dict = place.repeats or self._others is not None
        for number in range(place.start + 1, place.start + 1 + place.count):
            if self._values[number] == NULL:  # or leave out what was asked for
                as_dict = True
        if as_dict:
            return node.call(**self._dict_of(node, place))
        return _called(node, self._values + place.start + 1)

    cdef dict _dict_of(self, Node node, Place *place):
        cdef dict values = {}
        cdef Py_ssize_t number
        cdef PyObject **start = self._values + place.start + 1
        for number in range(place.count):
            if start[number] != NULL:
                PyDict_SetItem(values, node.keywords[number], <object>start[number])
        if self._others is not None:
            values.update(self._others.pop(place.start, {}))
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
        if self._cache is not None:
            self._cache.setdefault(self.plan.keys[node.slot], value)
        elif self._slots[node.slot] == NULL:
            _put(&self._slots[node.slot], value)
        return 0

    cdef PyObject *_cached_value(self, Node node) except? NULL:
        if self._cache is None:
            return self._slots[node.slot]
        return PyDict_GetItemWithError(self._cache, self.plan.keys[node.slot])

    cdef object _result(self):
        cdef dict cache = self._cached() if self._cache is None else self._cache
        return self.plan.new_solved(
            self.values, self._errors, self._background, self._response, cache
        )

    cdef dict _cached(self):
        cdef dict cache = {}
        cdef Plan plan = self.plan
        cdef Py_ssize_t slot
        for slot in range(len(plan.keys)):
            if self._slots[slot] == NULL:
                continue
            if plan.hashes[slot] == -1:
                PyDict_SetItem(cache, plan.keys[slot], <object>self._slots[slot])
            else:
                set_item_by_hash(
                    cache, plan.keys[slot], <object>self._slots[slot], plan.hashes[slot]
                )
        return cache


# What the garbage collector is told of a `Run`: beside its attributes, of which Cython knows, also
# its values, through which a request that nobody waits for any more may hold itself.
cdef traverseproc traverse_attributes = (<_Type *>Run).tp_traverse
cdef inquiry clear_attributes = (<_Type *>Run).tp_clear


cdef int _traverse_run(PyObject *run, visitproc visit, void *data) noexcept:
    cdef PyObject **values = (<Run>run)._values
    cdef Py_ssize_t number
    cdef int end = traverse_attributes(run, visit, data)
    for number in range((<Run>run)._value_count):
        if end == 0 and values[number] != NULL:
            end = visit(values[number], data)
    return end


cdef int _clear_run(PyObject *run) noexcept:
    _let_go((<Run>run)._values, (<Run>run)._value_count)
    return clear_attributes(run)


(<_Type *>Run).tp_traverse = _traverse_run
(<_Type *>Run).tp_clear = _clear_run


cdef class Entry:
    cdef readonly object dependant
    cdef readonly object connection
    cdef readonly object owner
    cdef readonly object route
    cdef public Plan plan

    def __init__(self, *, dependant, connection, owner, route):
        self.dependant = dependant
        self.connection = connection
        self.owner = owner
        self.route = route


cdef class Solver:
    cdef object _adopt
    cdef object _drive
    cdef object _serve
    cdef set _marked
    cdef readonly dict entries

    def __init__(self, *, adopt, drive, serve, set marked not None):
        self._adopt = adopt
        self._drive = drive
        self._serve = serve
        self._marked = marked
        self.entries = {}

    def solve(
        self, request, dependant, body, background_tasks, response, overrides_provider,
        dependency_cache, async_exit_stack, embed_body_fields,
    ):
        cdef Entry entry = None
        cdef Plan plan
        cdef Run run
        cdef bint is_overridden = False
        cdef PyObject *found = PyDict_GetItemWithError(
            self.entries, PyLong_FromVoidPtr(<void *>dependant)
        )
        if found != NULL:
            entry = <Entry?>found
        if entry is None or entry.dependant is not dependant:
            entry = <Entry?>self._adopt(dependant, request)
        if not isinstance(request, entry.connection):
            return None
        if dependency_cache is not None and type(dependency_cache) is not dict:
            return None
        plan = entry.plan
        if overrides_provider is not None:
            try:
                overrides = _overrides_of(overrides_provider)
                is_overridden = bool(overrides)
                if is_overridden:
                    plan = <Plan?>entry.route.plan_for(request, overrides)
            except Exception:
                return None
        if not is_overridden and (plan is None or not plan.is_current()):
            plan = entry.plan = entry.route.make_plan(request)
        if plan is None:
            return None
        if tells_names:
            _fastapi.note_names(request, dependant, overrides_provider)
        run = Run.__new__(Run)
        run._begin(
            plan, request, async_exit_stack, overrides_provider, background_tasks, response,
            dependency_cache,
        )
        solved = run._advance(nothing)
        if solved is None:
            return self._drive(
                self, entry, run, body, overrides_provider, async_exit_stack, embed_body_fields
            )
        if self._marked:
            self._note(entry, run)
        return solved

    def note(self, Entry entry not None, Run run not None):
        self._note(entry, run)

    cdef int _note(self, Entry entry, Run run) except -1:
        if entry.owner is None:
            return 0
        if run.plan.noted and not run._errors:
            dependant = entry.dependant if run.plan.inline else None
            self._serve(entry.route, run.request, dependant, entry.owner)
        else:
            self._serve(None, run.request, None, None)
        return 0
