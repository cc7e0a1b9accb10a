/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "io/layout_pack.h"

#include "base/alloc.h"
#include "base/cleanup.h"
#include "io/layout_internal.h"
#include "io/tar_write.h"
#include "io/target.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define BLOCK ((size_t)1024 * 1024) /* at once, then it is looked whether anybody waits */

typedef struct writer {
    const oras_layout_pack *pack;
    oras_target target;
    int64_t position;
    bool cannot_copy; /* the file system does not copy between files */
    char *block;
} writer;

static oras_code put(writer *w, const void *data, size_t size, oras_error *err)
{
    oras_code code = oras_target_write(&w->target, data, size, w->position, err);

    w->position += (int64_t)size;
    return code;
}

static oras_code put_zeros(writer *w, size_t size, oras_error *err)
{
    static const char zeros[ORAS_TAR_END_SIZE];

    return size ? put(w, zeros, size, err) : ORAS_OK;
}

static oras_code put_header(writer *w, char type, const char *name, int64_t size, oras_error *err)
{
    _cleanup_(oras_buf_dispose) oras_buf blocks = ORAS_BUF_INIT(65536);
    const oras_tar_member member = {.type = type,
                                    .name = name,
                                    .linkname = "",
                                    .size = size,
                                    .mode = type == '5' ? 0755 : 0644};
    oras_code code = oras_tar_write_header(&member, &blocks, err);

    return code ? code : put(w, blocks.data, blocks.size, err);
}

static oras_code put_file(writer *w, const char *name, const void *data, size_t size,
                          oras_error *err)
{
    oras_code code = put_header(w, '0', name, (int64_t)size, err);

    if (!code)
        code = put(w, data, size, err);
    return code ? code : put_zeros(w, oras_tar_padding((int64_t)size), err);
}

/* --- blobs -------------------------------------------------------------------------------- */

/* Some bytes from file to file inside the kernel, if it can. */
static ssize_t copy_some(writer *w, const oras_extent *from, int64_t at, size_t size)
{
    off64_t in = from->offset + at, out = w->position;
    ssize_t n = -1;

    if (!w->cannot_copy)
        n = copy_file_range(from->fd, &in, w->target.fd, &out, size, 0);
    if (n < 0 && errno != EINTR && errno != ENOSPC && errno != EDQUOT && errno != EIO)
        w->cannot_copy = true;
    return n;
}

static oras_code fail_read(ssize_t n, const oras_digest *digest, oras_error *err)
{
    if (n < 0)
        return oras_fail_errno(err, errno, "read of blob '%s'", digest->text);
    return oras_fail(err, ORAS_C_CONTENT, "blob '%s' was cut off while it was read", digest->text);
}

static oras_code move_some(writer *w, const oras_extent *from, int64_t at, size_t size,
                           ssize_t *moved, oras_error *err)
{
    *moved = copy_some(w, from, at, size);
    if (*moved > 0)
        w->position += *moved;
    if (*moved >= 0)
        return ORAS_OK;
    if (!w->cannot_copy && errno != EINTR)
        return oras_fail_errno(err, errno, "cannot write '%s'", w->pack->path);
    *moved = pread(from->fd, w->block, size, (off_t)(from->offset + at));
    if (*moved < 0 && errno == EINTR) {
        *moved = 0;
        return ORAS_OK;
    }
    return *moved > 0 ? put(w, w->block, (size_t)*moved, err) : ORAS_OK;
}

static oras_code put_bytes(writer *w, const oras_extent *from, const oras_digest *digest,
                           oras_error *err)
{
    int64_t at = 0;

    while (at < from->size) {
        int64_t left = from->size - at;
        ssize_t n = 0;
        oras_code code =
            move_some(w, from, at, left < (int64_t)BLOCK ? (size_t)left : BLOCK, &n, err);

        if (code)
            return code;
        if (n <= 0)
            return fail_read(n, digest, err);
        if (atomic_load(&w->pack->abandoned))
            return oras_fail(err, ORAS_C_CANCELLED, "cancelled");
        at += n;
    }
    return put_zeros(w, oras_tar_padding(from->size), err);
}

static oras_code find(const writer *w, const oras_digest *digest, oras_extent *out, oras_error *err)
{
    oras_code code = ORAS_ENOTFOUND;

    for (size_t i = 0; i < 2 && code == ORAS_ENOTFOUND; i++) {
        if (w->pack->layouts[i])
            code = oras_layout_blob(w->pack->layouts[i], digest, out, err);
    }
    return code;
}

static oras_code put_blob(writer *w, const oras_digest *digest, oras_error *err)
{
    oras_extent from;
    oras_code code = find(w, digest, &from, err);

    if (code)
        return code;
    code = put_header(w, '0', oras_layout_name_of(digest).text, from.size, err);
    if (!code)
        code = put_bytes(w, &from, digest, err);
    oras_close_fd(&from.fd);
    return code;
}

static oras_code put_blobs(writer *w, oras_error *err)
{
    const oras_layout_pack *pack = w->pack;
    oras_code code = put_header(w, '5', ORAS_LAYOUT_BLOBS, 0, err);

    for (size_t i = 0; i < pack->n_digests && !code; i++) {
        const oras_digest *digest = &pack->digests[i];
        char directory[64];

        if (i == 0 || pack->digests[i - 1].algorithm != digest->algorithm) {
            snprintf(directory, sizeof directory, ORAS_LAYOUT_BLOBS "/%s",
                     oras_algorithm_name(digest->algorithm));
            code = put_header(w, '5', directory, 0, err);
        }
        if (!code)
            code = put_blob(w, digest, err);
    }
    return code;
}

static oras_code put_all(writer *w, oras_error *err)
{
    const oras_layout_pack *pack = w->pack;
    oras_code code = put_blobs(w, err);

    if (!code)
        code = put_file(w, ORAS_LAYOUT_INDEX, pack->index, pack->index_size, err);
    if (!code)
        code = put_file(w, ORAS_LAYOUT_MARKER, ORAS_LAYOUT_MARKER_TEXT,
                        strlen(ORAS_LAYOUT_MARKER_TEXT), err);
    return code ? code : put_zeros(w, ORAS_TAR_END_SIZE, err);
}

oras_code oras_layout_pack_write(const oras_layout_pack *pack, oras_error *err)
{
    const oras_file_target wanted = {
        .path = pack->path, .overwrite = pack->replace, .durable = true};
    writer w = {.pack = pack, .block = oras_alloc(BLOCK)};
    oras_code code = w.block ? ORAS_OK : oras_fail_memory(err);

    if (code)
        return code;
    code = oras_target_init(&w.target, &wanted, err);
    if (!code) {
        code = oras_target_open(&w.target, NULL, err);
        if (!code)
            code = put_all(&w, err);
        if (!code)
            code = oras_target_publish(&w.target, pack->umask, err);
        oras_target_close(&w.target, false);
        oras_target_dispose(&w.target);
    }
    oras_dealloc(w.block);
    return code;
}
