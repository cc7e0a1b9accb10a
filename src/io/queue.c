/* SPDX-License-Identifier: MIT */
#include "io/queue.h"

#include "base/alloc.h"

#include <string.h>

struct oras_queue {
    int n_refs;
    char *ring; /* byte `i` of the stream stands at i % capacity */
    size_t capacity;
    int64_t size;           /* of the whole; -1: unknown */
    int64_t written, given; /* how far writer and reader are */
    int64_t held;           /* what comes behind must stay */
    bool ended, left;       /* the writer is through; the reader is gone */
    bool reader_waits, writer_waits;
    oras_digest digest; /* once it has ended */
    oras_error failure;
    oras_notify reader, writer;
};

oras_code oras_queue_new(size_t capacity, int64_t size, oras_queue **out, oras_error *err)
{
    oras_queue *queue = oras_alloc_zero(1, sizeof *queue);

    if (!queue)
        return oras_fail_memory(err);
    queue->n_refs = 1;
    queue->capacity = capacity;
    queue->size = size;
    queue->held = INT64_MAX;
    *out = queue;
    return ORAS_OK;
}

oras_queue *oras_queue_ref(oras_queue *queue)
{
    queue->n_refs++;
    return queue;
}

void oras_queue_unref(oras_queue *queue)
{
    if (!queue || --queue->n_refs > 0)
        return;
    oras_dealloc(queue->ring);
    oras_dealloc(queue);
}

static void tell(oras_notify notify)
{
    if (notify.fn)
        notify.fn(notify.ud);
}

static void tell_reader(oras_queue *queue)
{
    if (!queue->reader_waits)
        return;
    queue->reader_waits = false;
    tell(queue->reader);
}

static void tell_writer(oras_queue *queue)
{
    if (!queue->writer_waits)
        return;
    queue->writer_waits = false;
    tell(queue->writer);
}

static size_t n_unread(const oras_queue *queue)
{
    return (size_t)(queue->written - queue->given);
}

static size_t n_free(const oras_queue *queue)
{
    int64_t oldest = queue->given < queue->held ? queue->given : queue->held;

    return queue->capacity - (size_t)(queue->written - oldest);
}

static void append(oras_queue *queue, const char *data, size_t size)
{
    size_t at = (size_t)(queue->written % (int64_t)queue->capacity);
    size_t first = queue->capacity - at < size ? queue->capacity - at : size;

    memcpy(queue->ring + at, data, first);
    memcpy(queue->ring, data + first, size - first);
    queue->written += (int64_t)size;
}

/* May `size` more bytes come at all? */
static oras_code admit(oras_queue *queue, size_t size, oras_error *err)
{
    if (queue->failure.code) {
        if (err)
            *err = queue->failure;
        return queue->failure.code;
    }
    if (queue->left)
        return oras_fail(err, ORAS_C_CANCELLED, "nobody reads what is written");
    if (queue->ended)
        return oras_fail(err, ORAS_C_USAGE, "bytes after the end of a source");
    if (size > queue->capacity)
        return oras_fail(err, ORAS_C_USAGE, "%zu bytes at once, expected at most %zu", size,
                         queue->capacity);
    if (queue->size < 0 || (int64_t)size <= queue->size - queue->written)
        return ORAS_OK;
    oras_fail(&queue->failure, ORAS_C_CONTENT, "source gives more than the %lld bytes expected",
              (long long)queue->size);
    tell_reader(queue);
    return admit(queue, size, err);
}

oras_flow oras_queue_put(oras_queue *queue, const void *data, size_t size, oras_error *err)
{
    if (admit(queue, size, err))
        return ORAS_FLOW_FAILED;
    if (size == 0)
        return ORAS_FLOW_OK;
    if (size > n_free(queue)) {
        queue->writer_waits = true;
        return ORAS_FLOW_FULL;
    }
    if (!queue->ring && !(queue->ring = oras_alloc(queue->capacity))) {
        oras_fail_memory(err);
        return ORAS_FLOW_FAILED;
    }
    append(queue, data, size);
    tell_reader(queue);
    return ORAS_FLOW_OK;
}

