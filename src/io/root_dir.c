/* SPDX-License-Identifier: MIT
 * Directories below a root: opened, made, looked into. */
#define _GNU_SOURCE
#include "base/alloc.h"
#include "base/cleanup.h"
#include "io/root.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define DIR_FLAGS (O_PATH | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW)

/* mkdir -p of the user's own path, where links are the user's. */
static int make_parents(char *path)
{
    for (char *at = path + 1; *at; at++) {
        if (*at != '/')
            continue;
        *at = '\0';
        if (mkdir(path, 0777) != 0 && errno != EEXIST) {
            *at = '/';
            return -1;
        }
        *at = '/';
    }
    return mkdir(path, 0777) == 0 || errno == EEXIST ? 0 : -1;
}

oras_code oras_root_make(const char *path, int *fd, oras_error *err)
{
    oras_error cause = ORAS_ERROR_INIT;
    oras_code code = oras_root_open(path, fd, &cause);
    char *copy;
    int rc;

    if (code == ORAS_ENOTFOUND && path[0] != '\0') {
        copy = oras_strdup(path);
        if (!copy)
            return oras_fail_memory(err);
        rc = make_parents(copy);
        oras_dealloc(copy);
        if (rc != 0)
            return oras_fail_errno(err, errno, "cannot make directory '%s'", path);
        return oras_root_open(path, fd, err);
    }
    if (code && err)
        *err = cause;
    return code;
}

/* One component down, made if it is not there. */
static int step_into(int dir, const char *name)
{
    int fd = openat(dir, name, DIR_FLAGS);

    if (fd >= 0 || errno != ENOENT)
        return fd;
    if (mkdirat(dir, name, 0777) != 0 && errno != EEXIST)
        return -1;
    return openat(dir, name, DIR_FLAGS);
}

static int make_below(int root, char *path)
{
    _cleanup_(oras_close_fd) int dir = -1;

    for (;;) {
        size_t size = strcspn(path, "/");
        bool last = path[size] == '\0';
        int fd;

        path[size] = '\0';
        fd = step_into(dir >= 0 ? dir : root, path);
        if (fd < 0 || last)
            return fd;
        oras_close_fd(&dir);
        dir = fd;
        path += size + 1;
    }
}

static int open_or_make(int root, const char *path)
{
    char *copy = oras_strdup(path);
    int fd = -1;

    if (!copy)
        errno = ENOMEM;
    else
        fd = make_below(root, copy);
    oras_dealloc(copy);
    return fd;
}

oras_code oras_root_dir(int root, const char *path, bool create, int *fd, oras_error *err)
{
    bool itself = strcmp(path, ".") == 0;
    int dir;

    if (!itself && !oras_root_path_is_plain(path))
        return oras_fail(err, ORAS_C_PATH, "'%s' is not a plain relative path", path);
    dir = itself ? openat(root, ".", DIR_FLAGS)
                 : oras_root_openat(root, path, O_PATH | O_DIRECTORY, 0);
    if (dir < 0 && errno == ENOENT && create)
        dir = open_or_make(root, path);
    if (dir < 0)
        return oras_root_explain(errno, path, err);
    *fd = dir;
    return ORAS_OK;
}

oras_code oras_root_parent(int root, const char *path, bool create, int *dir, const char **name,
                           oras_error *err)
{
    const char *slash = strrchr(path, '/');
    char *parent;
    oras_code code;

    if (!oras_root_path_is_plain(path))
        return oras_fail(err, ORAS_C_PATH, "'%s' is not a plain relative path", path);
    *name = slash ? slash + 1 : path;
    if (!slash)
        return oras_root_dir(root, ".", create, dir, err);
    parent = oras_strndup(path, (size_t)(slash - path));
    if (!parent)
        return oras_fail_memory(err);
    code = oras_root_dir(root, parent, create, dir, err);
    oras_dealloc(parent);
    return code;
}

static oras_look_kind kind_of(mode_t mode)
{
    if (S_ISREG(mode))
        return ORAS_LOOK_FILE;
    if (S_ISDIR(mode))
        return ORAS_LOOK_DIRECTORY;
    return S_ISLNK(mode) ? ORAS_LOOK_SYMLINK : ORAS_LOOK_OTHER;
}

int oras_look_at(int dir, const char *name, oras_look *out)
{
    struct stat st;

    *out = (oras_look){.kind = ORAS_LOOK_NOTHING};
    if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
        return errno == ENOENT ? 0 : -1;
    *out = (oras_look){
        .kind = kind_of(st.st_mode), .size = st.st_size, .mode = st.st_mode & (mode_t)07777};
    return 0;
}

oras_code oras_root_look(int root, const char *path, oras_look *out, oras_error *err)
{
    _cleanup_(oras_close_fd) int dir = -1;
    oras_error cause = ORAS_ERROR_INIT;
    const char *name = path;
    bool itself = strcmp(path, ".") == 0;
    oras_code code = itself ? oras_root_dir(root, ".", false, &dir, &cause)
                            : oras_root_parent(root, path, false, &dir, &name, &cause);

    if (code == ORAS_ENOTFOUND) { /* neither is its directory there */
        *out = (oras_look){.kind = ORAS_LOOK_NOTHING};
        return ORAS_OK;
    }
    if (code) {
        if (err)
            *err = cause;
        return code;
    }
    if (oras_look_at(dir, name, out) != 0)
        return oras_root_explain(errno, path, err);
    return ORAS_OK;
}
