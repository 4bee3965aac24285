# Nodes: what a plan consists of, and the words for what is done with it.

SOURCES = PATH, QUERY, HEADER, COOKIE = range(4)
cdef enum:
    _PATH, _QUERY, _HEADER, _COOKIE

ERROR, CONSTANT, FACTORY = range(3)
cdef enum:
    _ERROR, _CONSTANT, _FACTORY

TEXT, INT, FLOAT, PYDANTIC, FASTAPI = range(5)
cdef enum:
    _TEXT, _INT, _FLOAT, _PYDANTIC, _FASTAPI

ROOT, INLINE, INLINE_CONTEXT, COROUTINE = range(4)
INLINE_LIMITED, INLINE_CONTEXT_LIMITED, THREAD, CONTEXT = range(4, 8)
cdef enum:
    _ROOT, _INLINE, _INLINE_CONTEXT, _COROUTINE

AWAIT, BODY, CALL, SEPARATELY, LOOP = range(5)
cdef enum:
    _AWAIT, _BODY, _CALL, _SEPARATELY, _LOOP


cdef inline object _made(kind):
    return PyBaseObject_Type.tp_new(<PyTypeObject *>kind, no_arguments, NULL)


def _new(kind, /):
    # PERF: instead of `object.__new__`, which looks at its arguments first: 170 -> 90 ns.
    if not isinstance(kind, type):
        raise TypeError(f"a class was expected, not {kind!r}")
    return _made(kind)


NOTHING = object()
NEW = _new
cdef object nothing = NOTHING
cdef tuple no_arguments = ()
cdef object function = _FunctionType
cdef object member_descriptor = _MemberDescriptorType


cdef PyObject **_slot_of(owner, str name) except? NULL:
    """Give the place in `owner` where a slot of its class has its value, NULL if it has none."""
    cdef PyMemberDef *member
    descriptor = getattr(type(owner), name, None)
    if type(descriptor) is not member_descriptor:
        return NULL
    member = (<PyMemberDescrObject *>descriptor).d_member
    if member.type != OBJECT_MEMBER:
        return NULL
    return <PyObject **>(<char *><PyObject *>owner + member.offset)


cdef class Param:
    cdef readonly str name
    cdef readonly str key
    cdef readonly tuple loc
    cdef readonly bint many
    cdef readonly int if_missing
    cdef readonly object default
    cdef readonly dict missing
    cdef readonly int convert
    cdef readonly object validate
    cdef readonly object field
    cdef readonly object info
    cdef readonly object default_seen
    cdef readonly object factory_seen
    cdef PyObject **default_place  # where `info` has them, NULL: not in a slot
    cdef PyObject **factory_place
    cdef bytes raw_key  # as it stands in the headers of a scope, None if it cannot

    def __cinit__(
        self, *, str name, str key not None, tuple loc, bint many, int if_missing, default,
        dict missing, int convert, validate, field, info,
    ):
        self.name = name
        self.key = key
        self.raw_key = key.encode() if key.isascii() else None
        self.loc = loc
        self.many = many
        self.if_missing = if_missing
        self.default = default
        self.missing = missing
        self.convert = convert
        self.validate = validate
        self.field = field
        self.info = info
        self.default_seen, self.factory_seen = info.default, info.default_factory
        self.default_place = _slot_of(info, "default")
        self.factory_place = _slot_of(info, "default_factory")

    cdef inline bint default_is_as_seen(self) except -1:
        if self.default_place == NULL or self.factory_place == NULL:
            return (
                self.info.default is self.default_seen
                and self.info.default_factory is self.factory_seen
            )
        return (
            self.default_place[0] == <PyObject *>self.default_seen
            and self.factory_place[0] == <PyObject *>self.factory_seen
        )


