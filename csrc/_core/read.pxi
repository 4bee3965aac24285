# Reading parameters: what a request makes of its scope, and the values in it.

cdef class _QueryNames:
    """The names of query parameters that a plan knows."""

    cdef tuple names
    cdef bytes _text  # all names, one after the other
    cdef scan_table _table
    cdef scan_name *_entries

    def __cinit__(self, tuple names not None):
        cdef Py_ssize_t count = len(names), buckets = 2, number, start = 0
        encoded = [name.encode() for name in names]
        self.names = names
        self._text = b"".join(encoded)
        while buckets < 2 * count:
            buckets *= 2
        self._entries = <scan_name *>_allocated(count * sizeof(scan_name))
        self._table.buckets = <unsigned int *>_allocated(buckets * sizeof(unsigned int))
        memset(self._table.buckets, 0, buckets * sizeof(unsigned int))
        self._table.names = self._entries
        self._table.mask = buckets - 1
        for number in range(count):
            self._entries[number].start = PyBytes_AS_STRING(self._text) + start
            self._entries[number].length = len(<bytes>encoded[number])
            start += len(<bytes>encoded[number])
            scan_add(&self._table, number)

    def __dealloc__(self):
        PyMem_Free(self._entries)
        PyMem_Free(self._table.buckets)

    cdef str text_of(self, scan_text name):
        cdef Py_ssize_t number
        if name.flags == 0:
            # PERF: no text is made of a name that is known, and its hash is: a third less.
            number = scan_find(&self._table, name.start, name.length)
            if number >= 0:
                return <str>self.names[number]
        return _text(name)


cdef _QueryNames no_names = _QueryNames(())


cdef int _parse_query(bytes query, _QueryNames known, dict items, list pairs) except -1:
    cdef const char *cursor = PyBytes_AS_STRING(query)
    cdef const char *end = cursor + PyBytes_GET_SIZE(query)
    cdef scan_pair pair
    cdef str name, value
    while True:
        cursor = scan_next_pair(cursor, end, &pair)
        if cursor == NULL:
            return 0
        name, value = known.text_of(pair.name), _text(pair.value)
        PyDict_SetItem(items, name, value)
        pairs.append((name, value))


def parse_query(bytes query not None):
    cdef dict items = {}
    cdef list pairs = []
    _parse_query(query, no_names, items, pairs)
    return items, pairs


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


def received(request, int source):
    return _received(request, source, no_names)


cdef object _received(request, int source, _QueryNames known):
    if source == _PATH:
        return request.path_params
    if source == _QUERY:
        return _query_of(request, known)
    if source == _HEADER:
        return _headers_of(request)
    return _cookies_of(request, None)


cdef object _in_scope(request, str name):
    cdef PyObject *found = NULL
    cdef object scope = request.scope
    if type(scope) is dict:
        found = PyDict_GetItemWithError(scope, name)
    return None if found == NULL else <object>found


cdef object _query_of(request, _QueryNames known):
    cdef dict items
    cdef list pairs
    found = getattr(request, made_query, nothing)
    if found is not nothing:
        return found
    query = _in_scope(request, "query_string")
    if type(query) is not bytes:
        return request.query_params
    items, pairs = {}, []
    _parse_query(<bytes>query, known, items, pairs)
    made = _made(query_params)
    PyObject_SetAttr(made, query_items, items)
    PyObject_SetAttr(made, query_pairs, pairs)
    PyObject_SetAttr(request, made_query, made)
    return made


cdef object _headers_of(request):
    cdef list pairs
    found = getattr(request, made_headers, nothing)
    if found is not nothing:
        return found
    headers = _in_scope(request, "headers")
    if type(headers) is not list:
        return request.headers
    pairs = (<list>headers)[:]
    made = _made(headers_class)
    PyDict_SetItem(request.scope, "headers", pairs)
    PyObject_SetAttr(made, header_pairs, pairs)
    PyObject_SetAttr(request, made_headers, made)
    return made


cdef object _cookies_of(request, headers):
    # `headers`: what the request gave just now for its headers, if anything.
    found = getattr(request, made_cookies, nothing)
    if found is not nothing:
        return found
    if headers is None:
        headers = _headers_of(request)
    if type(headers) is headers_class:
        pairs = PyObject_GetAttr(headers, header_pairs)
        if type(pairs) is list:
            made = _parse_cookies(<list>pairs)
            if made is not None:
                PyObject_SetAttr(request, made_cookies, made)
                return made
    return request.cookies


cdef inline bint _is_plain_pair(pair) noexcept:
    # NOTE: some servers have other things there, which may run code of their own.
    return (
        type(pair) is tuple
        and PyTuple_GET_SIZE(pair) == 2
        and type((<tuple>pair)[0]) is bytes
        and type((<tuple>pair)[1]) is bytes
    )


