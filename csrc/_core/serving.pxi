# Which route serves the request at hand, for what runs after its dependencies.

cdef str response_field = _fastapi.RESPONSE_FIELD


@cython.freelist(16)
cdef class CurrentRequest:
    cdef readonly object request
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
    cdef PyObject *request
    PyWeakref_GetRef(current.request, &request)
    if request == NULL:
        return False
    Py_DECREF(<object>request)
    return True


def set_route(route, request, dependant, owner, /):
    cdef CurrentRequest current = _current()
    if current is None or not _is_there(current):
        current = _begin(request)
    current.route = route
    current.dependant = dependant
    current.owner = owner
    current.is_resolved = True


def clear():
    cdef CurrentRequest current = _current()
    if current is not None:
        current.route = current.dependant = current.owner = None
        current.is_resolved = True


def isolate_nested(app, request, /):
    cdef CurrentRequest before = _current()
    if before is not None:
        around = before.request()
        if around is not None:
            if around.scope is request.scope and not before.is_resolved:
                return app
            return _isolated(app, request, before, begin, current_request)
    _begin(request)
    return app


cdef CurrentRequest _begin(request):
    cdef CurrentRequest current = CurrentRequest.__new__(CurrentRequest)
    current.request = PyWeakref_NewRef(request, None)
    PyContextVar_Set(current_request, current)
    return current


def begin(request, /):
    return _begin(request)


def current_route():
    cdef CurrentRequest current = _current()
    return None if current is None or not _is_there(current) else current.route


def is_called_inline(dependant, /):
    cdef CurrentRequest current = _current()
    return current is not None and current.dependant is dependant and _is_there(current)


def is_validated_inline(field, /):
    cdef CurrentRequest current = _current()
    if current is None or current.dependant is None or not _is_there(current):
        return False
    return getattr(current.owner(), response_field, None) is field


def is_streamed_inline():
    cdef CurrentRequest current = _current()
    if current is None or current.route is None or not _is_there(current):
        return False
    return current.dependant is not None or current.route.streams_inline()