cdef class Group:
    cdef readonly int source
    cdef readonly list fields
    cdef readonly tuple params

    def __cinit__(self, *, int source, list fields not None, tuple params not None):
        for param in params:
            if type(param) is not Param:
                raise TypeError(f"a Param was expected, not {param!r}")
        if params and len(params) != len(fields):
            raise ValueError("a Group has a Param for each of its fields, or none")
        self.source = source
        self.fields = fields
        self.params = params


cdef struct Asked:
    # The class of a value, or of an attribute of it, and how long it is at most.
    Py_ssize_t number  # of its keyword
    PyObject *attribute  # NULL: the value itself
    PyObject *cls
    Py_ssize_t longest


cdef class _Asking:
    """What a guard asks of the arguments of a call, without calling it where its rows say all."""

    cdef object guard
    cdef tuple keywords
    cdef tuple rows  # None: the guard has to be called
    cdef Asked *asked
    cdef Py_ssize_t count

    def __cinit__(self, guard, tuple keywords not None):
        cdef str attribute
        cdef Py_ssize_t longest
        cdef Asked *asked
        self.guard, self.keywords = guard, keywords
        self.rows = getattr(guard, "rows", None)
        if self.rows is None:
            return
        self.count = len(self.rows)
        self.asked = asked = <Asked *>_allocated(self.count * sizeof(Asked))
        for keyword, attribute, cls, longest in self.rows:
            if keyword not in keywords:
                self.rows = None
                return
            asked.number = keywords.index(keyword)
            asked.attribute = NULL if attribute is None else <PyObject *>attribute
            asked.cls = <PyObject *>cls
            asked.longest = longest
            asked += 1

    def __dealloc__(self):
        PyMem_Free(self.asked)


cdef class Node:
    cdef readonly str name
    cdef readonly object call
    cdef readonly int kind
    cdef readonly bint leaf
    cdef readonly bint limited
    cdef readonly object declared
    cdef readonly object used
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
    cdef readonly bint threaded
    cdef readonly bint joins
    cdef readonly object watch
    cdef readonly object guard
    cdef readonly object short_guard
    cdef long long limit  # of the watch, in nanoseconds
    cdef tuple keywords
    cdef _Asking asking  # what the guard asks, None without one
    cdef _Asking asking_less  # what the short one asks
    cdef object init  # of a class
    cdef unsigned int init_tag  # of the class when it had that

    def __cinit__(
        self, *, str name, call, int kind, bint leaf, bint limited, declared, used,
        bint function_scoped, Py_ssize_t slot, bint use_cache, bint reusable, tuple groups not None,
        list body_fields not None, tuple connection_names not None, str background_name,
        str response_name, str scopes_name, tuple scopes, bint threaded, bint joins, watch, guard,
        short_guard,
    ):
        for group in groups:
            if type(group) is not Group:
                raise TypeError(f"a Group was expected, not {group!r}")
        self.name = name
        self.call = call
        self.kind = kind
        self.leaf = leaf
        self.limited = limited
        self.declared = declared
        self.used = used
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
        self.threaded = threaded
        self.joins = joins
        self.watch = watch
        self.guard = guard
        self.short_guard = short_guard
        if watch is not None:
            self.limit = <long long>(<double>watch.limit * 1e9)
        self.special = bool(connection_names or background_name or response_name or scopes_name)

    cdef int take_keywords(self, tuple keywords) except -1:
        self.keywords = keywords
        self.asking = self.asking_less = None
        if self.guard is not None:
            self.asking = _Asking(self.guard, keywords)
        if self.short_guard is not None:
            self.asking_less = _Asking(self.short_guard, keywords)
        return 0

    cdef list own_keywords(self):
        """List the keywords that the node gets a value for, after those of its dependencies."""
        cdef Group group
        names = []
        for group in self.groups:
            names += _fastapi.names_of(group.fields)
        names += _fastapi.names_of(self.body_fields)
        names += self.connection_names
        names += [
            name for name in (self.background_name, self.response_name, self.scopes_name) if name
        ]
        return names
