/* SPDX-License-Identifier: MIT
 * Where the bytes of a request's body come from.
 *
 * Life: made -> read* -> END, with rewinds between. All calls come from the loop's thread; a
 * kind that works on other threads (an archive being packed) hides that and says through the
 * notification that there is more. A source's own failure outranks what the transfer would
 * say. */
#ifndef ORAS_IO_SOURCE_H
#define ORAS_IO_SOURCE_H

#include "io/sink.h"

typedef struct oras_source oras_source;

typedef enum oras_source_step {
    ORAS_SOURCE_DATA, /* *size > 0 bytes were put into the buffer */
    ORAS_SOURCE_WAIT, /* nothing there now: go on after the notification */
    ORAS_SOURCE_END,  /* all bytes were given, and they are what they should be */
    ORAS_SOURCE_FAILED
} oras_source_step;

/** Bytes of the caller's, borrowed for the source's life. */
oras_code oras_source_memory(const void *data, size_t size, oras_source **out, oras_error *err);

/** A regular file, opened now. Class io (missing, unreadable); usage (directory, FIFO, socket,
 * device). END only if it is still the file of its start: size, mtime and ctime (faults L06),
 * else class content, "changed while it was read". */
oras_code oras_source_file(const char *path, oras_source **out, oras_error *err);

/** The same for an open file, which is taken, also on failure; `name` is for messages. */
oras_code oras_source_fd(int fd, const char *name, oras_source **out, oras_error *err);

/** The same for a file whose name is its content: others may touch and replace it meanwhile, and
 * whoever takes the bytes verifies them. */
oras_code oras_source_blob(int fd, const char *name, oras_source **out, oras_error *err);

/** A bounded queue filled with oras_source_put(), its digest by that algorithm. `size` -1: known
 * at the end; else a producer that gives more or less is class content. */
oras_code oras_source_stream(size_t capacity, int64_t size, oras_algorithm algorithm,
                             oras_source **out, oras_error *err);

/** Is it one of oras_source_stream() or oras_pipe_new()? */
bool oras_source_is_stream(const oras_source *source);

/** Put bytes into a stream: all of them or, FULL, none (the producer goes on after
 * oras_source_set_producer's notification). FAILED when nobody reads any more. */
oras_flow oras_source_put(oras_source *source, const void *data, size_t size, oras_error *err);

/** No more comes (again: the same). Class content for less than `size`. */
oras_code oras_source_end(oras_source *source, oras_error *err);

/** The reader fails with this; the first cause stays. */
void oras_source_break(oras_source *source, const oras_error *err);
void oras_source_set_producer(oras_source *source, oras_notify notify);

/** A sink whose verified bytes are a source's: from one registry into another, without a file.
 * END comes only after size and digest were right. Both ends are the caller's to free, in any
 * order. `pool` (may be NULL) hashes what is big. */
oras_code oras_pipe_new(oras_pool *pool, size_t capacity, const oras_expect *expect,
                        oras_sink **sink, oras_source **source, oras_error *err);

void oras_source_free(oras_source *source);

/** -1: known at the end. */
int64_t oras_source_size(const oras_source *source);

/** The permissions that the file of a source has; 0: it is no file. */
unsigned oras_source_mode(const oras_source *source);

/** At most `capacity` bytes into `data`. */
oras_source_step oras_source_read(oras_source *source, void *data, size_t capacity, size_t *size,
                                  oras_error *err);

/** Go back (or forward) to a byte; where it stands and, before anything was read, 0 always
 * work. Class unsupported where the bytes are gone. */
oras_code oras_source_seek(oras_source *source, int64_t offset, oras_error *err);

/** Can it go back to byte 0 whenever it likes? */
bool oras_source_can_seek(const oras_source *source);

/** Whom to tell (from any thread) that a waiting source can go on. */
void oras_source_set_notify(oras_source *source, oras_notify notify);

/** With workers a read never waits for a disk but says WAIT; without (NULL, as in the beginning)
 * it waits, as who reads on a worker wants it. Where it stands stays. */
void oras_source_set_pool(oras_source *source, oras_pool *pool);

/** Digest (sha256) and size of all bytes, known once END was read; false before, and for kinds
 * that do not hash (memory, files). */
bool oras_source_digest(const oras_source *source, oras_digest *digest, int64_t *size);

/** Does this kind hash what it gives? */
bool oras_source_hashes(const oras_source *source);

/** All bytes of a source in memory, borrowed; NULL for other kinds. */
const void *oras_source_bytes(const oras_source *source);

#endif
