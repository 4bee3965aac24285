# Reading parameters: query strings, headers and cookies of the raw request, and their values.

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
