/* SPDX-License-Identifier: MIT
 * Entries of all kinds; the directories they lie in are in tree_dir.c. */
#define _GNU_SOURCE
#include "io/tree.h"

#include "base/alloc.h"
#include "base/cleanup.h"
#include "io/root.h"
#include "io/tree_internal.h"
#include "io/tree_link.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define KEPT_BITS  ((mode_t)0755)
#define EXACT_BITS ((mode_t)0777) /* never set-user-ID and its like */

oras_code oras_tree_new(int dir, const oras_tree_options *options, oras_tree **out, oras_error *err)
{
    oras_tree *tree = oras_alloc_zero(1, sizeof *tree);
    oras_code code;

    if (!tree)
        return oras_fail_memory(err);
    tree->options = *options;
    tree->root = dir;
    tree->dir_fd = tree->file = -1;
    tree->mode = ORAS_TREE_MODE;
    tree->prefix = options->prefix ? PREFIX_UNKNOWN : PREFIX_NONE;
    oras_buf_init(&tree->now, ORAS_TREE_PATH_LIMIT);
    tree->dir = oras_alloc_zero(1, ORAS_TREE_PATH_LIMIT);
    code = tree->dir ? oras_names_new(options->any_case, &tree->names, err) : oras_fail_memory(err);
    if (code) {
        oras_tree_free(tree);
        return code;
    }
    *out = tree;
    return ORAS_OK;
}

void oras_tree_free(oras_tree *tree)
{
    if (!tree)
        return;
    oras_close_fd(&tree->file);
    oras_close_fd(&tree->dir_fd);
    oras_names_free(tree->names);
    oras_buf_dispose(&tree->now);
    oras_dealloc(tree->dir);
    oras_dealloc(tree);
}

int64_t oras_tree_count(const oras_tree *tree)
{
    return tree->n_made;
}

mode_t oras_tree_mode(const oras_tree *tree)
{
    return tree->mode;
}

