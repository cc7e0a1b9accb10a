/* SPDX-License-Identifier: MIT
 * Opening below a root: by one call of openat2(2), or component by component. */
#define _GNU_SOURCE
#include "io/root.h"

#include "base/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifdef SYS_openat2
#include <linux/openat2.h>
#endif

#define READ_FLAGS (O_RDONLY | O_NONBLOCK | O_NOCTTY)
#define STEP_FLAGS (O_PATH | O_DIRECTORY)
#define ALWAYS     (O_CLOEXEC | O_NOFOLLOW)

enum { HOW_UNKNOWN, HOW_OPENAT2, HOW_WALK };

static atomic_int how_to_open = HOW_UNKNOWN;

void oras_root_force_walk(bool walk)
{
    atomic_store(&how_to_open, walk ? HOW_WALK : HOW_UNKNOWN);
}

static int open_beneath(int root, const char *path, int flags, mode_t mode)
{
#ifdef SYS_openat2
    struct open_how how = {
        .flags = (unsigned)(flags | ALWAYS),
        .mode = flags & O_CREAT ? mode : 0,
        .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS,
    };

    return (int)syscall(SYS_openat2, root, path, &how, sizeof how);
#else
    (void)root;
    (void)path;
    (void)flags;
    (void)mode;
    errno = ENOSYS;
    return -1;
#endif
}

/* Before Linux 5.6 the call is absent (ENOSYS); a container's seccomp filter may forbid it
 * (EPERM). Asked once. */
static bool can_open_beneath(int root)
{
    int how = atomic_load(&how_to_open);
    int fd;

    if (how != HOW_UNKNOWN)
        return how == HOW_OPENAT2;
    fd = open_beneath(root, ".", STEP_FLAGS, 0);
    how = fd < 0 && (errno == ENOSYS || errno == EPERM) ? HOW_WALK : HOW_OPENAT2;
    oras_close_fd(&fd);
    atomic_store(&how_to_open, how);
    return how == HOW_OPENAT2;
}

static int walk_step(int dir, const char *part, size_t size, int flags, mode_t mode)
{
    char name[256];

    if (size >= sizeof name) {
        errno = ENAMETOOLONG;
        return -1;
    }
    memcpy(name, part, size);
    name[size] = '\0';
    return openat(dir, name, flags | ALWAYS, mode);
}

static int open_by_walk(int root, const char *path, int flags, mode_t mode)
{
    _cleanup_(oras_close_fd) int dir = -1;

    for (;;) {
        size_t size = strcspn(path, "/");
        bool last = path[size] == '\0';
        int from = dir >= 0 ? dir : root;
        int fd = walk_step(from, path, size, last ? flags : STEP_FLAGS, mode);

        if (fd < 0 || last)
            return fd;
        oras_close_fd(&dir);
        dir = fd;
        path += size + 1;
    }
}

int oras_root_openat(int root, const char *path, int flags, mode_t mode)
{
    return can_open_beneath(root) ? open_beneath(root, path, flags, mode)
                                  : open_by_walk(root, path, flags, mode);
}

static bool is_dots(const char *part, size_t size)
{
    return size == 0 || (size == 1 && part[0] == '.') ||
           (size == 2 && part[0] == '.' && part[1] == '.');
}

bool oras_root_path_is_plain(const char *path)
{
    for (;;) {
        size_t size = strcspn(path, "/");

        if (is_dots(path, size))
            return false;
        if (path[size] == '\0')
            return true;
        path += size + 1;
    }
}

oras_code oras_root_explain(int number, const char *path, oras_error *err)
{
    switch (number) {
    case ENOENT:
        return oras_fail(err, ORAS_C_NOT_FOUND, "'%s' does not exist", path);
    case ELOOP:
        return oras_fail(err, ORAS_C_PATH, "'%s' is or passes through a symbolic link", path);
    case ENOTDIR:
        return oras_fail(err, ORAS_C_PATH, "'%s' passes through what is no directory", path);
    case EXDEV:
        return oras_fail(err, ORAS_C_PATH, "'%s' leaves its directory", path);
    case ENXIO:
        return oras_fail(err, ORAS_C_PATH, "'%s' is no regular file", path);
    case ENOMEM:
        return oras_fail_memory(err);
    default:
        return oras_fail_errno(err, number, "'%s'", path);
    }
}

oras_code oras_root_open(const char *path, int *fd, oras_error *err)
{
    int dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (dir < 0 && errno == ENOENT)
        return oras_fail(err, ORAS_C_NOT_FOUND, "directory '%s' does not exist", path);
    if (dir < 0)
        return oras_fail_errno(err, errno, "directory '%s'", path);
    *fd = dir;
    return ORAS_OK;
}

oras_code oras_root_read(int root, const char *path, int *fd, int64_t *size, oras_error *err)
{
    _cleanup_(oras_close_fd) int file = -1;
    struct stat st;

    if (!oras_root_path_is_plain(path))
        return oras_fail(err, ORAS_C_PATH, "'%s' is not a plain relative path", path);
    file = oras_root_openat(root, path, READ_FLAGS, 0);
    if (file < 0)
        return oras_root_explain(errno, path, err);
    if (fstat(file, &st) != 0)
        return oras_fail_errno(err, errno, "'%s'", path);
    if (!S_ISREG(st.st_mode))
        return oras_fail(err, ORAS_C_PATH, "'%s' is no regular file", path);
    *size = st.st_size;
    *fd = oras_steal_fd(&file);
    return ORAS_OK;
}