cdef inline bint _is_named(tuple pair, bytes name) noexcept:
    cdef Py_ssize_t length = PyBytes_GET_SIZE(<bytes>pair[0])
    return length == PyBytes_GET_SIZE(name) and memcmp(
        PyBytes_AS_STRING(<bytes>pair[0]), PyBytes_AS_STRING(name), length
    ) == 0


cdef inline str _latin1(bytes text):
    return PyUnicode_DecodeLatin1(PyBytes_AS_STRING(text), PyBytes_GET_SIZE(text), NULL)


cdef inline bint _is_space(char byte) noexcept:
    # Of what is space in Python, that in ASCII.
    return byte == 32 or 9 <= byte <= 13 or 28 <= byte <= 31


cdef str _stripped(const char *start, const char *end):
    while start < end and _is_space(start[0]):
        start += 1
    while start < end and _is_space((end - 1)[0]):
        end -= 1
    return PyUnicode_DecodeLatin1(start, end - start, NULL)


cdef dict _parse_cookies(list headers):
    """Read cookies as Starlette's `HTTPConnection.cookies` reads them.

    Returns:
        The last value by name; None for Starlette to read what is seldom: cookies in several
        headers, with quotes, or with other characters than those of ASCII.
    """
    cdef bytes found = None
    cdef dict cookies = {}
    cdef const char *cursor
    cdef const char *end
    cdef const char *stop
    cdef const char *equals
    cdef str name, text
    for pair in headers:
        if not _is_plain_pair(pair):
            return None
        if _is_named(<tuple>pair, b"cookie"):
            if found is not None:
                return None
            found = <bytes>(<tuple>pair)[1]
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
        if name or text:
            cookies[name] = text
        cursor = stop + 1
    return cookies


def is_plain(received, int source):
    return _is_plain(received, source)


cdef inline bint _is_plain(received, int source) noexcept:
    if source == _QUERY:
        return type(received) is query_params
    if source == _HEADER:
        return type(received) is headers_class
    return type(received) is dict


def extract(tuple params not None, received, dict values not None, list errors not None):
    cdef Param param
    cdef Py_ssize_t number, count = len(params)
    cdef PyObject **found = <PyObject **>_allocated(count * sizeof(PyObject *))
    memset(found, 0, count * sizeof(PyObject *))
    try:
        for param in params:  # checks that they are
            pass
        _extract(params, received, found, errors)
        for number in range(count):
            if found[number] != NULL:
                param = <Param>params[number]
                values[param.name] = <object>found[number]
    finally:
        _release(found, count)


cdef int _extract(tuple params, received, PyObject **values, list errors) except -1:
    """Put the value of each parameter into `values`, one after the other."""
    cdef Param param
    cdef PyObject *found
    cdef Py_ssize_t number
    cdef bint is_query = type(received) is query_params
    cdef object items = received, raw, value
    if is_query:
        items = PyObject_GetAttr(received, query_items)
    for number in range(len(params)):
        param = <Param>params[number]
        if param.many:
            raw = _all_of(received, param, is_query)
        elif type(items) is dict:
            found = PyDict_GetItemWithError(items, param.key)
            raw = None if found == NULL else <object>found
        else:
            raw = _first_of(received, param)
        if raw is None:
            if not param.default_is_as_seen():
                given, wrong = _fastapi.extract_from([param.field], {})
                if param.name in given:
                    _put(&values[number], given[param.name])
                errors.extend(wrong)
            elif param.otherwise == _SHARED:
                _put(&values[number], param.default)
            elif param.missing is not None:
                errors.append(param.missing.copy())
            else:
                _put(&values[number], _deepcopy(param.field.default))
            continue
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


cdef object _first_of(received, Param param):
    """Give the first header of a name, None without one."""
    cdef object pairs
    if type(received) is headers_class and param.raw_key is not None:
        pairs = PyObject_GetAttr(received, header_pairs)
        if type(pairs) is list:
            for pair in <list>pairs:
                if not _is_plain_pair(pair):
                    break
                if _is_named(<tuple>pair, param.raw_key):
                    return _latin1(<bytes>(<tuple>pair)[1])
            else:
                return None
    return received.get(param.key)


cdef object _all_of(received, Param param, bint is_query):
    """Give all values of a name, None without one."""
    cdef object pairs = None
    cdef list found = []
    if is_query:
        pairs = PyObject_GetAttr(received, query_pairs)
    elif type(received) is headers_class and param.raw_key is not None:
        pairs = PyObject_GetAttr(received, header_pairs)
    if type(pairs) is list:
        for pair in <list>pairs:
            if is_query:
                if type(pair) is not tuple or PyTuple_GET_SIZE(pair) != 2:
                    break
                name = (<tuple>pair)[0]
                if type(name) is not str:
                    break
                if name is param.key or <str>name == param.key:
                    found.append((<tuple>pair)[1])
            elif not _is_plain_pair(pair):
                break
            elif _is_named(<tuple>pair, param.raw_key):
                found.append(_latin1(<bytes>(<tuple>pair)[1]))
        else:
            return found if PyList_GET_SIZE(found) else None
    return received.getlist(param.key) or None


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
