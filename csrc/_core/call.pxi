# Calling nodes, asking their guards, and running coroutines until they suspend.

cdef object _init_of(kind):
    # As it stands in the class: a static method, for one, is none of those that take the object.
    for base in kind.__mro__:
        if "__init__" in base.__dict__:
            return base.__dict__["__init__"]


cdef object _called(Node node, PyObject **arguments):
    """Call a node with keyword arguments; in front of them is a place that may be used."""
    cdef object call = node.call, made
    cdef unsigned int tag
    if type(call) is type and (<_Type *>call).tp_new == PyBaseObject_Type.tp_new:
        # PERF: what `type.__call__` does for a class with an `__init__` in Python, without making
        # a dict of the keywords and taking it apart again: 368 -> 360 thousand instructions (W2).
        # While the class has the same version tag, it has the same `__init__`.
        tag = (<_Type *>call).tp_version_tag
        if tag == 0 or tag != node.init_tag:
            # So that the class has a version tag; as an attribute it may run code.
            _PyType_Lookup(<PyTypeObject *>call, "__init__")
            # NOTE: first, as letting go of another `__init__` may run code, and change the class.
            tag = (<_Type *>call).tp_version_tag
            node.init_tag = 0
            node.init = _init_of(call)
            node.init_tag = tag
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


cdef bint _is_exactly(value, cls, Py_ssize_t longest) except -1:
    """Say whether `value` is of that class, an integer of 64 bits, a text of such a length."""
    cdef int is_too_large
    if type(value) is not cls:
        return False
    if cls is int:
        PyLong_AsLongLongAndOverflow(value, &is_too_large)
        return not is_too_large
    if cls is str:
        return PyUnicode_GET_LENGTH(value) <= longest
    return cls is not bytes or len(<bytes>value) <= longest


cdef bint _guarded(_Asking asking, PyObject **arguments) except -1:
    """Ask a guard whether these keyword arguments are as expected.

    PERF: where it asks no more than rows say, they are gone through here: 2,400 -> 600
    instructions for two (W10).
    """
    cdef Asked *asked = asking.asked
    cdef Asked *end = asked + asking.count
    if asking.rows is None:
        return PyObject_Vectorcall(
            asking.guard, arguments, PY_VECTORCALL_ARGUMENTS_OFFSET, <PyObject *>asking.keywords
        )
    while asked != end:
        value = <object>arguments[asked.number]
        if asked.attribute != NULL:
            try:
                value = getattr(value, <str>asked.attribute, nothing)
            except (IndexError, MemoryError, RuntimeError, TypeError):
                return False  # as the guard does
        if not _is_exactly(value, <object>asked.cls, asked.longest):
            return False
        asked += 1
    return True


# How many coroutines are run from here at this time, within each other, and how many may be: each
# takes some of the C stack, of which a thread may have little. Where Python awaits them, none does.
cdef int _within = 0
cdef enum: MOST_WITHIN = 50


cdef class _StartedCoroutine:
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

    def send(self, value, /):
        global _within
        cdef object yielded = self.yielded
        if self.is_handed_over:
            _within += 1
            try:
                return self.coroutine.send(value)
            finally:
                _within -= 1
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


cdef object _started(given, bint *suspends):
    """Run a coroutine until it suspends.

    PERF: most never do, and are at their end without a coroutine around them that waits: 378 -> 368
    thousand instructions (W8).

    Returns:
        What the coroutine gave, or, if it `suspends`, or is none, what is to be awaited.
    """
    global _within
    cdef PyObject *result
    cdef _StartedCoroutine started
    suspends[0] = True
    # One that is being awaited elsewhere is refused by `await`.
    if (
        _within >= MOST_WITHIN
        or not PyCoro_CheckExact(given)
        or given.cr_await is not None
    ):
        return given
    _within += 1
    try:
        suspends[0] = PyIter_Send(given, None, &result) == PYGEN_NEXT
    finally:
        _within -= 1
    value = <object>result
    Py_DECREF(value)
    if not suspends[0]:
        return value
    started = _StartedCoroutine.__new__(_StartedCoroutine)
    started.coroutine = given
    started.yielded = value
    return started
