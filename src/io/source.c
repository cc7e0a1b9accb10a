/* SPDX-License-Identifier: MIT
 * What all sources have in common, and the simplest: memory. */
#include "base/alloc.h"
#include "io/source_internal.h"

#include <string.h>

void oras_source_free(oras_source *source)
{
    if (source)
        source->ops->free(source);
}

int64_t oras_source_size(const oras_source *source)
{
    return source->size;
}

unsigned oras_source_mode(const oras_source *source)
{
    return source->mode;
}

oras_source_step oras_source_read(oras_source *source, void *data, size_t capacity, size_t *size,
                                  oras_error *err)
{
    *size = 0;
    return source->ops->read(source, data, capacity, size, err);
}

oras_code oras_source_seek(oras_source *source, int64_t offset, oras_error *err)
{
    if (!source->ops->seek)
        return oras_fail(err, ORAS_C_UNSUPPORTED, "a source of this kind cannot go to byte %lld",
                         (long long)offset);
    return source->ops->seek(source, offset, err);
}

bool oras_source_can_seek(const oras_source *source)
{
    if (source->ops->can_seek)
        return source->ops->can_seek(source);
    return source->ops->seek != NULL;
}

void oras_source_set_notify(oras_source *source, oras_notify notify)
{
    if (source->ops->set_notify)
        source->ops->set_notify(source, notify);
    else
        source->notify = notify;
}

void oras_source_set_pool(oras_source *source, oras_pool *pool)
{
    if (source->ops->set_pool)
        source->ops->set_pool(source, pool);
}

bool oras_source_digest(const oras_source *source, oras_digest *digest, int64_t *size)
{
    return source->ops->digest && source->ops->digest(source, digest, size);
}

bool oras_source_hashes(const oras_source *source)
{
    return source->ops->digest != NULL;
}

/* --- memory ---------------------------------------------------------------------------- */

typedef struct memory_source {
    oras_source base;
    const char *data;
    int64_t position;
} memory_source;

static oras_source_step memory_read(oras_source *source, void *data, size_t capacity, size_t *size,
                                    oras_error *err)
{
    memory_source *memory = (memory_source *)source;
    int64_t left = source->size - memory->position;

    (void)err;
    if (left == 0)
        return ORAS_SOURCE_END;
    *size = left < (int64_t)capacity ? (size_t)left : capacity;
    memcpy(data, memory->data + memory->position, *size);
    memory->position += (int64_t)*size;
    return ORAS_SOURCE_DATA;
}

static oras_code memory_seek(oras_source *source, int64_t offset, oras_error *err)
{
    memory_source *memory = (memory_source *)source;

    if (offset < 0 || offset > source->size)
        return oras_fail(err, ORAS_C_USAGE, "byte %lld of a source of %lld bytes",
                         (long long)offset, (long long)source->size);
    memory->position = offset;
    return ORAS_OK;
}

static void memory_free(oras_source *source)
{
    oras_dealloc(source);
}

static const oras_source_ops memory_ops = {
    .read = memory_read, .seek = memory_seek, .free = memory_free};

oras_code oras_source_memory(const void *data, size_t size, oras_source **out, oras_error *err)
{
    memory_source *memory = oras_alloc_zero(1, sizeof *memory);

    if (!memory)
        return oras_fail_memory(err);
    memory->base.ops = &memory_ops;
    memory->base.size = (int64_t)size;
    memory->data = data;
    *out = &memory->base;
    return ORAS_OK;
}

const void *oras_source_bytes(const oras_source *source)
{
    return source->ops == &memory_ops ? ((const memory_source *)source)->data : NULL;
}
