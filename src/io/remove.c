/* SPDX-License-Identifier: MIT
 * A tree may be deeper than there are descriptors or stack for: what lies deeper than one
 * level is moved up first, so two open directories are enough for any depth. */
#define _GNU_SOURCE
#include "io/remove.h"

#include "base/cleanup.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

typedef struct removal {
    int top;         /* the tree's own directory */
    unsigned moved;  /* names given to what was moved up */
    int failure;     /* first errno */
    bool progressed; /* since the last look */
} removal;

static bool is_dots(const char *name)
{
    return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

static void note(removal *r, int rc)
{
    if (rc == 0)
        r->progressed = true;
    else if (!r->failure && errno != ENOENT)
        r->failure = errno;
}

/* Call each(r, directory, name) for everything in a directory. */
static void for_all(removal *r, int dir, void (*each)(removal *, int, const char *))
{
    int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *stream = fd < 0 ? NULL : fdopendir(fd);
    const struct dirent *entry;

    if (!stream) {
        note(r, -1);
        oras_close_fd(&fd);
        return;
    }
    while ((entry = readdir(stream))) {
        if (!is_dots(entry->d_name))
            each(r, dirfd(stream), entry->d_name);
    }
    closedir(stream);
}

/* Remove what is no directory; true if it is one. */
static bool is_directory(removal *r, int dir, const char *name)
{
    int rc = unlinkat(dir, name, 0);

    if (rc != 0 && (errno == EISDIR || errno == EPERM)) {
        int fd = openat(dir, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

        if (fd >= 0) {
            close(fd);
            return true;
        }
        errno = EPERM;
    }
    note(r, rc);
    return false;
}

/* In a directory of the top one. */
static void clear_second(removal *r, int dir, const char *name)
{
    char moved[16];
    int rc;

    if (!is_directory(r, dir, name))
        return;
    rc = unlinkat(dir, name, AT_REMOVEDIR);
    while (rc != 0 && (errno == ENOTEMPTY || errno == EEXIST || errno == ENOTDIR)) {
        snprintf(moved, sizeof moved, "%x", r->moved++);
        rc = renameat(dir, name, r->top, moved);
        if (rc == 0)
            break;
    }
    note(r, rc);
}

static void clear_first(removal *r, int dir, const char *name)
{
    _cleanup_(oras_close_fd) int fd = -1;

    if (!is_directory(r, dir, name))
        return;
    fd = openat(dir, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd >= 0)
        for_all(r, fd, clear_second);
    note(r, unlinkat(dir, name, AT_REMOVEDIR));
}

int oras_remove_tree(int dir, const char *name)
{
    removal r = {.top = openat(dir, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)};
    int rc;

    if (r.top < 0)
        return unlinkat(dir, name, 0);
    do { /* what was moved up is found by the next look */
        r.progressed = false;
        r.failure = 0;
        for_all(&r, r.top, clear_first);
        rc = unlinkat(dir, name, AT_REMOVEDIR);
    } while (rc != 0 && r.progressed && (errno == ENOTEMPTY || errno == EEXIST));
    if (rc != 0 && r.failure)
        errno = r.failure;
    rc = rc != 0 ? errno : 0;
    oras_close_fd(&r.top);
    errno = rc;
    return rc ? -1 : 0;
}
