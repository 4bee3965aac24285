# The way in: finds the plan for a request and runs it.

cdef bint passes_names = _fastapi.PASSES_NAMES
cdef str dependencies_field = _fastapi.DEPENDENCIES


cdef class Entry:
    cdef readonly object dependant
    cdef readonly object connection_class
    cdef readonly object owner
    cdef readonly object route
    cdef public Plan plan

    def __cinit__(self, *, dependant, connection_class, owner, route):
        self.dependant = dependant
        self.connection_class = connection_class
        self.owner = owner
        self.route = route


cdef class Solver:
    cdef object _adopt
    cdef object _drive
    cdef object _set_route
    cdef object _marked_endpoints
    cdef readonly dict entries

    def __cinit__(self, host, /):
        self._adopt = host.adopt
        self._drive = host.drive
        self._set_route = host.set_route
        self._marked_endpoints = host.marked_endpoints
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
        if not isinstance(request, entry.connection_class):
            return None
        if dependency_cache is not None and type(dependency_cache) is not dict:
            return None
        plan = entry.plan
        if overrides_provider is not None and PyObject_GetAttr(dependant, dependencies_field):
            overrides = overrides_of(overrides_provider)
            if overrides is nothing:
                entry.route.leave_overrides(request, overrides_provider)
                return None
            try:
                is_overridden = bool(overrides)
                if is_overridden:
                    plan = <Plan?>entry.route.plan_for(request, overrides)
            except Exception:
                return None
        if not is_overridden and (plan is None or not plan.is_current()):
            plan = entry.plan = entry.route.make_plan(request)
        if plan is None:
            return None
        if passes_names:
            _fastapi.keep_names(request, dependant, overrides_provider)
        run = Run.__new__(Run)
        run._begin(
            plan, request, async_exit_stack, overrides_provider, background_tasks, response,
            dependency_cache,
        )
        solved = run._advance(nothing, False)
        if solved is None or plan.joins_endpoint:
            return self._drive(
                self, entry, run, solved, body, overrides_provider, async_exit_stack,
                embed_body_fields,
            )
        self._record(entry, run)
        return solved

    def record(self, Entry entry not None, Run run not None, /):
        self._record(entry, run)

    cdef int _record(self, Entry entry, Run run) except -1:
        if not self._marked_endpoints.enabled or entry.owner is None:
            return 0
        if run.plan.records_request and not run.errors:
            dependant = entry.dependant if run.plan.inline else None
            self._set_route(entry.route, run.request, dependant, entry.owner)
        else:
            self._set_route(None, run.request, None, None)
        return 0
