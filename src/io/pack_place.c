/* SPDX-License-Identifier: MIT
 * Does an archive come to lie in the tree that it is made of? */
#define _GNU_SOURCE
#include "base/alloc.h"
#include "base/cleanup.h"
#include "io/pack.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#define DIR_FLAGS (O_RDONLY | O_DIRECTORY | O_CLOEXEC)

static bool is_same(const struct stat *a, const struct stat *b)
{
    return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

/* The nearest directory above a path that is there: those between are made later. */
static int open_above(const char *path)
{
    char *text = oras_strdup(path);
    int fd = -1;

    for (char *slash = text; slash && fd < 0;) {
        slash = strrchr(text, '/');
        if (slash)
            slash[slash == text] = '\0';
        fd = open(slash ? text : ".", DIR_FLAGS);
        if (slash == text)
            break;
    }
    oras_dealloc(text);
    return fd;
}

/* Up as the kernel goes up, so that no link hides where a directory lies. */
bool oras_pack_would_hold(const char *tree, const char *target)
{
    _cleanup_(oras_close_fd) int at = open_above(target);
    struct stat root, is, was;

    if (at < 0 || stat(tree, &root) != 0 || !S_ISDIR(root.st_mode) || fstat(at, &is) != 0)
        return false;
    while (!is_same(&is, &root)) {
        int up = openat(at, "..", DIR_FLAGS);

        oras_close_fd(&at);
        at = up;
        was = is;
        if (at < 0 || fstat(at, &is) != 0 || is_same(&is, &was))
            return false;
    }
    return true;
}
