# What a request makes of its scope: query parameters, headers, cookies.

cdef str query_cache = _fastapi.QUERY_CACHE
cdef str headers_cache = _fastapi.HEADERS_CACHE
cdef str cookies_cache = _fastapi.COOKIES_CACHE
cdef str query_items = _fastapi.QUERY_ITEMS
cdef str query_pairs = _fastapi.QUERY_PAIRS
cdef str header_pairs = _fastapi.HEADER_PAIRS
cdef object query_params = _fastapi.QueryParams
cdef object headers_class = _fastapi.Headers


cdef class _QueryNames:
    """The names of query parameters that a plan knows."""

    cdef tuple names
    cdef bytes _text  # all names, one after the other
    cdef scan_table _table
    cdef scan_name *_entries

    def __cinit__(self, tuple names not None, /):
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
            # PERF: no text is made of a name that is known, and its hash is there: 361.9 -> 360.4
            # thousand instructions (W2).
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


def parse_query(bytes query not None, /):
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


def received(request, int source, /):
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
    found = getattr(request, query_cache, nothing)
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
    PyObject_SetAttr(request, query_cache, made)
    return made


cdef object _headers_of(request):
    cdef list pairs
    found = getattr(request, headers_cache, nothing)
    if found is not nothing:
        return found
    headers = _in_scope(request, "headers")
    if type(headers) is not list:
        return request.headers
    pairs = (<list>headers)[:]
    made = _made(headers_class)
    PyDict_SetItem(request.scope, "headers", pairs)
    PyObject_SetAttr(made, header_pairs, pairs)
    PyObject_SetAttr(request, headers_cache, made)
    return made


cdef object _cookies_of(request, headers):
    # `headers`: what the request gave just now for its headers, if anything.
    found = getattr(request, cookies_cache, nothing)
    if found is not nothing:
        return found
    if headers is None:
        headers = _headers_of(request)
    if type(headers) is headers_class:
        pairs = PyObject_GetAttr(headers, header_pairs)
        if type(pairs) is list:
            made = _parse_cookies(<list>pairs)
            if made is not None:
                PyObject_SetAttr(request, cookies_cache, made)
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


def is_plain(received, int source, /):
    return _is_plain(received, source)


cdef inline bint _is_plain(received, int source) noexcept:
    if source == _QUERY:
        return type(received) is query_params
    if source == _HEADER:
        return type(received) is headers_class
    return type(received) is dict
