/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "io/spool.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void oras_spool_init(oras_spool *spool)
{
    oras_buf_init(&spool->memory, ORAS_SPOOL_MEMORY);
    spool->fd = -1;
    spool->size = 0;
}

void oras_spool_dispose(oras_spool *spool)
{
    oras_buf_dispose(&spool->memory);
    if (spool->fd >= 0)
        close(spool->fd);
    spool->fd = -1;
}

static int open_named(const char *dir)
{
    char path[4096];
    int n = snprintf(path, sizeof path, "%s/oras-XXXXXX", dir);
    int fd;

    if (n < 0 || (size_t)n >= sizeof path) {
        errno = ENAMETOOLONG;
        return -1;
    }
    fd = mkostemp(path, O_CLOEXEC);
    if (fd >= 0)
        unlink(path);
    return fd;
}

static int open_unnamed(const char *dir)
{
#ifdef O_TMPFILE
    int fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

    /* EISDIR: a kernel that does not know the flag; EOPNOTSUPP: a file system */
    if (fd >= 0 || (errno != EISDIR && errno != EOPNOTSUPP && errno != EINVAL))
        return fd;
#endif
    return open_named(dir);
}

static oras_code write_all(oras_spool *spool, const char *data, size_t size, oras_error *err)
{
    while (size) {
        ssize_t n = write(spool->fd, data, size);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return oras_fail_errno(err, errno, "write of a temporary file");
        data += n;
        size -= (size_t)n;
    }
    return ORAS_OK;
}

static oras_code move_to_file(oras_spool *spool, oras_error *err)
{
    const char *dir = getenv("TMPDIR");
    oras_code code;

    if (!dir || !*dir)
        dir = "/tmp";
    spool->fd = open_unnamed(dir);
    if (spool->fd < 0)
        return oras_fail_errno(err, errno, "temporary file in '%s'", dir);
    code = write_all(spool, oras_buf_text(&spool->memory), spool->memory.size, err);
    oras_buf_dispose(&spool->memory);
    return code;
}

oras_code oras_spool_append(oras_spool *spool, const void *data, size_t size, oras_error *err)
{
    oras_code code = ORAS_OK;

    if (spool->fd < 0 && size > ORAS_SPOOL_MEMORY - spool->memory.size)
        code = move_to_file(spool, err);
    if (code)
        return code;
    spool->size += (int64_t)size;
    if (spool->fd >= 0)
        return write_all(spool, data, size, err);
    oras_buf_append(&spool->memory, data, size);
    return oras_buf_check(&spool->memory, "a spooled archive", err);
}
