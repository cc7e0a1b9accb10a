/* SPDX-License-Identifier: MIT
 * The lock (flock) says that somebody works on a temporary. Whoever gets it looks again
 * whether the name still means this file: its last owner may have renamed or removed it. */
#define _GNU_SOURCE
#include "io/target.h"

#include "base/alloc.h"
#include "base/cleanup.h"
#include "io/rename.h"
#include "io/root.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

oras_code oras_target_init(oras_target *target, const oras_file_target *wanted, oras_error *err)
{
    const char *slash = strrchr(wanted->path, '/');
    const char *name = slash ? slash + 1 : wanted->path;
    size_t size = slash == wanted->path ? 1 : slash ? (size_t)(slash - wanted->path) : 0;

    *target = (oras_target){.root = -1,
                            .dir_fd = -1,
                            .fd = -1,
                            .keyed = wanted->resume,
                            .overwrite = wanted->overwrite,
                            .durable = wanted->durable,
                            .asked = wanted->mode & 0777,
                            .exact = wanted->exact};
    if (wanted->root && !oras_root_path_is_plain(wanted->path))
        return oras_fail(err, ORAS_C_PATH, "'%s' is not a plain relative path", wanted->path);
    if (*name == '\0' || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
        return oras_fail(err, ORAS_C_USAGE, "'%s' names no file", wanted->path);
    if (wanted->root && (target->root = fcntl(*wanted->root, F_DUPFD_CLOEXEC, 0)) < 0)
        return oras_fail_errno(err, errno, "cannot keep a directory open");
    target->name = oras_strdup(name);
    target->dir = size ? oras_strndup(wanted->path, size) : oras_strdup(".");
    target->shown = oras_strdup(wanted->shown ? wanted->shown : wanted->path);
    if (target->name && target->dir && target->shown)
        return ORAS_OK;
    oras_target_dispose(target);
    return oras_fail_memory(err);
}

static void close_all(oras_target *target)
{
    oras_close_fd(&target->fd);
    oras_close_fd(&target->dir_fd);
    target->fd = target->dir_fd = -1;
}

void oras_target_dispose(oras_target *target)
{
    close_all(target);
    oras_close_fd(&target->root);
    oras_dealloc(target->dir);
    oras_dealloc(target->name);
    oras_dealloc(target->shown);
    *target = (oras_target){.root = -1, .dir_fd = -1, .fd = -1};
}

static oras_code open_dir(oras_target *target, oras_error *err)
{
    const int flags = O_PATH | O_DIRECTORY | O_CLOEXEC;
    oras_code code;
    int fd;

    if (target->root >= 0) {
        code = oras_root_dir(target->root, target->dir, true, &target->dir_fd, err);
        return code ? oras_error_wrap(err, code, "'%s'", target->shown) : ORAS_OK;
    }
    target->dir_fd = open(target->dir, flags);
    if (target->dir_fd >= 0)
        return ORAS_OK;
    if (errno != ENOENT)
        return oras_fail_errno(err, errno, "cannot open directory '%s'", target->dir);
    code = oras_root_make(target->dir, &fd, err);
    if (!code)
        target->dir_fd = fd;
    return code;
}

static oras_code look_at_name(oras_target *target, oras_error *err)
{
    struct stat st;

    target->mode = -1;
    if (fstatat(target->dir_fd, target->name, &st, AT_SYMLINK_NOFOLLOW) != 0) {
        if (errno == ENOENT)
            return ORAS_OK;
        return oras_fail_errno(err, errno, "cannot write '%s'", target->shown);
    }
    if (S_ISDIR(st.st_mode))
        return oras_fail_errno(err, EISDIR, "cannot write '%s'", target->shown);
    if (S_ISLNK(st.st_mode) && target->root >= 0)
        return oras_fail(err, ORAS_C_PATH, "'%s' is a symbolic link", target->shown);
    if (!S_ISREG(st.st_mode) && !S_ISLNK(st.st_mode))
        return oras_fail(err, ORAS_C_PATH, "'%s' is no regular file", target->shown);
    if (S_ISREG(st.st_mode))
        target->mode = (int)(st.st_mode & 0777);
    if (!target->overwrite)
        return oras_fail(err, ORAS_C_EXISTS, "'%s' exists already", target->shown);
    return ORAS_OK;
}

/* Is the open file still the one of that name, ours alone, and a regular one? */
static bool is_ours(const oras_target *target, struct stat *st)
{
    struct stat named;

    return fstat(target->fd, st) == 0 && S_ISREG(st->st_mode) && st->st_nlink == 1 &&
           st->st_uid == geteuid() &&
           fstatat(target->dir_fd, target->partial, &named, AT_SYMLINK_NOFOLLOW) == 0 &&
           named.st_dev == st->st_dev && named.st_ino == st->st_ino;
}

/* A new temporary of that digest. Before it is locked another process may have taken it up,
 * filled it and given it its final name. */
static bool make_keyed(oras_target *target)
{
    struct stat st;

    target->fd = openat(target->dir_fd, target->partial,
                        O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (target->fd < 0)
        return false;
    if (flock(target->fd, LOCK_EX | LOCK_NB) == 0)
        return is_ours(target, &st);
    if (errno != EWOULDBLOCK)
        unlinkat(target->dir_fd, target->partial, 0); /* a file system without locks */
    return false;
}

static bool take_up_keyed(oras_target *target)
{
    struct stat st;

    target->fd =
        openat(target->dir_fd, target->partial, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (target->fd < 0 || flock(target->fd, LOCK_EX | LOCK_NB) != 0 || !is_ours(target, &st))
        return false;
    target->found = st.st_size;
    return true;
}

/* The temporary of that digest; false if somebody else has it or it cannot be trusted. */
static bool open_keyed(oras_target *target, const oras_digest *digest)
{
    bool made;

    snprintf(target->partial, sizeof target->partial, ORAS_PARTIAL_PREFIX "%s-%s",
             oras_algorithm_name(digest->algorithm), oras_digest_encoded(digest));
    made = make_keyed(target);
    if (made || (target->fd < 0 && errno == EEXIST && take_up_keyed(target)))
        return true;
    oras_close_fd(&target->fd);
    target->fd = -1;
    return false;
}

oras_code oras_target_open(oras_target *target, const oras_digest *digest, oras_error *err)
{
    oras_code code = target->dir_fd < 0 ? open_dir(target, err) : ORAS_OK;

    if (!code)
        code = look_at_name(target, err);
    if (code)
        return code;
    target->found = 0;
    if (target->keyed && digest && open_keyed(target, digest))
        return ORAS_OK;
    target->keyed = false;
    return oras_partial_file(target->dir_fd, target->shown, target->partial, &target->fd, err);
}

oras_code oras_target_write(const oras_target *target, const void *data, size_t size,
                            int64_t offset, oras_error *err)
{
    const char *at = data;

    while (size > 0) {
        ssize_t n = pwrite(target->fd, at, size, (off_t)offset);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return oras_fail_errno(err, n < 0 ? errno : EIO, "cannot write '%s'", target->shown);
        at += n;
        size -= (size_t)n;
        offset += n;
    }
    return ORAS_OK;
}

/* fsync or fdatasync, for as long as signals interrupt it. */
static int sync_with(int (*sync)(int), int fd)
{
    int rc;

    do {
        rc = sync(fd);
    } while (rc != 0 && errno == EINTR);
    return rc;
}

static int sync_dir(const oras_target *target)
{
    _cleanup_(oras_close_fd) int fd =
        openat(target->dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    return fd < 0 ? -1 : sync_with(fsync, fd);
}

static mode_t mode_of(const oras_target *target, mode_t umask)
{
    if (target->asked)
        return target->exact ? target->asked : target->asked & ~umask;
    return target->mode >= 0 ? (mode_t)target->mode : 0666 & ~umask;
}

oras_code oras_target_publish(oras_target *target, mode_t umask, oras_error *err)
{
    int rc = fchmod(target->fd, mode_of(target, umask));

    if (rc == 0 && target->durable)
        rc = sync_with(fdatasync, target->fd);
    if (rc == 0)
        rc = target->overwrite
                 ? renameat(target->dir_fd, target->partial, target->dir_fd, target->name)
                 : oras_rename_new_file(target->dir_fd, target->partial, target->dir_fd,
                                        target->name);
    if (rc == 0 && target->durable)
        rc = sync_dir(target);
    if (rc == 0) {
        close_all(target);
        return ORAS_OK;
    }
    if (errno == EEXIST && !target->overwrite)
        return oras_fail(err, ORAS_C_EXISTS, "'%s' exists already", target->shown);
    return oras_fail_errno(err, errno, "cannot write '%s'", target->shown);
}

void oras_target_close(oras_target *target, bool keep)
{
    if (target->fd < 0)
        return;
    if (!keep)
        unlinkat(target->dir_fd, target->partial, 0);
    close_all(target);
}
