/* SPDX-License-Identifier: MIT
 * A blob of a layout as a source: a file of its own (io/source_file.c), or a part of a tar. */
#define _GNU_SOURCE
#include "base/alloc.h"
#include "base/cleanup.h"
#include "io/layout_internal.h"
#include "io/source_internal.h"

#include <errno.h>

typedef struct blob_source {
    oras_source base;
    oras_extent extent;
    int64_t position;
} blob_source;

static oras_source_step blob_read(oras_source *source, void *data, size_t capacity, size_t *size,
                                  oras_error *err)
{
    blob_source *blob = (blob_source *)source;
    int64_t left = source->size - blob->position;
    size_t wanted = left < (int64_t)capacity ? (size_t)left : capacity;
    ssize_t n;

    if (wanted == 0)
        return ORAS_SOURCE_END;
    do {
        n = pread(blob->extent.fd, data, wanted, (off_t)(blob->extent.offset + blob->position));
    } while (n < 0 && errno == EINTR);
    if (n > 0) {
        blob->position += n;
        *size = (size_t)n;
        return ORAS_SOURCE_DATA;
    }
    if (n < 0)
        oras_fail_errno(err, errno, "read of a blob");
    else
        oras_fail(err, ORAS_C_CONTENT, "the blob was cut off while it was read");
    return ORAS_SOURCE_FAILED;
}

static oras_code blob_seek(oras_source *source, int64_t offset, oras_error *err)
{
    if (offset < 0 || offset > source->size)
        return oras_fail(err, ORAS_C_USAGE, "byte %lld of a blob of %lld bytes", (long long)offset,
                         (long long)source->size);
    ((blob_source *)source)->position = offset;
    return ORAS_OK;
}

static void blob_free(oras_source *source)
{
    oras_close_fd(&((blob_source *)source)->extent.fd);
    oras_dealloc(source);
}

static oras_code part_of_tar(const oras_extent *extent, oras_source **out, oras_error *err)
{
    static const oras_source_ops ops = {.read = blob_read, .seek = blob_seek, .free = blob_free};
    blob_source *blob = oras_alloc_zero(1, sizeof *blob);
    int fd = extent->fd;

    if (!blob) {
        oras_close_fd(&fd);
        return oras_fail_memory(err);
    }
    blob->base.ops = &ops;
    blob->base.size = extent->size;
    blob->extent = *extent;
    *out = &blob->base;
    return ORAS_OK;
}

oras_code oras_layout_source(oras_layout *layout, const oras_digest *digest, oras_source **out,
                             oras_error *err)
{
    oras_extent extent;
    oras_code code = oras_layout_blob(layout, digest, &extent, err);

    if (code)
        return code;
    if (oras_layout_is_tar(layout))
        return part_of_tar(&extent, out, err);
    return oras_source_blob(extent.fd, oras_layout_name_of(digest).text, out, err);
}