/* The directory was made before its entry came. */
static oras_code set_mode(const oras_tree *tree, const char *name, mode_t mode, oras_error *err)
{
    _cleanup_(oras_close_fd) int fd =
        openat(oras_tree_here(tree), name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

    if (fd < 0 || fchmod(fd, mode & ~tree->options.umask) != 0)
        return oras_tree_explain(tree, errno, err);
    return ORAS_OK;
}

/* --- entries -------------------------------------------------------------------------------- */

static oras_code take_name(oras_tree *tree, const char *path, oras_name_kind kind, oras_error *err)
{
    oras_name_kind before;
    oras_code code = oras_names_take(tree->names, path, strlen(path), kind, &before, err);

    if (code)
        return code;
    return before == ORAS_NAME_FREE ? oras_tree_count_one(tree, err)
                                    : oras_tree_refuse_taken(tree, before, err);
}

static oras_code make_root(oras_tree *tree, mode_t mode, oras_error *err)
{
    if (tree->root_listed)
        return oras_tree_refuse_taken(tree, ORAS_NAME_LISTED, err);
    tree->root_listed = true;
    tree->mode = mode;
    return ORAS_OK;
}

static oras_code make_directory(oras_tree *tree, const char *path, const char *name, mode_t mode,
                                oras_error *err)
{
    oras_name_kind before;
    oras_code code =
        oras_names_take(tree->names, path, strlen(path), ORAS_NAME_LISTED, &before, err);

    if (code)
        return code;
    if (before == ORAS_NAME_DIRECTORY)
        return set_mode(tree, name, mode, err);
    if (before != ORAS_NAME_FREE)
        return oras_tree_refuse_taken(tree, before, err);
    code = oras_tree_count_one(tree, err);
    if (!code && mkdirat(oras_tree_here(tree), name, mode) != 0)
        return oras_tree_explain(tree, errno, err);
    return code || !tree->options.exact ? code : set_mode(tree, name, mode, err);
}

static oras_code make_file(oras_tree *tree, const char *path, const char *name, mode_t mode,
                           oras_error *err)
{
    oras_code code = take_name(tree, path, ORAS_NAME_FILE, err);

    if (code)
        return code;
    tree->file = openat(oras_tree_here(tree), name,
                        O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
    if (tree->file < 0 || (tree->options.exact && fchmod(tree->file, mode) != 0))
        return oras_tree_explain(tree, errno, err);
    return ORAS_OK;
}

/* The file that a hard link names is one that this archive has made: no other is known. */
static oras_code make_hard_link(oras_tree *tree, const char *path, const char *name,
                                const char *target, oras_error *err)
{
    _cleanup_(oras_close_fd) int dir = -1;
    const char *file = NULL;
    struct stat st;
    oras_code code;

    if (oras_names_find(tree->names, target, strlen(target)) != ORAS_NAME_FILE)
        return oras_tree_refuse(tree, ORAS_C_PATH,
                                "is a hard link to what is no file before it in the archive", err);
    code = take_name(tree, path, ORAS_NAME_FILE, err);
    if (!code)
        code = oras_root_parent(tree->root, target, false, &dir, &file, err);
    if (code)
        return code;
    if (linkat(dir, file, oras_tree_here(tree), name, 0) != 0 ||
        fstatat(oras_tree_here(tree), name, &st, AT_SYMLINK_NOFOLLOW) != 0)
        return oras_tree_explain(tree, errno, err);
    return S_ISREG(st.st_mode) ? ORAS_OK : oras_tree_explain(tree, ELOOP, err);
}

static oras_code make_symbolic_link(oras_tree *tree, const char *path, const char *name,
                                    const char *target, oras_error *err)
{
    oras_code code;

    if (!tree->options.links)
        return oras_tree_refuse(tree, ORAS_C_PATH,
                                "is a symbolic link, expected files and directories", err);
    if (!oras_tree_link_stays_inside(path, target))
        return oras_tree_refuse(tree, ORAS_C_PATH,
                                "is a symbolic link that leads out of the archive", err);
    code = take_name(tree, path, ORAS_NAME_LINK, err);
    if (!code && symlinkat(target, oras_tree_here(tree), name) != 0)
        return oras_tree_explain(tree, errno, err);
    return code;
}

static oras_code make(oras_tree *tree, const oras_entry *entry, const char *path,
                      const char *target, oras_error *err)
{
    const char *slash = strrchr(path, '/');
    const char *name = slash ? slash + 1 : path;
    mode_t mode = (mode_t)entry->mode & (tree->options.exact ? EXACT_BITS : KEPT_BITS);
    oras_code code = ORAS_OK;

    if (strcmp(path, ".") == 0 && entry->type == ORAS_ENTRY_DIRECTORY)
        return make_root(tree, mode | 0700, err);
    if (strcmp(path, ".") == 0)
        return oras_tree_refuse(tree, ORAS_C_PATH,
                                "stands for the whole tree, expected a directory", err);
    code = oras_tree_enter(tree, path, slash ? (size_t)(slash - path) : 0, err);
    if (code)
        return code;
    switch (entry->type) {
    case ORAS_ENTRY_FILE:
        return make_file(tree, path, name, mode, err);
    case ORAS_ENTRY_DIRECTORY:
        return make_directory(tree, path, name, mode | 0700, err);
    case ORAS_ENTRY_HARDLINK:
        return make_hard_link(tree, path, name, target, err);
    case ORAS_ENTRY_SYMLINK:
        return make_symbolic_link(tree, path, name, target, err);
    default:
        return oras_tree_refuse(tree, ORAS_C_PATH,
                                "is a device or FIFO, expected files and directories", err);
    }
}

/* The name without the prefix, "." for the prefix itself; NULL if it is not below it. */
static const char *below_prefix(const char *path, const char *prefix)
{
    size_t n = strlen(prefix);

    if (strncmp(path, prefix, n) != 0 || (path[n] != '/' && path[n] != '\0'))
        return NULL;
    return path[n] ? path + n + 1 : ".";
}

static const char *drop_prefix(oras_tree *tree, const char *path)
{
    const char *below;

    if (tree->prefix == PREFIX_NONE)
        return path;
    below = below_prefix(path, tree->options.prefix);
    if (tree->prefix == PREFIX_UNKNOWN)
        tree->prefix = below ? PREFIX_DROP : PREFIX_NONE;
    return tree->prefix == PREFIX_DROP ? below : path;
}

oras_code oras_tree_entry(oras_tree *tree, const oras_entry *entry, oras_error *err)
{
    const char *path = drop_prefix(tree, entry->path);
    const char *target = entry->linkname;
    oras_code code;

    oras_buf_clear(&tree->now);
    oras_buf_puts(&tree->now, entry->path);
    code = oras_buf_check(&tree->now, "the name of an archive entry", err);
    if (code)
        return code;
    if (!path)
        return oras_fail(err, ORAS_C_PATH, "archive entry '%s' is outside '%s', where others are",
                         entry->path, tree->options.prefix);
    if (entry->type == ORAS_ENTRY_HARDLINK)
        target = drop_prefix(tree, target);
    if (entry->type == ORAS_ENTRY_HARDLINK && !target)
        return oras_tree_refuse(tree, ORAS_C_PATH,
                                "is a hard link to what is outside the archive's tree", err);
    return make(tree, entry, path, target, err);
}

oras_code oras_tree_write(oras_tree *tree, const void *data, size_t size, oras_error *err)
{
    const char *at = data;

    while (size > 0) {
        ssize_t n = write(tree->file, at, size);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return oras_fail_errno(err, n < 0 ? errno : EIO, "cannot write '%s'",
                                   oras_buf_text(&tree->now));
        at += n;
        size -= (size_t)n;
    }
    return ORAS_OK;
}

/* close(2) may tell of a full disk (NFS, quota); the descriptor is gone either way. */
oras_code oras_tree_end(oras_tree *tree, oras_error *err)
{
    int fd = oras_steal_fd(&tree->file);

    if (fd >= 0 && close(fd) != 0 && errno != EINTR)
        return oras_fail_errno(err, errno, "cannot write '%s'", oras_buf_text(&tree->now));
    return ORAS_OK;
}
