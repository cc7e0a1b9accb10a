/* SPDX-License-Identifier: MIT
 * A worker hashes what lies in a pipe's queue, while the loop goes on sending it. */
#ifndef ORAS_IO_PIPE_HASH_H
#define ORAS_IO_PIPE_HASH_H

#include "io/queue.h"
#include "io/worker.h"

typedef struct oras_pipe_hash oras_pipe_hash;

/** Queue and hasher are borrowed. */
oras_code oras_pipe_hash_new(oras_pool *pool, oras_queue *queue, oras_hasher *hasher,
                             oras_pipe_hash **out, oras_error *err);

/** Waits for the worker. NULL is fine. */
void oras_pipe_hash_free(oras_pipe_hash *hash);

/** Everything that was written is to be hashed. Class memory. */
oras_code oras_pipe_hash_go_on(oras_pipe_hash *hash, oras_error *err);

/** How far it is; whoever waits for it to be further is told. */
int64_t oras_pipe_hash_position(oras_pipe_hash *hash, bool waits);

/** A failure of the hasher. */
oras_code oras_pipe_hash_result(oras_pipe_hash *hash, oras_error *err);

/** Whom to tell, from a worker; nobody is told any more once this returns. */
void oras_pipe_hash_set_notify(oras_pipe_hash *hash, oras_notify notify);

#endif
