# What a plan rests on, as it was when the plan was made.

cdef object module = _ModuleType
cdef list last_mark = _markers.last_mark

# Where what is watched is found: a function's code and defaults, the class of an object, what it
# itself has, all of a dict, how many it has, an attribute of any kind, an item of a module.
cdef enum:
    _CODE, _DEFAULTS, _CLASS, _OWN, _TABLE, _SIZE, _ATTRIBUTE, _ITEM, _KINDS_WATCHED

cdef dict kinds_of_probes = {"type": _CLASS, "instance": _OWN, "items": _TABLE, "size": _SIZE}


cdef struct Watched:
    PyObject *owner  # of an item: the dict, of a module
    PyObject *name  # of all of a dict: the keys
    PyObject *value  # of all of a dict: the values


cdef int _kind_watched(owner, str name) except -1:
    if type(owner) is module:
        return _ITEM
    if type(owner) is function and name == "__code__":
        return _CODE
    if type(owner) is function and name == "__defaults__":
        return _DEFAULTS
    if type(owner) is _Probe and (owner.kind in ("type", "instance") or type(owner.owner) is dict):
        return kinds_of_probes.get(owner.kind, _ATTRIBUTE)
    return _ATTRIBUTE


cdef inline bint _is_as_seen(Watched *place, int kind) except -1:
    cdef PyObject *found
    if kind == _CODE:
        return PyFunction_GET_CODE(place.owner) == place.value
    if kind == _DEFAULTS:
        found = PyFunction_GET_DEFAULTS(place.owner)
        return (<PyObject *>None if found == NULL else found) == place.value
    if kind == _CLASS:
        return type(<object>place.owner) is <object>place.value
    if kind == _OWN:
        try:
            own = PyObject_GenericGetDict(<object>place.owner, NULL)
        except AttributeError:  # it is of another class now
            return False
        found = get_item(<PyObject *>own, place.name)
        return (<PyObject *>nothing if found == NULL else found) == place.value
    if kind == _TABLE:
        return _has_just(<dict>place.owner, <tuple>place.name, <tuple>place.value)
    if kind == _SIZE:
        return len(<dict>place.owner) == <object>place.value
    return _now(<object>place.owner, <str>place.name) is <object>place.value


cdef object _now(owner, name):
    try:
        return getattr(owner, <str>name, nothing)
    except Exception as error:  # of a class with a `__getattr__` of its own by now
        return error


cdef bint _has_just(dict items, tuple keys, tuple values) noexcept:
    cdef PyObject *key
    cdef PyObject *value
    cdef Py_ssize_t position = 0, number = 0
    if len(items) != len(keys):
        return False
    while PyDict_Next(items, &position, &key, &value):
        if key != <PyObject *>keys[number] or value != <PyObject *>values[number]:
            return False
        number += 1
    return True


