/* Scanning of query strings: bytes and pointers only, no Python object and no allocation.
 *
 * A query string is walked pair by pair, without copying. What a pair says about its two halves
 * (`scan_text.flags`) tells the caller how to make text of them: as it stands, after
 * `scan_unquote`, or, where escapes and raw high bytes meet, with Python's own function. The rules
 * are those of `urllib.parse.parse_qsl(..., keep_blank_values=True)` on latin-1 text, which is
 * what Starlette's `QueryParams` uses: pairs end at '&', empty ones are left out, the first '='
 * parts name and value, a pair without one has an empty value.
 */
#ifndef FASTAPI_ASYNC_SAFE_SCAN_H
#define FASTAPI_ASYNC_SAFE_SCAN_H

#include <stddef.h>

enum {
    SCAN_PLUS = 1,    /* has a '+', which stands for a space */
    SCAN_PERCENT = 2, /* has a '%', which may begin an escape */
    SCAN_HIGH = 4     /* has a byte of 128 or more */
};

typedef struct {
    const char *start;
    size_t length;
    int flags;
} scan_text;

typedef struct {
    scan_text name;
    scan_text value;
} scan_pair;

/* Read the next pair from `cursor`; return where to go on, or NULL if there is none. */
const char *scan_next_pair(const char *cursor, const char *end, scan_pair *pair);

/* Write `text` to `out`, '+' as space and '%XX' as byte; return how many bytes that made.
 * `out` has room for `text.length` bytes. An incomplete or wrong escape stays as it is. */
size_t scan_unquote(scan_text text, char *out);

/* The names that are wanted: `buckets`, of which there are a power of two and more than names,
 * holds 1 + the index into `names`, or 0. */
typedef struct {
    const char *start;
    size_t length;
} scan_name;

typedef struct {
    const scan_name *names;
    unsigned int *buckets;
    size_t mask;
} scan_table;

/* Add names[index] to the table. */
void scan_add(const scan_table *table, size_t index);

/* Return the index of the name that consists of these very bytes, or -1. */
ptrdiff_t scan_find(const scan_table *table, const char *start, size_t length);

#endif
