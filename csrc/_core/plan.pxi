# Plans: a dependant tree in the order in which it is solved, made once per route.

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
    cdef readonly Seen seen
    cdef readonly tuple chosen
    cdef readonly bint inline
    cdef readonly bint records_request
    cdef readonly bint joins_endpoint
    cdef _QueryNames query
    cdef Py_ssize_t size  # of all the places together
    cdef Py_ssize_t length
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
        self.seen = Seen(watched, dependants, fields, lists, marks)
        self.chosen = chosen
        self.inline = inline
        self.records_request = records_request
        self.joins_endpoint = joins_endpoint
        self._find_hashes()
        self._assign_value_slots()
        self.query = _QueryNames(self._query_names())

    def __dealloc__(self):
        PyMem_Free(self.order_numbers)
        PyMem_Free(self.after_numbers)
        PyMem_Free(self.places)
        PyMem_Free(self.hashes)

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

    cpdef bint is_current(self) except -1:
        return self.seen.is_current()

    cpdef bint fits(self, overrides) except -1:
        cdef tuple entry
        if not overrides or self.chosen is None:
            return not overrides and self.chosen is None
        for entry in self.chosen:
            if overrides.get(entry[0], entry[0]) is not entry[1]:
                return False
        return True
