/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "base/cleanup.h"
#include "io/layout_internal.h"
#include "io/partial.h"
#include "io/root.h"
#include "io/target.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>

/* --- files ---------------------------------------------------------------------------------- */

oras_code oras_layout_write_file(int root, const char *name, const void *data, size_t size,
                                 mode_t umask, const oras_file_target *how, oras_error *err)
{
    oras_file_target wanted = *how;
    oras_target target;
    oras_code code;

    wanted.root = &root;
    wanted.path = name;
    code = oras_target_init(&target, &wanted, err);
    if (code)
        return code;
    code = oras_target_open(&target, NULL, err);
    if (!code)
        code = oras_target_write(&target, data, size, 0, err);
    if (!code)
        code = oras_target_publish(&target, umask, err);
    oras_target_close(&target, false);
    oras_target_dispose(&target);
    return code;
}

/* --- the index ------------------------------------------------------------------------------ */

/* What is locked: the marker of a directory, or the tar. Who may not write it can still lock
 * it, but on NFS. */
static int open_locked(const oras_layout *layout)
{
    const int flags = O_NONBLOCK | O_NOCTTY | O_CLOEXEC | (layout->tar ? 0 : O_NOFOLLOW);
    int dir = layout->tar ? AT_FDCWD : layout->root;
    const char *name = layout->tar ? layout->path : ORAS_LAYOUT_MARKER;
    int fd = openat(dir, name, O_RDWR | flags);

    if (fd < 0 && (errno == EACCES || errno == EROFS || errno == EPERM))
        fd = openat(dir, name, O_RDONLY | flags);
    return fd;
}

/* It may have been replaced meanwhile: a lock on the old one is none. */
static bool is_same(const oras_layout *layout, int fd)
{
    struct stat opened, named;
    int rc = layout->tar ? stat(layout->path, &named)
                         : fstatat(layout->root, ORAS_LAYOUT_MARKER, &named, AT_SYMLINK_NOFOLLOW);

    return rc == 0 && fstat(fd, &opened) == 0 && opened.st_dev == named.st_dev &&
           opened.st_ino == named.st_ino;
}

oras_code oras_layout_try_lock(const oras_layout *layout, int *fd, oras_error *err)
{
    _cleanup_(oras_close_fd) int locked = open_locked(layout);
    int rc;

    *fd = -1;
    if (locked < 0)
        return oras_fail_errno(err, errno, "cannot lock layout '%s'", layout->path);
    do {
        rc = flock(locked, LOCK_EX | LOCK_NB);
    } while (rc != 0 && errno == EINTR);
    if (rc != 0 && errno != EWOULDBLOCK)
        return oras_fail_errno(err, errno, "cannot lock layout '%s'", layout->path);
    if (rc == 0 && is_same(layout, locked))
        *fd = oras_steal_fd(&locked);
    return ORAS_OK;
}

static oras_code check_directory(const oras_layout *layout, oras_error *err)
{
    if (!layout->tar)
        return ORAS_OK;
    return oras_fail(err, ORAS_C_USAGE, "layout '%s' is a tar, which is written as a whole",
                     layout->path);
}

oras_code oras_layout_write_index(const oras_layout *layout, const void *data, size_t size,
                                  mode_t umask, oras_error *err)
{
    static const oras_file_target how = {.overwrite = true, .durable = true};
    oras_code code = check_directory(layout, err);

    return code ? code
                : oras_layout_write_file(layout->root, ORAS_LAYOUT_INDEX, data, size, umask, &how,
                                         err);
}

/* --- blobs ---------------------------------------------------------------------------------- */

oras_code oras_layout_sink(const oras_layout *layout, oras_pool *pool, const oras_expect *expect,
                           bool resume, oras_sink **out, oras_error *err)
{
    oras_layout_name name;
    oras_file_target target = {.root = &layout->root,
                               .resume = resume && expect->has_digest,
                               .overwrite = true,
                               .by_digest = !expect->has_digest};

    if (check_directory(layout, err))
        return ORAS_EINVALID;
    if (expect->has_digest)
        name = oras_layout_name_of(&expect->digest);
    else
        snprintf(name.text, sizeof name.text, ORAS_LAYOUT_BLOBS "/%s/new",
                 oras_algorithm_name(expect->digest.algorithm));
    target.path = name.text;
    return oras_sink_file(pool, &target, expect, out, err);
}

oras_code oras_layout_put(const oras_layout *layout, const oras_digest *digest, const void *data,
                          size_t size, mode_t umask, oras_error *err)
{
    static const oras_file_target how = {.overwrite = true};
    oras_code code = check_directory(layout, err);

    return code ? code
                : oras_layout_write_file(layout->root, oras_layout_name_of(digest).text, data, size,
                                         umask, &how, err);
}

static oras_code open_directory(const oras_layout *layout, oras_algorithm algorithm, int *out,
                                oras_error *err)
{
    char name[32];
    oras_code code = check_directory(layout, err);

    if (code)
        return code;
    snprintf(name, sizeof name, ORAS_LAYOUT_BLOBS "/%s", oras_algorithm_name(algorithm));
    return oras_root_dir(layout->root, name, false, out, err);
}

static oras_code explain(int number, const oras_digest *digest, oras_error *err)
{
    if (number == ENOENT)
        return oras_fail(err, ORAS_C_NOT_FOUND, "no blob '%s'", digest->text);
    return oras_fail_errno(err, number, "blob '%s'", digest->text);
}

oras_code oras_layout_touch(const oras_layout *layout, const oras_digest *digest, oras_error *err)
{
    _cleanup_(oras_close_fd) int dir = -1;
    oras_code code = open_directory(layout, digest->algorithm, &dir, err);

    if (!code && utimensat(dir, oras_digest_encoded(digest), NULL, AT_SYMLINK_NOFOLLOW) != 0)
        code = explain(errno, digest, err);
    return code;
}

oras_code oras_layout_age(const oras_layout *layout, const oras_digest *digest, int64_t *seconds,
                          oras_error *err)
{
    _cleanup_(oras_close_fd) int dir = -1;
    oras_code code = open_directory(layout, digest->algorithm, &dir, err);
    struct stat st;

    if (!code && fstatat(dir, oras_digest_encoded(digest), &st, AT_SYMLINK_NOFOLLOW) != 0)
        code = explain(errno, digest, err);
    if (!code)
        *seconds = (int64_t)time(NULL) - (int64_t)st.st_mtime;
    return code;
}

oras_code oras_layout_remove(const oras_layout *layout, const oras_digest *digest, oras_error *err)
{
    _cleanup_(oras_close_fd) int dir = -1;
    oras_code code = open_directory(layout, digest->algorithm, &dir, err);

    if (!code && unlinkat(dir, oras_digest_encoded(digest), 0) != 0)
        code = explain(errno, digest, err);
    return code;
}

void oras_layout_sweep(const oras_layout *layout)
{
    if (layout->tar)
        return;
    oras_partial_sweep_at(layout->root);
    for (oras_algorithm algorithm = ORAS_SHA256; algorithm <= ORAS_SHA512; algorithm++) {
        _cleanup_(oras_close_fd) int dir = -1;

        if (!open_directory(layout, algorithm, &dir, NULL))
            oras_partial_sweep_at(dir);
    }
}
