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
