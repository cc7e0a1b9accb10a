/* SPDX-License-Identifier: MIT
 * A worker reads a file before the loop does: what the loop reads then comes out of the page
 * cache and does not wait for the disk. */
#ifndef ORAS_IO_AHEAD_H
#define ORAS_IO_AHEAD_H

#include "io/sink.h"
#include "io/worker.h"

typedef struct oras_ahead oras_ahead;

/** `fd` is borrowed. */
oras_code oras_ahead_new(oras_pool *pool, int fd, int64_t size, oras_ahead **out, oras_error *err);

/** Waits for the block that is being read. NULL is fine. */
void oras_ahead_free(oras_ahead *ahead);

/** How many bytes from `position` on can be read at once; the rest is being fetched. 0: the
 * notification comes when there are some. */
int64_t oras_ahead_ready(oras_ahead *ahead, int64_t position);

/** Whom to tell, from a worker; nobody is told any more once this returns. */
void oras_ahead_set_notify(oras_ahead *ahead, oras_notify notify);

/** Begin anew at a byte. */
void oras_ahead_restart(oras_ahead *ahead, int64_t position);

#endif
