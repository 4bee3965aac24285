# What the core takes from C, from CPython and from Python, and what of memory it does itself.

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_GET_SIZE
from cpython.contextvars cimport (
    PyContextVar_New_with_default,
    PyContextVar_Set,
    get_value_no_default,
)
from cpython.list cimport PyList_GET_SIZE
from cpython.long cimport PyLong_FromLongLong, PyLong_FromVoidPtr
from cpython.mem cimport PyMem_Free, PyMem_Malloc
from cpython.object cimport PyObject, PyObject_GetAttr, PyObject_SetAttr, PyTypeObject
from cpython.ref cimport Py_CLEAR, Py_DECREF, Py_INCREF, Py_XDECREF
from cpython.tuple cimport PyTuple_GET_SIZE
from cpython.unicode cimport PyUnicode_DecodeLatin1, PyUnicode_DecodeUTF8
from cpython.weakref cimport PyWeakref_GetRef, PyWeakref_NewRef
from libc.string cimport memchr, memcmp, memset

from scan cimport (
    SCAN_HIGH,
    SCAN_PERCENT,
    SCAN_PLUS,
    scan_add,
    scan_find,
    scan_name,
    scan_next_pair,
    scan_pair,
    scan_table,
    scan_text,
    scan_unquote,
)

cimport cython

from copy import deepcopy as _deepcopy
from functools import cache as _cache
from types import FunctionType as _FunctionType
from types import MemberDescriptorType as _MemberDescriptorType
from types import ModuleType as _ModuleType
from urllib.parse import unquote as _unquote

from pydantic_core import ValidationError

# NOTE: not `from ._core_py import`, which Cython takes from the package that this was built for: a
# copy under another name has modules of its own.
from . import _core_py, _fastapi
from . import markers as _markers
from ._proof.lookup import Probe as _Probe

_check_order = _core_py.check_order
_isolated = _core_py.isolated

cdef extern from "Python.h":
    Py_ssize_t size_of "Py_SIZE"(PyObject *)
    PyObject *PyDict_GetItemWithError(object items, object key) except? NULL
    PyObject *get_item "PyDict_GetItemWithError"(PyObject *items, PyObject *key) except? NULL
    int PyDict_Next(
        object items, Py_ssize_t *position, PyObject **key, PyObject **value
    ) noexcept
    PyObject *PyFunction_GET_CODE(PyObject *function)
    PyObject *PyFunction_GET_DEFAULTS(PyObject *function)
    PyObject *_PyType_Lookup(PyTypeObject *kind, object name)
    PyObject *PyModule_GetDict(object module) except NULL
    int PyDict_SetItem(object items, object key, object value) except -1
    ctypedef Py_ssize_t Py_hash_t
    object PyObject_GenericGetDict(object owner, void *)
    object PyObject_Vectorcall(
        object call, PyObject **arguments, size_t count, PyObject *keywords
    )
    size_t PY_VECTORCALL_ARGUMENTS_OFFSET
    ctypedef object (*newfunc)(PyTypeObject *cls, object arguments, PyObject *keywords)
    ctypedef int (*visitproc)(PyObject *value, void *data)
    ctypedef int (*traverseproc)(PyObject *owner, visitproc visit, void *data)
    ctypedef int (*inquiry)(PyObject *owner)
    ctypedef struct _Type "PyTypeObject":
        newfunc tp_new
        traverseproc tp_traverse
        inquiry tp_clear
        unsigned int tp_version_tag
    _Type PyBaseObject_Type
    long long PyLong_AsLongLongAndOverflow(object number, int *overflow) except? -1
    int PyUnicode_IS_ASCII(object text)
    Py_ssize_t PyUnicode_GET_LENGTH(object text)
    const unsigned char *PyUnicode_1BYTE_DATA(object text)
    int PyCoro_CheckExact(object value)
    ctypedef enum PySendResult:
        PYGEN_RETURN
        PYGEN_ERROR
        PYGEN_NEXT
    PySendResult PyIter_Send(
        object iterator, object value, PyObject **result
    ) except PYGEN_ERROR

    ctypedef struct _Tuple "PyTupleObject":
        PyObject *ob_item[1]

    ctypedef struct PyMemberDef:
        int type
        Py_ssize_t offset

    ctypedef struct PyMemberDescrObject:
        PyMemberDef *d_member

cdef extern from *:
    """
    #if PY_VERSION_HEX >= 0x030E0000
      /* Tuples keep their hash. */
      #define set_item_by_hash(items, key, value, hash) PyDict_SetItem(items, key, value)
    #else
      #if PY_VERSION_HEX >= 0x030D0000
        PyAPI_FUNC(int) _PyDict_SetItem_KnownHash(PyObject *, PyObject *, PyObject *, Py_hash_t);
      #endif
      #define set_item_by_hash(items, key, value, hash) \
          _PyDict_SetItem_KnownHash(items, key, value, hash)
    #endif
    """
    int set_item_by_hash(object items, object key, object value, Py_hash_t hash) except -1

cdef extern from *:
    """
    /* Counts the changes of all watched dicts, so that a plan need not look into them again while
       there were none. Python has watchers from 3.12, and a few places for them. */
    static unsigned long long dict_changes = 1;

    #if PY_VERSION_HEX >= 0x030C0000
    static int dict_watcher = -1;

    static int count_dict_change(
        PyDict_WatchEvent event, PyObject *items, PyObject *key, PyObject *value
    ) {
        (void)event; (void)items; (void)key; (void)value;
        dict_changes++;
        return 0;
    }

    static int watch_dict(PyObject *items) {
        if (dict_watcher < 0) {
            dict_watcher = PyDict_AddWatcher(count_dict_change);
        }
        if (dict_watcher < 0 || PyDict_Watch(dict_watcher, items) < 0) {
            PyErr_Clear();
            return 0;
        }
        return 1;
    }
    #else
    static int watch_dict(PyObject *items) { (void)items; return 0; }
    #endif
    """
    unsigned long long dict_changes
    bint watch_dict(PyObject *items)

cdef extern from *:
    """
    /* The clock of time.perf_counter(), in nanoseconds, never negative. */
    static inline long long clock_now(void) {
    #if PY_VERSION_HEX >= 0x030D0000
        PyTime_t now = 0;
        (void)PyTime_PerfCounterRaw(&now);
        return now;
    #else
        return _PyTime_GetPerfCounter();
    #endif
    }
    """
    long long clock_now() noexcept nogil

cdef extern from "structmember.h":
    int OBJECT_MEMBER "T_OBJECT_EX"


cdef void *_allocated(size_t size) except NULL:
    cdef void *memory = PyMem_Malloc(size if size else 1)
    if memory == NULL:
        raise MemoryError
    return memory


cdef inline void _put(PyObject **place, object value) noexcept:
    cdef PyObject *old = place[0]
    Py_INCREF(value)
    place[0] = <PyObject *>value
    Py_XDECREF(old)


cdef void _let_go(PyObject **values, Py_ssize_t count) noexcept:
    cdef Py_ssize_t number
    for number in range(count):
        Py_CLEAR(values[number])


cdef void _release(PyObject **values, Py_ssize_t count) noexcept:
    _let_go(values, count)
    PyMem_Free(values)
