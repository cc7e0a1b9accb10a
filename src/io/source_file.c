/* SPDX-License-Identifier: MIT
 * A regular file as a source. What it gives is the file of its start or a failure: size and
 * times are looked at again before the last bytes leave, since with them a request would be
 * complete (faults L06).
 *
 * On the loop's thread a read must not wait for the disk: with workers at hand only what lies
 * in the page cache is read, and once something does not, a worker goes ahead. */
#define _GNU_SOURCE
#include "base/alloc.h"
#include "base/cleanup.h"
#include "io/ahead.h"
#include "io/source_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/vfs.h>

#define AHEAD   ((off_t)4 * 1024 * 1024) /* what the system may read before it is asked for */
#define BIG     ((int64_t)1024 * 1024)   /* less is read at once, wherever it lies */
#define NOT_YET (-2)

typedef struct file_source {
    oras_source base;
    int fd;
    char *name;
    bool by_content; /* who takes the bytes knows their digest: times mean nothing */
    struct stat start;
    int64_t position;
    int64_t advised;   /* so far the system was asked to read */
    oras_pool *pool;   /* NULL: a read may wait */
    oras_ahead *ahead; /* NULL: all was in the page cache so far */
} file_source;

static bool is_same_time(const struct timespec *a, const struct timespec *b)
{
    return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

static oras_code check_unchanged(const file_source *file, oras_error *err)
{
    struct stat now;

    if (fstat(file->fd, &now) != 0)
        return oras_fail_errno(err, errno, "'%s'", file->name);
    if (now.st_size == file->start.st_size &&
        (file->by_content || (is_same_time(&now.st_mtim, &file->start.st_mtim) &&
                              is_same_time(&now.st_ctim, &file->start.st_ctim))))
        return ORAS_OK;
    return oras_fail(err, ORAS_C_CONTENT, "'%s' changed while it was read", file->name);
}

/* The disk works while whoever reads does something else. */
static void advise(file_source *file)
{
    off_t at = (off_t)(file->advised > file->position ? file->advised : file->position);

    if (file->advised - file->position >= AHEAD / 2 || at >= (off_t)file->base.size)
        return;
    posix_fadvise(file->fd, at, AHEAD, POSIX_FADV_WILLNEED);
    file->advised = at + AHEAD;
}

static ssize_t read_some(const file_source *file, void *data, size_t size, int flags)
{
    struct iovec piece = {.iov_base = data, .iov_len = size};
    ssize_t n;

    do {
        n = preadv2(file->fd, &piece, 1, (off_t)file->position, flags);
    } while (n < 0 && errno == EINTR);
    return n;
}

/* Up to what the worker has fetched. */
static ssize_t read_behind(file_source *file, void *data, size_t size)
{
    int64_t ready = oras_ahead_ready(file->ahead, file->position);

    if (ready == 0)
        return NOT_YET;
    return read_some(file, data, (int64_t)size < ready ? size : (size_t)ready, 0);
}

/* A file system that has no page cache to wait for. */
static bool is_in_memory(int fd)
{
    struct statfs st;

    return fstatfs(fd, &st) == 0 && st.f_type == TMPFS_MAGIC;
}

/* Bytes are not there yet, or the file system cannot tell (EOPNOTSUPP). */
static ssize_t start_worker(file_source *file, void *data, size_t size)
{
    if ((errno == EOPNOTSUPP && is_in_memory(file->fd)) ||
        oras_ahead_new(file->pool, file->fd, file->base.size, &file->ahead, NULL)) {
        file->pool = NULL;
        return read_some(file, data, size, 0);
    }
    oras_ahead_restart(file->ahead, file->position);
    oras_ahead_set_notify(file->ahead, file->base.notify);
    return read_behind(file, data, size);
}

static ssize_t read_now(file_source *file, void *data, size_t size)
{
    ssize_t n;

    if (size == 0)
        return 0;
    if (file->ahead)
        return read_behind(file, data, size);
    if (!file->pool) {
        advise(file);
        return read_some(file, data, size, 0);
    }
    n = read_some(file, data, size, RWF_NOWAIT);
    return n < 0 && (errno == EAGAIN || errno == EOPNOTSUPP) ? start_worker(file, data, size) : n;
}

/* Never past the size of the start: what was added since is not part of it. */
static size_t n_wanted(const file_source *file, size_t capacity)
{
    int64_t left = file->base.size - file->position;

    return file->base.size >= 0 && left < (int64_t)capacity ? (size_t)left : capacity;
}

static oras_source_step file_read(oras_source *source, void *data, size_t capacity, size_t *size,
                                  oras_error *err)
{
    file_source *file = (file_source *)source;
    size_t wanted = n_wanted(file, capacity);
    ssize_t n = read_now(file, data, wanted);

    if (n == NOT_YET)
        return ORAS_SOURCE_WAIT;
    if (n < 0) {
        oras_fail_errno(err, errno, "read '%s'", file->name);
        return ORAS_SOURCE_FAILED;
    }
    if (n == 0 && wanted > 0 && source->size >= 0) {
        oras_fail(err, ORAS_C_CONTENT,
                  "'%s' changed while it was read: it ends at %lld of %lld bytes", file->name,
                  (long long)file->position, (long long)source->size);
        return ORAS_SOURCE_FAILED;
    }
    file->position += n;
    if ((n == 0 || file->position == source->size) && check_unchanged(file, err))
        return ORAS_SOURCE_FAILED;
    *size = (size_t)n;
    return n == 0 ? ORAS_SOURCE_END : ORAS_SOURCE_DATA;
}

static oras_code file_seek(oras_source *source, int64_t offset, oras_error *err)
{
    file_source *file = (file_source *)source;

    if (offset < 0 || (source->size >= 0 && offset > source->size))
        return oras_fail(err, ORAS_C_USAGE, "byte %lld of '%s', which has %lld", (long long)offset,
                         file->name, (long long)source->size);
    file->position = file->advised = offset;
    if (file->ahead)
        oras_ahead_restart(file->ahead, offset);
    return ORAS_OK;
}

static void file_set_notify(oras_source *source, oras_notify notify)
{
    file_source *file = (file_source *)source;

    source->notify = notify;
    if (file->ahead)
        oras_ahead_set_notify(file->ahead, notify);
}

static void file_set_pool(oras_source *source, oras_pool *pool)
{
    file_source *file = (file_source *)source;

    oras_ahead_free(file->ahead);
    file->ahead = NULL;
    file->pool = source->size >= BIG ? pool : NULL;
}

static void file_free(oras_source *source)
{
    file_source *file = (file_source *)source;

    oras_ahead_free(file->ahead);
    oras_close_fd(&file->fd);
    oras_dealloc(file->name);
    oras_dealloc(file);
}

static const oras_source_ops file_ops = {.read = file_read,
                                         .seek = file_seek,
                                         .set_notify = file_set_notify,
                                         .set_pool = file_set_pool,
                                         .free = file_free};

/* Files of the kernel (/proc) have bytes although their size is 0. */
static int64_t true_size(const file_source *file)
{
    char byte;

    if (file->start.st_size == 0 && read_some(file, &byte, 1, 0) != 0)
        return -1;
    return (int64_t)file->start.st_size;
}

static oras_code look_at(file_source *file, oras_error *err)
{
    if (fstat(file->fd, &file->start) != 0)
        return oras_fail_errno(err, errno, "'%s'", file->name);
    if (S_ISDIR(file->start.st_mode))
        return oras_fail(err, ORAS_C_USAGE, "'%s' is a directory, expected a regular file",
                         file->name);
    if (!S_ISREG(file->start.st_mode))
        return oras_fail(err, ORAS_C_USAGE, "'%s' is no regular file", file->name);
    file->base.size = true_size(file);
    file->base.mode = file->start.st_mode & 0777;
    return ORAS_OK;
}

static oras_code take_fd(int fd, const char *name, bool by_content, oras_source **out,
                         oras_error *err)
{
    file_source *file = oras_alloc_zero(1, sizeof *file);
    oras_code code;

    if (!file) {
        oras_close_fd(&fd);
        return oras_fail_memory(err);
    }
    file->base.ops = &file_ops;
    file->fd = fd;
    file->by_content = by_content;
    file->name = oras_strdup(name);
    code = file->name ? look_at(file, err) : oras_fail_memory(err);
    if (code)
        file_free(&file->base);
    else
        *out = &file->base;
    return code;
}

oras_code oras_source_fd(int fd, const char *name, oras_source **out, oras_error *err)
{
    return take_fd(fd, name, false, out, err);
}

oras_code oras_source_blob(int fd, const char *name, oras_source **out, oras_error *err)
{
    return take_fd(fd, name, true, out, err);
}

/* O_NONBLOCK: opening a FIFO must not wait for its writer. A socket cannot be opened. */
oras_code oras_source_file(const char *path, oras_source **out, oras_error *err)
{
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);

    if (fd < 0 && errno == ENXIO)
        return oras_fail(err, ORAS_C_USAGE, "'%s' is no regular file", path);
    if (fd < 0)
        return oras_fail_errno(err, errno, "'%s'", path);
    return oras_source_fd(fd, path, out, err);
}
