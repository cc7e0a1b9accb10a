/* SPDX-License-Identifier: MIT */
#include "io/pack_tar.h"

#include "io/tar_write.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#define HALF_SECOND 500000000

void oras_pack_tar_init(oras_pack_tar *tar, oras_walk *walk, int64_t mtime, atomic_bool *stop)
{
    memset(tar, 0, sizeof *tar);
    tar->walk = walk;
    tar->mtime = mtime;
    tar->stop = stop;
    oras_buf_init(&tar->head, SIZE_MAX - 1);
}

void oras_pack_tar_dispose(oras_pack_tar *tar)
{
    oras_walk_free(tar->walk);
    oras_buf_dispose(&tar->head);
}

void oras_pack_tar_restart(oras_pack_tar *tar)
{
    oras_walk_restart(tar->walk);
    oras_buf_clear(&tar->head);
    tar->head_at = tar->n_zeros = 0;
    tar->left = 0;
    tar->in_file = tar->last = false;
}

/* --- entries -------------------------------------------------------------------------------- */

/* To the nearest second, as Go does it. */
static int64_t mtime_of(const oras_pack_tar *tar)
{
    const struct timespec *own = &tar->entry.st.st_mtim;

    return tar->mtime >= 0 ? tar->mtime : own->tv_sec + (own->tv_nsec >= HALF_SECOND);
}

static oras_code put_header(oras_pack_tar *tar, oras_error *err)
{
    const struct stat *st = &tar->entry.st;
    oras_tar_member member = {
        .type = S_ISREG(st->st_mode)   ? '0'
                : S_ISDIR(st->st_mode) ? '5'
                                       : '2',
        .name = tar->entry.name,
        .linkname = tar->entry.linkname,
        .size = S_ISREG(st->st_mode) ? st->st_size : 0,
        .mtime = mtime_of(tar),
        .mode = st->st_mode & 07777,
    };

    tar->in_file = S_ISREG(st->st_mode);
    tar->at = 0;
    tar->left = member.size;
    oras_buf_clear(&tar->head);
    tar->head_at = 0;
    return oras_tar_write_header(&member, &tar->head, err);
}

static oras_code next_entry(oras_pack_tar *tar, oras_error *err)
{
    bool ended;
    oras_code code = oras_walk_next(tar->walk, &tar->entry, &ended, err);

    if (code || !ended)
        return code ? code : put_header(tar, err);
    tar->last = true;
    tar->n_zeros = ORAS_TAR_END_SIZE;
    return ORAS_OK;
}

/* --- files ---------------------------------------------------------------------------------- */

static ssize_t read_file(const oras_pack_tar *tar, char *data, size_t capacity)
{
    ssize_t n;

    do {
        n = pread(tar->entry.fd, data, capacity, tar->at);
    } while (n < 0 && errno == EINTR);
    return n;
}

/* All of it was read. Files of /proc say that they have no bytes, and have some. */
static oras_code finish_file(oras_pack_tar *tar, oras_error *err)
{
    char more;

    if (tar->at == 0 && read_file(tar, &more, 1) > 0)
        return oras_fail(err, ORAS_C_CONTENT, "'%s' has more bytes than its size says",
                         tar->entry.shown);
    tar->in_file = false;
    tar->n_zeros = oras_tar_padding(tar->at);
    return oras_walk_check_file(&tar->entry, err);
}

static oras_code fill_from_file(oras_pack_tar *tar, char *data, size_t capacity, size_t *n,
                                oras_error *err)
{
    size_t most = (uint64_t)tar->left < capacity ? (size_t)tar->left : capacity;
    ssize_t got = most ? read_file(tar, data, most) : 0;

    *n = 0;
    if (got < 0)
        return oras_fail_errno(err, errno, "'%s'", tar->entry.shown);
    if (got == 0 && most)
        return oras_fail(err, ORAS_C_CONTENT, "'%s' became shorter while it was packed",
                         tar->entry.shown);
    *n = (size_t)got;
    tar->at += got;
    tar->left -= got;
    return tar->left ? ORAS_OK : finish_file(tar, err);
}

/* --- bytes ---------------------------------------------------------------------------------- */

static size_t fill_from_head(oras_pack_tar *tar, char *data, size_t capacity)
{
    size_t n = tar->head.size - tar->head_at;

    if (n > capacity)
        n = capacity;
    memcpy(data, tar->head.data + tar->head_at, n);
    tar->head_at += n;
    return n;
}

static size_t fill_zeros(oras_pack_tar *tar, char *data, size_t capacity)
{
    size_t n = tar->n_zeros < capacity ? tar->n_zeros : capacity;

    memset(data, 0, n);
    tar->n_zeros -= n;
    return n;
}

static oras_code fill_some(oras_pack_tar *tar, char *data, size_t capacity, size_t *n,
                           oras_error *err)
{
    *n = 0;
    if (atomic_load_explicit(tar->stop, memory_order_relaxed))
        return oras_fail(err, ORAS_C_CANCELLED, "cancelled");
    if (tar->head_at < tar->head.size)
        *n = fill_from_head(tar, data, capacity);
    else if (tar->in_file)
        return fill_from_file(tar, data, capacity, n, err);
    else if (tar->n_zeros > 0)
        *n = fill_zeros(tar, data, capacity);
    else
        return next_entry(tar, err);
    return ORAS_OK;
}

oras_code oras_pack_tar_read(oras_pack_tar *tar, char *data, size_t capacity, size_t *size,
                             bool *ended, oras_error *err)
{
    size_t used = 0;

    while (used < capacity && !(tar->last && tar->n_zeros == 0)) {
        size_t n;
        oras_code code = fill_some(tar, data + used, capacity - used, &n, err);

        if (code)
            return code;
        used += n;
    }
    *size = used;
    *ended = tar->last && tar->n_zeros == 0;
    return ORAS_OK;
}
