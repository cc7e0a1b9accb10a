/* SPDX-License-Identifier: MIT
 * A bounded queue of bytes between one who writes and one who reads, both on the loop's
 * thread. What was read stays until it is written over, so that a reader can go back. */
#ifndef ORAS_IO_QUEUE_H
#define ORAS_IO_QUEUE_H

#include "io/source.h"

typedef struct oras_queue oras_queue;

/** `size` of all bytes, or -1. The ring is made with the first byte. */
oras_code oras_queue_new(size_t capacity, int64_t size, oras_queue **out, oras_error *err);

/** Both ends hold it. */
oras_queue *oras_queue_ref(oras_queue *queue);
void oras_queue_unref(oras_queue *queue);

/** The writer's side. All bytes or, FULL, none; FAILED when nobody reads any more, after a
 * failure, and for more bytes than `size`. */
oras_flow oras_queue_put(oras_queue *queue, const void *data, size_t size, oras_error *err);

/** No more comes; `digest` is that of all bytes. Class content when they are not `size`. */
oras_code oras_queue_end(oras_queue *queue, const oras_digest *digest, oras_error *err);

/** The reader is told this instead of the end; the first cause stays, and an end stays. */
void oras_queue_break(oras_queue *queue, const oras_error *err);
void oras_queue_set_writer(oras_queue *queue, oras_notify notify);

/** Bytes from here on must not be written over, even if they were read. */
void oras_queue_hold(oras_queue *queue, int64_t position);

/** At most `size` bytes that were written, from `position` on, which are held; they may be read
 * on another thread. Gives how many. */
size_t oras_queue_piece(const oras_queue *queue, int64_t position, int64_t size, const char **data);
int64_t oras_queue_written(const oras_queue *queue);

/** Size and digest, once the end came; false before. */
bool oras_queue_digest(const oras_queue *queue, oras_digest *digest, int64_t *size);

/** The reader's side. The last byte of a known size is held back until the end came: who
 * passes the bytes on would take the whole for complete. */
oras_source_step oras_queue_read(oras_queue *queue, void *data, size_t capacity, size_t *size,
                                 oras_error *err);
oras_code oras_queue_seek(oras_queue *queue, int64_t offset, oras_error *err);

/** Will every byte still be there, however much was read? */
bool oras_queue_keeps_all(const oras_queue *queue);
void oras_queue_set_reader(oras_queue *queue, oras_notify notify);

/** Nobody reads any more. */
void oras_queue_leave(oras_queue *queue);

/** A source that reads it. source_stream.c */
oras_code oras_source_of_queue(oras_queue *queue, int64_t size, oras_source **out, oras_error *err);

#endif
