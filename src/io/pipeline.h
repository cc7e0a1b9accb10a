/* SPDX-License-Identifier: MIT
 * Bytes of a large file on their way: filled into blocks on the loop's thread, hashed by one
 * job and written by another, so that two processors share the work. */
#ifndef ORAS_IO_PIPELINE_H
#define ORAS_IO_PIPELINE_H

#include "io/sink.h"
#include "io/target.h"

typedef struct oras_pipeline oras_pipeline;

/** Something to be done on a worker when all that was taken is hashed and written. */
typedef oras_code oras_pipeline_fn(void *ud, oras_error *err);

/** `news(ud)` is called from a worker, under the pipeline's lock: there is room again, or what
 * was asked for by oras_pipeline_then is done, or something failed. */
oras_code oras_pipeline_new(oras_pool *pool, void (*news)(void *ud), void *ud, oras_pipeline **out,
                            oras_error *err);

/** Waits for the workers. NULL is fine. */
void oras_pipeline_free(oras_pipeline *pipeline);

/** Begin anew at byte `position` of the target's temporary; `hasher` may be NULL. Forgets a
 * failure. Both are borrowed; nothing may be under way. */
void oras_pipeline_aim(oras_pipeline *pipeline, const oras_target *target, oras_hasher *hasher,
                       int64_t position);

/** Take all of the bytes or none. */
oras_flow oras_pipeline_write(oras_pipeline *pipeline, const char *data, size_t size,
                              oras_error *err);

/** Have fn(ud) called once everything is through; ask oras_pipeline_is_through(). */
oras_code oras_pipeline_then(oras_pipeline *pipeline, oras_pipeline_fn *fn, oras_error *err);
oras_code oras_pipeline_is_through(oras_pipeline *pipeline, bool *through, oras_error *err);

/** Wait until everything that was taken is through, or something failed. */
void oras_pipeline_drain(oras_pipeline *pipeline);

/** Did hashing or writing fail? What was taken is then not all in the file. */
bool oras_pipeline_has_failed(oras_pipeline *pipeline);

/** The lock under which `news` is called. */
void oras_pipeline_lock(oras_pipeline *pipeline);
void oras_pipeline_unlock(oras_pipeline *pipeline);

#endif
