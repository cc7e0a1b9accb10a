/* SPDX-License-Identifier: MIT
 * Header fields of a response: ordered, case-insensitive, repeated ones kept. */
#ifndef ORAS_NET_HEADERS_H
#define ORAS_NET_HEADERS_H

#include "base/buf.h"

#define ORAS_HEADERS_MAX ((size_t)300 * 1024)

typedef struct oras_headers {
    oras_buf text; /* "name\0value\0" for each field */
    size_t n_fields;
} oras_headers;

/** Make, end, and forget the fields of an answer before the next. */
void oras_headers_init(oras_headers *headers);
void oras_headers_dispose(oras_headers *headers);
void oras_headers_clear(oras_headers *headers);

/** Take one line as it came ("Name: value\r\n", or a folded continuation). Class protocol for
 * control characters inside, limit for more than ORAS_HEADERS_MAX. */
oras_code oras_headers_add_line(oras_headers *headers, const char *line, size_t size,
                                oras_error *err);

/** Value of the first field of that name; NULL if there is none. Borrowed. */
const char *oras_headers_get(const oras_headers *headers, const char *name);

/** Walk: start with *at = 0; false at the end. */
bool oras_headers_next(const oras_headers *headers, size_t *at, const char **name,
                       const char **value);

#endif
