/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "io/locked_file.h"

#include "base/alloc.h"
#include "base/cleanup.h"
#include "io/file.h"
#include "io/root.h"
#include "io/target.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#define MAX_LINKS   40 /* as the kernel's */
#define OWNER_ONLY  0600
#define OTHERS_MASK 0177 /* makes 0666 owner-only */

struct oras_locked_file {
    char *path; /* of the file that is meant: no link */
    const char *name;
    int dir; /* holds the lock */
};

/* --- which file is meant -------------------------------------------------------------------- */

static size_t dir_size(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? (size_t)(slash - path) + 1 : 0;
}

/* The last component is a link: put what it means in its place. */
static int follow(char path[PATH_MAX])
{
    char target[PATH_MAX];
    ssize_t n = readlink(path, target, sizeof target);
    size_t before = n > 0 && target[0] != '/' ? dir_size(path) : 0;

    if (n < 0)
        return -1;
    if (before + (size_t)n >= PATH_MAX) {
        errno = ENAMETOOLONG;
        return -1;
    }
    memcpy(path + before, target, (size_t)n);
    path[before + (size_t)n] = '\0';
    return 0;
}

static bool is_link(const char *path)
{
    struct stat st;

    return lstat(path, &st) == 0 && S_ISLNK(st.st_mode);
}

static oras_code resolve(const char *given, char path[PATH_MAX], oras_error *err)
{
    size_t size = strlen(given);

    if (size >= PATH_MAX)
        return oras_fail_errno(err, ENAMETOOLONG, "cannot lock '%.100s...'", given);
    memcpy(path, given, size + 1);
    for (int i = 0; is_link(path); i++) {
        if (i == MAX_LINKS)
            return oras_fail_errno(err, ELOOP, "cannot lock '%s'", given);
        if (follow(path) != 0)
            return oras_fail_errno(err, errno, "cannot lock '%s'", given);
    }
    size = dir_size(path);
    if (path[size] == '\0' || strcmp(path + size, ".") == 0 || strcmp(path + size, "..") == 0)
        return oras_fail(err, ORAS_C_USAGE, "'%s' names no file", given);
    return ORAS_OK;
}

/* --- its directory -------------------------------------------------------------------------- */

/* Make what is missing of it, for its owner alone. */
static int make_dirs(char *dir)
{
    for (char *at = dir + 1;; at++) {
        char end = *at;

        if (end != '/' && end != '\0')
            continue;
        *at = '\0';
        if (mkdir(dir, 0700) != 0 && errno != EEXIST)
            return -1;
        *at = end;
        if (end == '\0')
            return 0;
    }
}

static int open_dir(const char *path)
{
    const int flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC;
    size_t size = dir_size(path);
    char dir[PATH_MAX] = ".";
    int fd;

    if (size > 0) {
        memcpy(dir, path, size);
        dir[size > 1 ? size - 1 : size] = '\0';
    }
    fd = open(dir, flags);
    if (fd >= 0 || errno != ENOENT || make_dirs(dir) != 0)
        return fd;
    return open(dir, flags);
}

/* A file system without locks has none that others could hold: a login there must work, too. */
static bool has_no_locks(int number)
{
    return number == EBADF || number == ENOLCK || number == EOPNOTSUPP || number == ENOSYS ||
           number == EINVAL;
}

/* 1: it is ours. 0: not now. -1: it cannot be. */
static int try_lock(int dir)
{
    int rc;

    do {
        rc = flock(dir, LOCK_EX | LOCK_NB);
    } while (rc != 0 && errno == EINTR);
    if (rc == 0 || has_no_locks(errno))
        return 1;
    return errno == EWOULDBLOCK ? 0 : -1;
}

/* While it was opened and locked, another may have taken its place. */
static bool is_same(int dir, const char *path)
{
    _cleanup_(oras_close_fd) int named = open_dir(path);
    struct stat ours, other;

    return named >= 0 && fstat(dir, &ours) == 0 && fstat(named, &other) == 0 &&
           ours.st_dev == other.st_dev && ours.st_ino == other.st_ino;
}

static oras_locked_file *make(const char *path)
{
    oras_locked_file *file = oras_alloc_zero(1, sizeof *file);

    if (!file)
        return NULL;
    file->dir = -1;
    file->path = oras_strdup(path);
    if (!file->path) {
        oras_dealloc(file);
        return NULL;
    }
    file->name = file->path + dir_size(path);
    return file;
}

oras_code oras_locked_file_try(const char *given, oras_locked_file **out, oras_error *err)
{
    _cleanup_(oras_close_fd) int dir = -1;
    char path[PATH_MAX];
    oras_code code = resolve(given, path, err);
    int locked;

    *out = NULL;
    if (code)
        return code;
    dir = open_dir(path);
    locked = dir < 0 ? -1 : try_lock(dir);
    if (locked < 0)
        return oras_fail_errno(err, errno, "cannot lock the directory of '%s'", path);
    if (!locked || !is_same(dir, path))
        return ORAS_OK;
    *out = make(path);
    if (!*out)
        return oras_fail_memory(err);
    (*out)->dir = oras_steal_fd(&dir);
    return ORAS_OK;
}

void oras_locked_file_free(oras_locked_file *file)
{
    if (!file)
        return;
    oras_close_fd(&file->dir);
    oras_dealloc(file->path);
    oras_dealloc(file);
}

/* --- what is in it -------------------------------------------------------------------------- */

oras_code oras_locked_file_read(const oras_locked_file *file, oras_buf *bytes, bool *is_there,
                                oras_error *err)
{
    _cleanup_(oras_close_fd) int fd = -1;
    oras_error cause = ORAS_ERROR_INIT;
    int64_t size;
    oras_code code = oras_root_read(file->dir, file->name, &fd, &size, &cause);

    *is_there = code != ORAS_ENOTFOUND;
    if (!*is_there)
        return ORAS_OK;
    if (!code)
        return oras_file_read_fd(fd, file->path, bytes, err);
    if (err)
        *err = cause;
    return code;
}

/* root's config stays the user's whose it is (sudo). */
static void keep_owner(const oras_target *target)
{
    struct stat st;

    if (geteuid() != 0 || fstatat(target->dir_fd, target->name, &st, AT_SYMLINK_NOFOLLOW) != 0)
        return;
    if (fchown(target->fd, st.st_uid, st.st_gid) != 0)
        return; /* it is root's then, which only root can read: no harm */
}

static oras_code replace(oras_target *target, const void *data, size_t size, oras_error *err)
{
    oras_code code;

    if (target->mode >= 0)
        target->mode &= OWNER_ONLY;
    keep_owner(target);
    code = oras_target_write(target, data, size, 0, err);
    return code ? code : oras_target_publish(target, OTHERS_MASK, err);
}

oras_code oras_locked_file_write(const oras_locked_file *file, const void *data, size_t size,
                                 oras_error *err)
{
    const oras_file_target wanted = {.root = &file->dir,
                                     .path = file->name,
                                     .shown = file->path,
                                     .overwrite = true,
                                     .durable = true};
    oras_target target;
    oras_code code = oras_target_init(&target, &wanted, err);

    if (code)
        return code;
    oras_partial_sweep_at(file->dir);
    code = oras_target_open(&target, NULL, err);
    if (!code)
        code = replace(&target, data, size, err);
    oras_target_close(&target, false);
    oras_target_dispose(&target);
    return code;
}