cdef class Seen:
    cdef tuple watched
    cdef tuple dependants
    cdef object marks
    cdef tuple fields
    cdef Py_ssize_t block  # where the fields of a dependant are, -1: not in one block
    cdef tuple fields_seen
    cdef tuple empty_lists
    cdef tuple filled_lists
    cdef tuple filled_seen
    cdef tuple owners  # the classes that own what is watched
    cdef unsigned int *owner_tags
    cdef Watched *places_watched  # what no class owns, kind by kind
    cdef Py_ssize_t[_KINDS_WATCHED] ends_watched  # of each kind
    cdef bint items_are_counted  # changes of all the modules in which something is watched are
    cdef unsigned long long changes_seen
    cdef object mark_seen  # the last one, as `marks` has it

    def __cinit__(self, tuple watched, tuple dependants, tuple fields, tuple lists, marks):
        self.watched = watched
        self.dependants = dependants
        self.fields, self.block = fields, -1
        if dependants:
            self.fields, self.block = _block_of(type(dependants[0]), fields)
        self.fields_seen = tuple(
            [tuple([getattr(dependant, name) for name in self.fields]) for dependant in dependants]
        )
        if not self._fields_are_as_seen():
            self.block = -1
        self.marks, self.mark_seen = marks, marks.last
        self.empty_lists = tuple([items for items in lists if not items])
        self.filled_lists = tuple([items for items in lists if items])
        self.filled_seen = tuple([items.copy() for items in self.filled_lists])
        self.owners = tuple(
            dict.fromkeys([entry[0] for entry in watched if isinstance(entry[0], type)])
        )
        self.owner_tags = <unsigned int *>_allocated(len(self.owners) * sizeof(unsigned int))
        memset(self.owner_tags, 0, len(self.owners) * sizeof(unsigned int))
        self._find_places_watched()

    def __dealloc__(self):
        PyMem_Free(self.owner_tags)
        PyMem_Free(self.places_watched)

    cpdef bint is_current(self) except -1:
        cdef Py_ssize_t index
        cdef PyObject **lists = (<_Tuple *><PyObject *>self.empty_lists).ob_item
        if last_mark[0] is not self.mark_seen:
            if not self.marks.are_current():
                return False
            self.mark_seen = self.marks.last
        if not self._watched_is_as_seen() or not self._fields_are_as_seen():
            return False
        for index in range(len(self.empty_lists)):
            if size_of(lists[index]):
                return False
        for index in range(len(self.filled_lists)):
            if not _same(<list>self.filled_lists[index], <list>self.filled_seen[index]):
                return False
        return True

    cdef bint _watched_is_as_seen(self) except -1:
        # PERF: a class gets another version tag when it or a base of it changes; while it has the
        # same one there is nothing to look up: 464 -> 360 thousand instructions (W2).
        cdef Py_ssize_t index
        cdef tuple entry
        cdef PyObject *found
        cdef bint same = True
        cdef unsigned int tag
        cdef list tags
        cdef PyObject **owners = (<_Tuple *><PyObject *>self.owners).ob_item
        # PERF: an item of a module is looked up anew only if one of these modules changed: 100
        # instructions for each of a hundred.
        cdef unsigned long long changes = dict_changes
        cdef bint has_changed = not self.items_are_counted or changes != self.changes_seen
        cdef Watched *place = self.places_watched
        cdef Watched *end
        cdef int kind
        for kind in range(_ITEM):
            end = self.places_watched + self.ends_watched[kind]
            while place != end:
                if not _is_as_seen(place, kind):
                    return False
                place += 1
        if has_changed:
            end = self.places_watched + self.ends_watched[_ITEM]
            while place != end:
                found = get_item(place.owner, place.name)
                if (<PyObject *>nothing if found == NULL else found) != place.value:
                    return False
                place += 1
        self.changes_seen = changes
        for index in range(len(self.owners)):
            if (<_Type *>owners[index]).tp_version_tag != self.owner_tags[index]:
                same = False
            elif self.owner_tags[index] == 0:
                same = False
        if same:
            return True
        # NOTE: looking up may run code, and so change a class, also one that was compared before.
        tags = [(<_Type *>owners[index]).tp_version_tag for index in range(len(self.owners))]
        for entry in self.watched:
            if _now(entry[0], entry[1]) is not entry[2]:
                return False
        for index in range(len(self.owners)):
            tag = (<_Type *>owners[index]).tp_version_tag
            self.owner_tags[index] = tag if tag == <unsigned int>tags[index] else 0
        return True

    cdef bint _fields_are_as_seen(self) except -1:
        cdef Py_ssize_t index, count = len(self.fields)
        cdef size_t size = count * sizeof(PyObject *)
        cdef tuple seen
        cdef char *start
        for index in range(len(self.dependants)):
            seen = <tuple>self.fields_seen[index]
            if self.block < 0:
                for field in range(count):
                    if getattr(self.dependants[index], <str>self.fields[field]) is not seen[field]:
                        return False
                continue
            start = <char *><PyObject *>self.dependants[index] + self.block
            if memcmp(start, (<_Tuple *><PyObject *>seen).ob_item, size) != 0:
                return False
        return True

    cdef int _find_places_watched(self) except -1:
        cdef tuple entry
        cdef Watched *place = NULL
        cdef int kind
        cdef list by_kind = [[] for _ in range(_KINDS_WATCHED)]
        for entry in self.watched:
            owner = entry[0]
            if isinstance(owner, type):
                continue
            by_kind[_kind_watched(owner, entry[1])].append(entry)
        self.items_are_counted = True
        self.places_watched = <Watched *>_allocated(len(self.watched) * sizeof(Watched))
        place = self.places_watched
        for kind in range(_KINDS_WATCHED):
            for owner, name, value in by_kind[kind]:
                place.owner = <PyObject *>owner
                place.name = <PyObject *>name
                place.value = <PyObject *>value
                if type(owner) is _Probe and kind != _ATTRIBUTE:
                    place.owner = <PyObject *>(<object>owner.owner)
                    if kind == _OWN:
                        place.name = <PyObject *>(<object>owner.key[0])
                    elif kind == _TABLE:
                        place.name = <PyObject *>(<object>owner.key[0])
                        place.value = <PyObject *>(<object>owner.key[1])
                elif kind == _ITEM:
                    place.owner = PyModule_GetDict(owner)
                    if not watch_dict(place.owner):
                        self.items_are_counted = False
                place += 1
            self.ends_watched[kind] = place - self.places_watched
        return 0


@_cache
def _block_of(kind, tuple fields):
    """Put `fields` in the order in which their slots follow each other, and say where they start.

    PERF: the fields of a dependant are compared in place with those that were seen, at once: 20 in
    5 ns instead of 250.
    """
    cdef PyMemberDef *member
    offsets = {}
    for name in fields:
        descriptor = getattr(kind, name, None)
        if type(descriptor) is not member_descriptor:
            return fields, -1
        member = (<PyMemberDescrObject *>descriptor).d_member
        if member.type != OBJECT_MEMBER:
            return fields, -1
        offsets[name] = member.offset
    ordered = tuple(sorted(fields, key=offsets.__getitem__))
    start = offsets[ordered[0]]
    for number, name in enumerate(ordered):
        if offsets[name] != start + number * <Py_ssize_t>sizeof(PyObject *):
            return fields, -1
    return ordered, start


cdef inline bint _same(list items, list seen) except -1:
    cdef Py_ssize_t position, length = PyList_GET_SIZE(items)
    if length != PyList_GET_SIZE(seen):
        return False
    for position in range(length):
        if items[position] is not seen[position]:
            return False
    return True
