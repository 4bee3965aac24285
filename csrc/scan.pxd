"""What `scan.h` offers, told to Cython."""

cdef extern from "scan.h" nogil:
    enum:
        SCAN_PLUS
        SCAN_PERCENT
        SCAN_HIGH

    ctypedef struct scan_text:
        const char *start
        size_t length
        int flags

    ctypedef struct scan_pair:
        scan_text name
        scan_text value

    const char *scan_next_pair(const char *cursor, const char *end, scan_pair *pair)
    size_t scan_unquote(scan_text text, char *out)

    ctypedef struct scan_name:
        const char *start
        size_t length

    ctypedef struct scan_table:
        const scan_name *names
        unsigned int *buckets
        size_t mask

    void scan_add(const scan_table *table, size_t index)
    ptrdiff_t scan_find(const scan_table *table, const char *start, size_t length)
