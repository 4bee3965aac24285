# Which route serves the request at hand, for what runs after its dependencies.

cdef str response_field = _fastapi.RESPONSE_FIELD


@cython.freelist(16)
cdef class Served:
    cdef readonly object connection
    cdef readonly object route
    cdef readonly object dependant
    cdef readonly object owner
    cdef readonly bint is_settled


cdef object noted = PyContextVar_New_with_default("fastapi_async_safe_served", None)


cdef inline Served _last_noted():
    value = get_value_no_default(noted)
    return None if value is None else <Served?>value


cdef inline bint _is_there(Served served) except -1:
    cdef PyObject *connection
    PyWeakref_GetRef(served.connection, &connection)
    if connection == NULL:
        return False
    Py_DECREF(<object>connection)
    return True


def serve_by(route, connection, dependant, owner):
    cdef Served served = _last_noted()
    if served is None or not _is_there(served):
        served = _begin(connection)
    served.route = route
    served.dependant = dependant
    served.owner = owner
    served.is_settled = True


def abandon():
    cdef Served served = _last_noted()
    if served is not None:
        served.route = served.dependant = served.owner = None
        served.is_settled = True


def contained(app, connection):
    cdef Served before = _last_noted()
    if before is not None:
        around = before.connection()
        if around is not None:
            if around.scope is connection.scope and not before.is_settled:
                return app
            return _wrapped(app, connection, before, begin, noted)
    _begin(connection)
    return app


cdef Served _begin(connection):
    cdef Served served = Served.__new__(Served)
    served.connection = PyWeakref_NewRef(connection, None)
    PyContextVar_Set(noted, served)
    return served


def begin(connection):
    return _begin(connection)


def current_route():
    cdef Served served = _last_noted()
    return None if served is None or not _is_there(served) else served.route


def is_called_inline(dependant):
    cdef Served served = _last_noted()
    return served is not None and served.dependant is dependant and _is_there(served)


def is_validated_inline(field):
    cdef Served served = _last_noted()
    if served is None or served.dependant is None or not _is_there(served):
        return False
    return getattr(served.owner(), response_field, None) is field


def is_streamed_inline():
    cdef Served served = _last_noted()
    if served is None or served.route is None or not _is_there(served):
        return False
    return served.dependant is not None or served.route.streams_inline()
