# Which route serves the request at hand, for what runs after its dependencies.

cdef str response_field = _fastapi.RESPONSE_FIELD


@cython.freelist(16)
cdef class CurrentRequest:
    cdef readonly object connection
    cdef readonly object route
    cdef readonly object dependant
    cdef readonly object owner
    cdef readonly bint is_resolved


cdef object current_request = PyContextVar_New_with_default(
    "fastapi_async_safe_current_request", None
)


cdef inline CurrentRequest _current():
    value = get_value_no_default(current_request)
    return None if value is None else <CurrentRequest?>value


cdef inline bint _is_there(CurrentRequest current) except -1:
    cdef PyObject *connection
    PyWeakref_GetRef(current.connection, &connection)
    if connection == NULL:
        return False
    Py_DECREF(<object>connection)
    return True


def set_route(route, connection, dependant, owner):
    cdef CurrentRequest current = _current()
    if current is None or not _is_there(current):
        current = _begin(connection)
    current.route = route
    current.dependant = dependant
    current.owner = owner
    current.is_resolved = True


def clear():
    cdef CurrentRequest current = _current()
    if current is not None:
        current.route = current.dependant = current.owner = None
        current.is_resolved = True


def isolate_nested(app, connection):
    cdef CurrentRequest before = _current()
    if before is not None:
        around = before.connection()
        if around is not None:
            if around.scope is connection.scope and not before.is_resolved:
                return app
            return _isolated(app, connection, before, begin, current_request)
    _begin(connection)
    return app


cdef CurrentRequest _begin(connection):
    cdef CurrentRequest current = CurrentRequest.__new__(CurrentRequest)
    current.connection = PyWeakref_NewRef(connection, None)
    PyContextVar_Set(current_request, current)
    return current


def begin(connection):
    return _begin(connection)


def current_route():
    cdef CurrentRequest current = _current()
    return None if current is None or not _is_there(current) else current.route


def is_called_inline(dependant):
    cdef CurrentRequest current = _current()
    return current is not None and current.dependant is dependant and _is_there(current)


def is_validated_inline(field):
    cdef CurrentRequest current = _current()
    if current is None or current.dependant is None or not _is_there(current):
        return False
    return getattr(current.owner(), response_field, None) is field


def is_streamed_inline():
    cdef CurrentRequest current = _current()
    if current is None or current.route is None or not _is_there(current):
        return False
    return current.dependant is not None or current.route.streams_inline()
