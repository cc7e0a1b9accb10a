/* SPDX-License-Identifier: MIT
 * Bytes put aside: in memory as long as they are few, then in a file that has no name. */
#ifndef ORAS_IO_SPOOL_H
#define ORAS_IO_SPOOL_H

#include "base/buf.h"

#define ORAS_SPOOL_MEMORY (8u << 20)

typedef struct oras_spool {
    oras_buf memory;
    int fd; /* -1: all is in memory */
    int64_t size;
} oras_spool;

void oras_spool_init(oras_spool *spool);
void oras_spool_dispose(oras_spool *spool);

/** Class io, with errno's words, when the file cannot be made or written. The file is made in
 * TMPDIR, else /tmp, and is gone with the process. */
oras_code oras_spool_append(oras_spool *spool, const void *data, size_t size, oras_error *err);

#endif
