/* SPDX-License-Identifier: MIT
 * A packed archive becomes a directory while it arrives.
 *
 * Packed blocks -> one job hashes and unpacks them -> unpacked blocks -> another parses,
 * hashes and writes files. The jobs leave their thread where they would wait. Nothing shows
 * under its name before both digests are right; after a failure nothing is left. */
#ifndef ORAS_IO_EXTRACT_H
#define ORAS_IO_EXTRACT_H

#include "io/archive.h"
#include "io/sink.h"
#include "io/worker.h"

typedef struct oras_extract oras_extract;

typedef struct oras_extract_hooks {
    /* On a worker: packed bytes in order; then, once, whether they were the right ones. */
    oras_code (*hash)(void *ud, const void *data, size_t size, oras_error *err);
    oras_code (*verify)(void *ud, oras_error *err);
    /* From a worker, under the lock: there is room again, or it is over. */
    void (*news)(void *ud);
    bool can_verify; /* a digest is expected */
    void *ud;
} oras_extract_hooks;

/** The hooks' `ud` must outlive it. Nothing is opened yet. Class path for a bad path. */
oras_code oras_extract_new(oras_pool *pool, const oras_tree_target *target,
                           const oras_extract_hooks *hooks, oras_extract **out, oras_error *err);

/** Stops it where it is and removes what it made. NULL is fine. */
void oras_extract_free(oras_extract *extract);

/** Begin anew; what was made before is removed. Class exists, path, io. */
oras_code oras_extract_open(oras_extract *extract, oras_error *err);
bool oras_extract_is_open(oras_extract *extract);

/** Stop it and remove what it made. */
void oras_extract_drop(oras_extract *extract);

/** Take all of the packed bytes or none. */
oras_flow oras_extract_write(oras_extract *extract, const char *data, size_t size, oras_error *err);

/** There are no more packed bytes; ask oras_extract_is_over(). */
oras_code oras_extract_end(oras_extract *extract, oras_error *err);

/** Is the directory there under its name? A failure is final and has left nothing. */
oras_code oras_extract_is_over(oras_extract *extract, bool *over, oras_error *err);

/** Has it failed, or is it about to? */
bool oras_extract_has_failed(oras_extract *extract);

/** The lock under which `news` is called. */
void oras_extract_lock(oras_extract *extract);
void oras_extract_unlock(oras_extract *extract);

#endif