oras_code oras_queue_end(oras_queue *queue, const oras_digest *digest, oras_error *err)
{
    if (!queue->failure.code && queue->size >= 0 && queue->written != queue->size)
        oras_fail(&queue->failure, ORAS_C_CONTENT, "source gave %lld bytes, expected %lld",
                  (long long)queue->written, (long long)queue->size);
    queue->ended = !queue->failure.code;
    queue->digest = *digest;
    if (queue->failure.code && err)
        *err = queue->failure;
    tell_reader(queue);
    return queue->failure.code;
}

void oras_queue_break(oras_queue *queue, const oras_error *err)
{
    if (queue->ended || queue->failure.code)
        return;
    queue->failure = *err;
    tell_reader(queue);
    tell_writer(queue);
}

void oras_queue_set_writer(oras_queue *queue, oras_notify notify)
{
    queue->writer = notify;
}

void oras_queue_hold(oras_queue *queue, int64_t position)
{
    queue->held = position;
}

size_t oras_queue_piece(const oras_queue *queue, int64_t position, int64_t size, const char **data)
{
    size_t at = (size_t)(position % (int64_t)queue->capacity), to_end = queue->capacity - at;

    *data = queue->ring + at;
    return size < (int64_t)to_end ? (size_t)size : to_end;
}

int64_t oras_queue_written(const oras_queue *queue)
{
    return queue->written;
}

bool oras_queue_digest(const oras_queue *queue, oras_digest *digest, int64_t *size)
{
    if (!queue->ended)
        return false;
    *digest = queue->digest;
    *size = queue->written;
    return true;
}

static size_t n_readable(const oras_queue *queue)
{
    size_t n = n_unread(queue);

    return n > 0 && !queue->ended && queue->written == queue->size ? n - 1 : n;
}

static void copy_out(oras_queue *queue, char *data, size_t size)
{
    size_t at = (size_t)(queue->given % (int64_t)queue->capacity);
    size_t first = queue->capacity - at < size ? queue->capacity - at : size;

    memcpy(data, queue->ring + at, first);
    memcpy(data + first, queue->ring, size - first);
    queue->given += (int64_t)size;
    if (n_unread(queue) <= queue->capacity / 2)
        tell_writer(queue);
}

oras_source_step oras_queue_read(oras_queue *queue, void *data, size_t capacity, size_t *size,
                                 oras_error *err)
{
    size_t n = n_readable(queue);

    *size = 0;
    if (queue->failure.code) {
        if (err)
            *err = queue->failure;
        return ORAS_SOURCE_FAILED;
    }
    if (n > 0) {
        *size = n < capacity ? n : capacity;
        copy_out(queue, data, *size);
        return ORAS_SOURCE_DATA;
    }
    if (queue->ended)
        return ORAS_SOURCE_END;
    queue->reader_waits = true;
    return ORAS_SOURCE_WAIT;
}

oras_code oras_queue_seek(oras_queue *queue, int64_t offset, oras_error *err)
{
    int64_t oldest = queue->written - (int64_t)queue->capacity;

    if (offset < 0 || offset > queue->written || offset < oldest)
        return oras_fail(err, ORAS_C_UNSUPPORTED,
                         "a source that streams cannot go to byte %lld, it is at %lld",
                         (long long)offset, (long long)queue->given);
    queue->given = offset;
    return ORAS_OK;
}

bool oras_queue_keeps_all(const oras_queue *queue)
{
    int64_t all = queue->ended ? queue->written : queue->size;

    return all >= 0 && all <= (int64_t)queue->capacity;
}

void oras_queue_set_reader(oras_queue *queue, oras_notify notify)
{
    queue->reader = notify;
}

void oras_queue_leave(oras_queue *queue)
{
    queue->left = true;
    queue->reader = (oras_notify){NULL, NULL};
    tell_writer(queue);
}
