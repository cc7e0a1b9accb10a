/* SPDX-License-Identifier: MIT
 * The names in a directory, sorted by bytes, in bounded memory: when they are more than that,
 * the first of them, and the next ones when those are used up. */
#ifndef ORAS_IO_WALK_NAMES_H
#define ORAS_IO_WALK_NAMES_H

#include "base/buf.h"

#include <stdatomic.h>

#define ORAS_NAMES_MAX ((size_t)4 << 20) /* bytes of names held of one directory */

typedef struct oras_name {
    unsigned char type; /* DT_REG, DT_DIR, ... or DT_UNKNOWN */
    char text[];
} oras_name;

typedef struct oras_names {
    oras_buf bytes;         /* records: type, name, NUL */
    const oras_name **list; /* sorted */
    size_t n, at;
    bool complete; /* nothing is left in the directory behind these */
} oras_names;

void oras_names_dispose(oras_names *names);

/** Memory held, in bytes. */
size_t oras_names_size(const oras_names *names);

/**
 * Read the names behind `after` ("": all), at most as many as `most` bytes hold.
 *
 * @param dir   open directory, stays open
 * @param stop  ends the reading early with class cancelled
 * @param shown the directory's name for messages
 */
oras_code oras_names_read(oras_names *names, int dir, const char *after, size_t most,
                          atomic_bool *stop, const char *shown, oras_error *err);

/** The next name, NULL when the list is used up. Borrowed until names are read again. */
const oras_name *oras_names_next(oras_names *names);

#endif
