/* SPDX-License-Identifier: MIT
 * The directories of a tree, and how it refuses. The descriptor of the last directory is kept:
 * most entries lie where the one before lay. */
#define _GNU_SOURCE
#include "base/cleanup.h"
#include "io/root.h"
#include "io/tree_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

/* --- refusals ----------------------------------------------------------------------------- */

oras_code oras_tree_refuse(const oras_tree *tree, oras_class class, const char *why,
                           oras_error *err)
{
    return oras_fail(err, class, "archive entry '%s' %s", oras_buf_text(&tree->now), why);
}

/* `before` has the name of the entry. */
oras_code oras_tree_refuse_taken(const oras_tree *tree, oras_name_kind before, oras_error *err)
{
    if (before == ORAS_NAME_OTHER_CASE)
        return oras_tree_refuse(tree, ORAS_C_EXISTS, "differs from another in case alone", err);
    return oras_tree_refuse(tree, ORAS_C_EXISTS, "has a name that another entry has already", err);
}

/* `before` stands where a directory of the way should be. */
static oras_code refuse_way(const oras_tree *tree, oras_name_kind before, oras_error *err)
{
    if (before == ORAS_NAME_OTHER_CASE)
        return oras_tree_refuse(tree, ORAS_C_EXISTS,
                                "lies in a directory whose name differs from another in case alone",
                                err);
    return oras_tree_refuse(tree, ORAS_C_PATH, "lies below what is no directory in the archive",
                            err);
}

oras_code oras_tree_explain(const oras_tree *tree, int number, oras_error *err)
{
    if (number == EEXIST)
        return oras_tree_refuse(tree, ORAS_C_EXISTS,
                                "has a name that the file system takes for that of another", err);
    if (number == ELOOP || number == ENOTDIR || number == EXDEV)
        return oras_tree_refuse(tree, ORAS_C_PATH, "lies where somebody else put something", err);
    return oras_fail_errno(err, number, "cannot make '%s'", oras_buf_text(&tree->now));
}

oras_code oras_tree_count_one(oras_tree *tree, oras_error *err)
{
    if (tree->n_made >= tree->options.max_entries)
        return oras_fail(err, ORAS_C_LIMIT,
                         "the archive makes more than %lld files and directories",
                         (long long)tree->options.max_entries);
    tree->n_made++;
    return ORAS_OK;
}

/* --- directories ---------------------------------------------------------------------------- */

int oras_tree_here(const oras_tree *tree)
{
    return tree->dir_fd >= 0 ? tree->dir_fd : tree->root;
}

/* `fd` is open for dir[0..n): taken. */
static void stand_in(oras_tree *tree, int fd, size_t n)
{
    oras_close_fd(&tree->dir_fd);
    tree->dir_fd = fd;
    tree->n_dir = n;
    tree->dir[n] = '\0';
}

/* Make the directory dir[0..n), whose last component begins at `from`, in the one that is
 * open, or go into it if it is one of the archive's. */
static oras_code step_into(oras_tree *tree, size_t from, size_t n, oras_error *err)
{
    const int flags = O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
    oras_name_kind before;
    oras_code code = oras_names_take(tree->names, tree->dir, n, ORAS_NAME_DIRECTORY, &before, err);
    int fd;

    if (code)
        return code;
    if (before != ORAS_NAME_FREE && before != ORAS_NAME_DIRECTORY && before != ORAS_NAME_LISTED)
        return refuse_way(tree, before, err);
    tree->dir[n] = '\0';
    if (before == ORAS_NAME_FREE) {
        code = oras_tree_count_one(tree, err);
        if (code)
            return code;
        if (mkdirat(oras_tree_here(tree), tree->dir + from, ORAS_TREE_MODE) != 0)
            return oras_tree_explain(tree, errno, err);
    }
    fd = openat(oras_tree_here(tree), tree->dir + from, flags);
    if (fd < 0)
        return oras_tree_explain(tree, errno, err);
    stand_in(tree, fd, n);
    return ORAS_OK;
}

static oras_code make_way(oras_tree *tree, const char *path, size_t size, oras_error *err)
{
    oras_code code = ORAS_OK;
    size_t from = 0;

    stand_in(tree, -1, 0);
    memcpy(tree->dir, path, size);
    tree->dir[size] = '\0';
    while (!code && from < size) {
        const char *slash = memchr(path + from, '/', size - from);
        size_t n = slash ? (size_t)(slash - path) : size;

        code = step_into(tree, from, n, err);
        if (n < size)
            tree->dir[n] = '/';
        from = n + 1;
    }
    return code;
}

/* Stand in the directory path[0..size), which is made if the archive has not named it yet. */
oras_code oras_tree_enter(oras_tree *tree, const char *path, size_t size, oras_error *err)
{
    oras_name_kind kind;
    int fd;

    if (size == tree->n_dir && memcmp(path, tree->dir, size) == 0)
        return ORAS_OK;
    if (size >= ORAS_TREE_PATH_LIMIT)
        return oras_tree_refuse(tree, ORAS_C_LIMIT, "has a name of more than 64 KiB", err);
    if (size == 0) {
        stand_in(tree, -1, 0);
        return ORAS_OK;
    }
    kind = oras_names_find(tree->names, path, size);
    if (kind != ORAS_NAME_DIRECTORY && kind != ORAS_NAME_LISTED)
        return make_way(tree, path, size, err);
    stand_in(tree, -1, 0);
    memcpy(tree->dir, path, size);
    tree->dir[size] = '\0';
    fd = oras_root_openat(tree->root, tree->dir, O_PATH | O_DIRECTORY, 0);
    if (fd < 0) {
        tree->dir[0] = '\0';
        return oras_tree_explain(tree, errno, err);
    }
    stand_in(tree, fd, size);
    return ORAS_OK;
}
