# What an application puts in the place of its dependencies.

# Of an object that has its overrides, and is true, without its class being asked.
_NOT_PLAIN = ("dependency_overrides", "__bool__", "__len__")

cdef unsigned int plain_provider_tag = 0  # of a class whose instances hold the overrides


cpdef object overrides_of(provider):
    # PERF: an attribute that only instances have is in their dict; it need not be looked for in all
    # classes first, for every dependency: 371 -> 360 thousand instructions (W2).
    global plain_provider_tag
    cdef PyObject *found
    cdef object kind = type(provider)
    cdef unsigned int tag = (<_Type *>kind).tp_version_tag
    if tag != 0 and tag == plain_provider_tag:
        found = PyDict_GetItemWithError(
            PyObject_GenericGetDict(provider, NULL), "dependency_overrides"
        )
        return _plain_overrides(found)
    # NOTE: first, as looking up may run code, and change the class.
    _PyType_Lookup(<PyTypeObject *>kind, "dependency_overrides")  # so that it has a version tag
    tag = (<_Type *>kind).tp_version_tag
    if (
        kind.__getattribute__ is not object.__getattribute__
        or any([hasattr(kind, name) for name in _NOT_PLAIN])
        or not kind.__dictoffset__
    ):
        return nothing
    plain_provider_tag = tag
    return _plain_overrides(
        PyDict_GetItemWithError(PyObject_GenericGetDict(provider, NULL), "dependency_overrides")
    )


cdef inline object _plain_overrides(PyObject *found):
    if found != NULL and (<object>found is None or type(<object>found) is dict):
        return <object>found
    return nothing
