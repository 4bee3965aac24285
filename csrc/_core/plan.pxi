# Plans: a dependant tree in the order in which it is solved, made once per route.

cdef object module = _ModuleType
cdef list last_mark = _markers.last_mark


cdef struct Place:
    # Where a node has its values: `start` for the object that a class makes, then one for each
    # keyword, those of its dependencies first.
    Py_ssize_t start
    Py_ssize_t own  # the first one that is no dependency's
    Py_ssize_t count
    bint repeats  # has a keyword twice, of which the last one counts
    Py_ssize_t target  # where its result goes, -1: nowhere


cdef int _check_nodes(tuple nodes, Py_ssize_t slots) except -1:
    cdef Node node
    for each in nodes:
        if type(each) is not Node:
            raise TypeError(f"a Node was expected, not {each!r}")
        node = <Node>each
        if not (0 <= node.slot < slots or node.kind == _ROOT and not node.reusable):
            raise ValueError(f"a Node has no slot: {node.slot}")
    return 0


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


cdef class Plan:
    cdef readonly object connection_class
    cdef readonly bint raw
    cdef readonly object new_response
    cdef readonly object new_solved
    cdef readonly tuple order
    cdef readonly tuple after
    cdef readonly tuple nodes
    cdef readonly tuple keys
    cdef readonly bint hands_out
    cdef readonly bint needs_stacks
    cdef readonly tuple watched
    cdef readonly tuple dependants
    cdef readonly object marks
    cdef readonly tuple chosen
    cdef readonly bint inline
    cdef readonly bint records_request
    cdef readonly bint joins_endpoint
    cdef tuple fields
    cdef tuple seen
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
    cdef _QueryNames query
    cdef Py_ssize_t size  # of all the places together
    cdef Py_ssize_t length
    cdef Py_ssize_t block  # where the fields of a dependant are, -1: not in one block
    cdef Py_ssize_t *order_numbers
    cdef Py_ssize_t *after_numbers
    cdef Place *places
    cdef Py_hash_t *hashes  # of the keys; -1: not known, or nothing to rely on

    def __cinit__(
        self, *, connection_class, bint raw, new_response, new_solved, tuple order not None,
        tuple after not None, tuple nodes not None, tuple keys not None, bint needs_stacks,
        tuple watched, tuple dependants, tuple fields, tuple lists, marks, tuple chosen,
        bint inline, bint records_request, bint joins_endpoint,
    ):
        cdef Py_ssize_t position
        _check_nodes(nodes, len(keys))
        _check_order(order, after, nodes)
        self.length = len(order)
        self.order_numbers = <Py_ssize_t *>_allocated(self.length * sizeof(Py_ssize_t))
        self.after_numbers = <Py_ssize_t *>_allocated(self.length * sizeof(Py_ssize_t))
        self.places = <Place *>_allocated(len(nodes) * sizeof(Place))
        for position in range(self.length):
            self.order_numbers[position] = order[position]
            self.after_numbers[position] = after[position]
        self.connection_class = connection_class
        self.raw = raw
        self.new_response = new_response
        self.new_solved = new_solved
        self.order = order
        self.after = after
        self.nodes = nodes
        self.keys = keys
        self.hands_out = any([node.connection_names for node in nodes])
        self.needs_stacks = needs_stacks
        self.watched = watched
        self.dependants = dependants
        self.fields, self.block = fields, -1
        if dependants:
            self.fields, self.block = _block_of(type(dependants[0]), fields)
        self.seen = tuple(
            [tuple([getattr(dependant, name) for name in self.fields]) for dependant in dependants]
        )
        if not self._fields_are_as_seen():
            self.block = -1
        self.marks, self.mark_seen = marks, marks.last
        self.chosen = chosen
        self.inline = inline
        self.records_request = records_request
        self.joins_endpoint = joins_endpoint
        self.empty_lists = tuple([items for items in lists if not items])
        self.filled_lists = tuple([items for items in lists if items])
        self.filled_seen = tuple([items.copy() for items in self.filled_lists])
        self.owners = tuple(
            dict.fromkeys([entry[0] for entry in watched if isinstance(entry[0], type)])
        )
        self.owner_tags = <unsigned int *>_allocated(len(self.owners) * sizeof(unsigned int))
        memset(self.owner_tags, 0, len(self.owners) * sizeof(unsigned int))
        self._find_places_watched()
        self._find_hashes()
        self._assign_value_slots()
        self.query = _QueryNames(self._query_names())

    def __dealloc__(self):
        PyMem_Free(self.order_numbers)
        PyMem_Free(self.after_numbers)
        PyMem_Free(self.places)
        PyMem_Free(self.owner_tags)
        PyMem_Free(self.places_watched)
        PyMem_Free(self.hashes)

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

    cdef int _find_hashes(self) except -1:
        # PERF: in a key is the call and some text; the hash of a function or class cannot change,
        # and hashing such a tuple takes longer than putting it into a dict: 361.1 -> 360.4 thousand
        # instructions (W2).
        cdef Py_ssize_t slot
        self.hashes = <Py_hash_t *>_allocated(len(self.keys) * sizeof(Py_hash_t))
        for slot in range(len(self.keys)):
            key = self.keys[slot]
            self.hashes[slot] = -1
            if type(key) is tuple and len(<tuple>key) and type(key[0]) in (function, type):
                self.hashes[slot] = hash(key)
        return 0

    cdef int _assign_value_slots(self) except -1:
        cdef Node node
        cdef Place *place
        cdef Py_ssize_t position, index
        cdef dict targets = {}  # where the result of a dependency goes, by index
        cdef list open_nodes = []  # of those entered: the dependencies seen so far
        cdef list below
        for position in range(self.length):
            index = self.order_numbers[position]
            if index < 0:
                open_nodes.append([])
                continue
            node = <Node>self.nodes[index]
            below = [] if node.leaf else open_nodes.pop()
            names = [(<Node>self.nodes[child]).name for child in below] + node.own_keywords()
            node.take_keywords(tuple(names))
            place = &self.places[index]
            place.start = self.size
            place.own = place.start + 1 + len(below)
            place.count = len(names)
            place.repeats = len(set(names)) != len(names)
            place.target = -1
            self.size += 1 + place.count
            for number, child in enumerate(below):
                targets[child] = place.start + 1 + number
            if open_nodes and node.name is not None:
                (<list>open_nodes[len(open_nodes) - 1]).append(index)
        for index, target in targets.items():
            self.places[index].target = target
        return 0

    cdef tuple _query_names(self):
        cdef dict names = {}
        cdef Node node
        cdef Group group
        cdef Param param
        for node in self.nodes:
            for group in node.groups:
                if group.source == _QUERY:
                    for param in group.params:
                        names[param.key] = True
        return tuple(names)

    cdef bint _fields_are_as_seen(self) except -1:
        cdef Py_ssize_t index, count = len(self.fields)
        cdef size_t size = count * sizeof(PyObject *)
        cdef tuple seen
        cdef char *start
        for index in range(len(self.dependants)):
            seen = <tuple>self.seen[index]
            if self.block < 0:
                for field in range(count):
                    if getattr(self.dependants[index], <str>self.fields[field]) is not seen[field]:
                        return False
                continue
            start = <char *><PyObject *>self.dependants[index] + self.block
            if memcmp(start, (<_Tuple *><PyObject *>seen).ob_item, size) != 0:
                return False
        return True

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

    cpdef bint fits(self, overrides) except -1:
        cdef tuple entry
        if not overrides or self.chosen is None:
            return not overrides and self.chosen is None
        for entry in self.chosen:
            if overrides.get(entry[0], entry[0]) is not entry[1]:
                return False
        return True


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
