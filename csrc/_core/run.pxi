# One request on its way through a plan, until something has to be awaited.

cdef str call_field = _fastapi.CALL

cdef enum:
    _NO_VALUE, _VALUE, _BODY_FIRST, _SOLVED_FIRST, _NO_MORE

cdef int[5] wanted_by
wanted_by[:] = [_VALUE, _BODY_FIRST, _VALUE, _SOLVED_FIRST, _NO_VALUE]


cdef object _out_of_turn():
    return RuntimeError("a resolution is gone on with in another way than it asked for")


@cython.freelist(16)
@cython.final
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
    cdef Py_ssize_t _value_count  # with those of the slots
    cdef PyObject **_slots  # what is in the dependency cache
    cdef Py_ssize_t _slot_count
    cdef Place *_places  # of the plan
    cdef Py_ssize_t _place_count
    cdef Py_ssize_t *_marks  # how many errors there were when a node was entered
    cdef object _provider
    cdef int _wants
    cdef bint _is_running
    cdef bint _is_calling  # what runs inline
    cdef bint _body_read
    cdef bint _raw
    cdef bint _as_planned
    cdef bint _asks
    cdef bint _asks_always
    cdef bint _reuses
    cdef Py_ssize_t _position
    cdef dict _others  # values that have no place, by the place of their node
    cdef readonly list errors
    cdef object _background
    cdef object _response
    cdef dict _cache

    def __init__(
        self, Plan plan not None, request, stack, provider, background, response, dict cache
    ):
        if self.plan is not None:
            raise _out_of_turn()
        self._begin(plan, request, stack, provider, background, response, cache)

    cdef int _begin(
        self, Plan plan, request, stack, provider, background, response, dict cache
    ) except -1:
        cdef Py_ssize_t nodes = len(plan.nodes), count = plan.size + len(plan.keys)
        # One block of memory. Each node has its values at its place of the plan, those of its
        # dependencies first: what such a node gives is put there, so that the arguments of a call
        # stand one after the other, with room in front for the object that a class makes.
        #
        #     _values                                    _slots                _marks
        #     | object | keyword | keyword | object ...  | slot | slot | ...   | number | ...
        #     |<- place of node 0 ->|<- of node 1 ...  ->|<- of the cache   ->|<- of errors ->|
        self._values = <PyObject **>_allocated((count + nodes) * sizeof(PyObject *))
        memset(self._values, 0, count * sizeof(PyObject *))
        self._value_count = count
        self._slots = self._values + plan.size
        self._marks = <Py_ssize_t *>(self._values + count)
        self._places, self._place_count, self._slot_count = plan.places, nodes, len(plan.keys)
        self.plan = plan
        self.request = request
        if plan.needs_stacks:
            stacks = _fastapi.exit_stacks(request.scope, stack)
            self.request_stack, self.function_stack = stacks
        self.errors = []
        self._provider = provider
        self._background = background
        self._response = response
        self._cache = cache
        self._reuses = cache is None
        self._as_planned = cache is None
        self._raw = plan.raw and type(request) is plan.connection_class
        if not self._raw:
            self._reuses = False
        self._asks = True
        self._asks_always = plan.hands_out or not self._raw
        return 0

    def __dealloc__(self):
        if self._values != NULL:
            _release(self._values, self._value_count)

    def advance(self, value=NOTHING, bint in_thread=False, /):
        self._check(_NO_VALUE if value is nothing else _VALUE)
        return self._advance(value, in_thread)

    cdef int _check(self, int wanted) except -1:
        # Of a `Run` that has no plan, which only `__new__` makes, it is nobody's turn.
        if self.plan is None or self._wants != wanted:
            raise _out_of_turn()
        return 0

    cdef object _advance(self, value, bint in_thread):
        cdef object stopped
        self._is_running = True
        try:
            return self._advance_unguarded(value, in_thread)
        except StopIteration as error:
            if not self._is_calling:
                raise
            stopped = _fastapi.as_from_thread(error)
        finally:
            self._is_running = False
        raise stopped  # and its context is not what is handled above

    cdef object _advance_unguarded(self, value, bint in_thread):
        cdef Plan plan = self.plan
        cdef Py_ssize_t position = self._position, index
        cdef Node node
        cdef Place *place
        cdef list errors = self.errors
        cdef PyObject *cached
        cdef bint watches = self._provider is not None, suspends
        self._wants = _NO_MORE
        self.awaitable = None
        if value is not nothing:
            self._keep(self.node, plan.order_numbers[position], value)
            position += 1
        while position < plan.length:
            index = plan.order_numbers[position]
            if index < 0:
                node = <Node>plan.nodes[~index]
                if watches and position > 1 and self._overrides_changed(node):
                    return self._ask(_SEPARATELY, node, position)
                if node.reusable and self._reuses:
                    cached = self._slots[node.slot]
                    if cached != NULL:
                        self._reuse(~index, <object>cached)
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
                    if watches and position > 1 and self._overrides_changed(node):
                        return self._ask(_SEPARATELY, node, position)
                    if node.reusable and self._reuses:
                        cached = self._slots[node.slot]
                        if cached != NULL:
                            self._reuse(index, <object>cached)
                            position += 1
                            continue
                    self._marks[index] = PyList_GET_SIZE(errors)
                if in_thread and not (node.joins and self._raw):
                    return self._ask(_LOOP, node, position)
                if self._asks or node.groups:
                    self._read(node, place)
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
                elif node.kind == _INLINE and (
                    node.guard is None or self._is_as_expected(node, place)
                ):
                    self._is_calling = True
                    if node.watch is None or in_thread:  # there it holds up nobody
                        given = self._call(node, place)
                    else:
                        given = self._timed(node, place, None)
                    self._is_calling = False
                    self._keep(node, index, given)
                elif node.kind == _INLINE_CONTEXT:
                    stack = self.function_stack if node.function_scoped else self.request_stack
                    context = self._call(node, place)
                    if node.watch is None:
                        given = context.enter()
                    else:
                        given = self._timed(node, place, context)
                    stack.push_async_exit(context)
                    self._keep(node, index, given)
                elif node.kind == _COROUTINE and not node.limited:
                    given = _started(self._call(node, place), &suspends)
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

    def take_body(self, values, errors, /):
        self._check(_BODY_FIRST)
        cdef Py_ssize_t index = self.plan.order_numbers[self._position]
        self._put_named(self.node, &self.plan.places[index], values)
        self.errors.extend(errors)
        self._body_read = True
        self._wants = _NO_VALUE

    def shared_state(self):
        self._check(_SOLVED_FIRST)
        if self._response is None:
            self._response = self.plan.new_response()
        if self._cache is None:
            self._cache = self._cached()
            self._reuses = self._as_planned = False
        return self._background, self._response, self._cache

    def take_solved(self, solved, /):
        self._check(_SOLVED_FIRST)
        if self._cache is None:
            raise _out_of_turn()
        cdef Plan plan = self.plan
        cdef Py_ssize_t index = plan.order_numbers[self._position]
        self._wants = _NO_VALUE
        values, errors, self._background, cache = _fastapi.parts_of(solved)
        self.errors.extend(errors)
        if not errors and self.node.name is not None:
            self._pass_on(~index if index < 0 else index, values[self.node.name])
        self._cache.update(cache)
        self._position = plan.after_numbers[self._position] if index < 0 else self._position + 1

    def forget(self):
        # What an exception keeps of this resolution must not keep its values. Where it is raised
        # before anything is awaited, nothing keeps this object.
        if self._is_running:
            raise _out_of_turn()
        self._wants = _NO_MORE
        self.awaitable = None
        _let_go(self._values, self._value_count)

    cdef object _ask(self, int action, Node node, Py_ssize_t position):
        self.action = action
        self._wants = wanted_by[action]
        self.node = node
        self._position = position
        return None

    cdef bint _overrides_changed(self, Node node) except -1:
        cdef object overrides = overrides_of(self._provider), call
        if overrides is nothing:
            return True
        if self.plan.chosen is None:
            return bool(overrides)
        if not overrides or node.reusable:
            return not self.plan.fits(overrides)
        call = PyObject_GetAttr(node.declared, call_field)
        return overrides.get(call, call) is not PyObject_GetAttr(node.used, call_field)

    cdef int _read(self, Node node, Place *place) except -1:
        cdef Group group = None
        cdef list errors = self.errors
        cdef object request = self.request, container, headers = None
        cdef PyObject **values = self._values + place.own
        cdef Py_ssize_t number = 0
        cdef int source
        cdef bint asks = self._asks
        self._asks = self._asks_always
        if not self._raw:
            found, wrong = _fastapi.extract_all(node.used, request)
            self._put_named(node, place, found)
            errors.extend(wrong)
            return 0
        for source in range(_COOKIE + 1):
            group = <Group>node.groups[number] if number < len(node.groups) else None
            if group is None or group.source != source:
                if not asks or source == _PATH:
                    continue
                if source == _COOKIE:
                    _cookies_of(request, headers)
                elif source == _HEADER:
                    headers = _headers_of(request)
                else:
                    _query_of(request, self.plan.query)
                continue
            container = _received(request, source, self.plan.query)
            if len(group.params) and _is_plain(container, source):
                _extract(group.params, container, values, errors)
            else:
                found, wrong = _fastapi.extract(source, group.fields, request)
                self._put_named(node, place, found)
                errors.extend(wrong)
            values += PyList_GET_SIZE(group.fields)
            number += 1
        return 0

    cdef int _reuse(self, Py_ssize_t index, value) except -1:
        cdef int source
        if self._asks_always:
            for source in range(_QUERY, _COOKIE + 1):
                _received(self.request, source, self.plan.query)
        self._pass_on(index, value)
        return 0

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

    cdef bint _is_as_expected(self, Node node, Place *place) except -1:
        cdef _Asking asking = node.asking_less if self._as_planned else node.asking
        # Rather in a thread than a look at what a tool gave.
        cdef bint expected = not place.repeats and self._others is None
        cdef Py_ssize_t number
        if asking is not None and expected:
            for number in range(place.start + 1, place.start + 1 + place.count):
                if self._values[number] == NULL:
                    expected = False
            if expected:
                expected = _guarded(asking, self._values + place.start + 1)
        if not expected:
            self._as_planned = False
        return expected

    cdef object _timed(self, Node node, Place *place, context):
        cdef long long started = clock_now(), took
        try:
            return self._call(node, place) if context is None else context.enter()
        finally:
            took = clock_now() - started
            if took > node.limit:
                node.watch.held(took * 1e-9)

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
        cdef dict cache = self._cache
        if cache is None:
            cache = self._cached()
            if not PyList_GET_SIZE(self.errors) and len(cache) != len(self.plan.keys):
                raise AssertionError("a dependency was left out")
        return self.plan.new_solved(
            self.values, self.errors, self._background, self._response, cache
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
    cdef Place *places = (<Run>run)._places
    cdef Py_ssize_t index, number
    cdef int end = traverse_attributes(run, visit, data)
    for index in range((<Run>run)._place_count):
        # What is in front of the arguments, while a node is called, is not the run's.
        for number in range(places[index].start + 1, places[index].start + 1 + places[index].count):
            if end == 0 and values[number] != NULL:
                end = visit(values[number], data)
    for number in range((<Run>run)._slot_count):
        if end == 0 and (<Run>run)._slots[number] != NULL:
            end = visit((<Run>run)._slots[number], data)
    return end


cdef int _clear_run(PyObject *run) noexcept:
    _let_go((<Run>run)._values, (<Run>run)._value_count)
    (<Run>run)._place_count = 0  # the places are those of the plan
    return clear_attributes(run)


(<_Type *>Run).tp_traverse = _traverse_run
(<_Type *>Run).tp_clear = _clear_run
