/* SPDX-License-Identifier: MIT
 * What a directory below a root holds, and where links lead: to be compared, never followed. */
#define _GNU_SOURCE
#include "base/cleanup.h"
#include "io/root.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>

static oras_code read_names(DIR *stream, oras_buf *out, const char *path, oras_error *err)
{
    for (;;) {
        const struct dirent *entry;

        errno = 0;
        entry = readdir(stream);
        if (!entry)
            break;
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            oras_buf_append(out, entry->d_name, strlen(entry->d_name) + 1);
    }
    return errno ? oras_root_explain(errno, path, err)
                 : oras_buf_check(out, "the names in a directory", err);
}

oras_code oras_root_list(int root, const char *path, oras_buf *out, oras_error *err)
{
    _cleanup_(oras_close_fd) int dir = -1;
    DIR *stream;
    oras_code code = oras_root_dir(root, path, false, &dir, err);
    int fd;

    if (code)
        return code;
    fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    stream = fd < 0 ? NULL : fdopendir(fd);
    if (!stream) {
        int number = errno;

        oras_close_fd(&fd);
        return oras_root_explain(number, path, err);
    }
    code = read_names(stream, out, path, err);
    closedir(stream);
    return code;
}

oras_code oras_root_link(int root, const char *path, oras_buf *out, oras_error *err)
{
    _cleanup_(oras_close_fd) int dir = -1;
    const char *name;
    char target[PATH_MAX];
    ssize_t n;
    oras_code code = oras_root_parent(root, path, false, &dir, &name, err);

    if (code)
        return code;
    n = readlinkat(dir, name, target, sizeof target);
    if (n < 0)
        return oras_root_explain(errno, path, err);
    oras_buf_append(out, target, (size_t)n);
    return oras_buf_check(out, "the target of a link", err);
}
