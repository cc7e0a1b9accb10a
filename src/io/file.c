/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "io/file.h"

#include "base/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#define BLOCK 65536

oras_code oras_file_open(const char *path, int *fd, int64_t *size, oras_error *err)
{
    _cleanup_(oras_close_fd) int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    struct stat st;

    if (file < 0 && errno != ENXIO)
        return oras_fail_errno(err, errno, "'%s'", path);
    if (file >= 0 && fstat(file, &st) != 0)
        return oras_fail_errno(err, errno, "'%s'", path);
    if (file >= 0 && S_ISDIR(st.st_mode))
        return oras_fail_errno(err, EISDIR, "'%s'", path);
    if (file < 0 || !S_ISREG(st.st_mode))
        return oras_fail(err, ORAS_C_IO, "'%s' is no regular file", path);
    *size = st.st_size;
    *fd = oras_steal_fd(&file);
    return ORAS_OK;
}

/* One byte more than allowed is asked for, so that a file of just the limit is told from a
 * longer one. */
oras_code oras_file_read_fd(int fd, const char *name, oras_buf *out, oras_error *err)
{
    for (;;) {
        char block[BLOCK];
        ssize_t n = read(fd, block, sizeof block);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return oras_fail_errno(err, errno, "'%s'", name);
        if (n == 0)
            return ORAS_OK;
        if (!oras_buf_append(out, block, (size_t)n))
            return oras_buf_check(out, name, err);
    }
}

oras_code oras_file_read(const char *path, size_t limit, oras_buf *out, oras_error *err)
{
    _cleanup_(oras_close_fd) int fd = -1;
    _cleanup_(oras_buf_dispose) oras_buf buf = ORAS_BUF_INIT(limit);
    int64_t size;
    oras_code code = oras_file_open(path, &fd, &size, err);

    if (!code)
        code = oras_file_read_fd(fd, path, &buf, err);
    if (code)
        return code;
    oras_buf_append(out, oras_buf_text(&buf), buf.size);
    return oras_buf_check(out, path, err);
}
