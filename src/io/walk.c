/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "io/walk.h"

#include "base/alloc.h"
#include "base/cleanup.h"
#include "io/walk_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define ROOT_FLAGS (O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)
#define ALL_NAMES  (ORAS_NAMES_MAX * 3 / 2) /* of all directories that are open */

/* --- making -------------------------------------------------------------------------------- */

static oras_code refuse_prefix(const char *prefix, oras_error *err)
{
    return oras_fail(err, ORAS_C_USAGE, "prefix '%.200s' is no plain relative name", prefix);
}

/* "a/b", without "." and "..", which no reader would accept. */
static oras_code check_prefix(const char *prefix, int *n_parts, oras_error *err)
{
    *n_parts = 0;
    for (const char *part = prefix; *prefix;) {
        size_t size = strcspn(part, "/");
        bool is_dots = size <= 2 && strspn(part, ".") >= size;

        if (is_dots || size > NAME_MAX || ++*n_parts >= ORAS_WALK_MAX_DEPTH)
            return refuse_prefix(prefix, err);
        part += size;
        if (!*part++)
            break;
    }
    return ORAS_OK;
}

/* The last component of a path, unless it only leads somewhere ("..", "/"). */
static void own_name(const char *path, oras_buf *out)
{
    size_t end = strlen(path), start;

    while (end > 0 && path[end - 1] == '/')
        end--;
    for (start = end; start > 0 && path[start - 1] != '/';)
        start--;
    if (end - start > 2 || strspn(path + start, ".") < end - start)
        oras_buf_append(out, path + start, end - start);
}

static void strip_slashes(oras_buf *name, size_t least)
{
    while (name->size > least && name->data[name->size - 1] == '/')
        name->data[--name->size] = '\0';
}

static oras_code set_names(oras_walk *walk, const char *path, const char *prefix, oras_error *err)
{
    oras_code code;

    oras_buf_init(&walk->name, SIZE_MAX - 1);
    oras_buf_init(&walk->shown, SIZE_MAX - 1);
    if (prefix)
        oras_buf_puts(&walk->name, prefix);
    else
        own_name(path, &walk->name);
    oras_buf_puts(&walk->shown, path);
    strip_slashes(&walk->name, 0);
    strip_slashes(&walk->shown, 1);
    walk->n_prefix = walk->name.size;
    walk->n_path = walk->shown.size;
    code = oras_buf_check(&walk->name, "a prefix", err);
    if (!code)
        code = oras_buf_check(&walk->shown, "a path", err);
    return code ? code : check_prefix(oras_buf_text(&walk->name), &walk->n_prefix_parts, err);
}

oras_code oras_walk_refuse_kind(const char *path, mode_t mode, oras_error *err)
{
    const char *kind = S_ISFIFO(mode) ? "FIFO" : S_ISSOCK(mode) ? "socket" : "device";

    return oras_fail(err, ORAS_C_PATH,
                     "'%s' is a %s, expected a regular file, a directory or a symbolic link", path,
                     kind);
}

/* Looked at before it is opened: to open a device may already do something. */
static oras_code open_root(oras_walk *walk, const char *path, oras_error *err)
{
    struct stat st;

    if (stat(path, &st) != 0)
        return oras_fail_errno(err, errno, "'%s'", path);
    if (!S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode))
        return oras_walk_refuse_kind(path, st.st_mode, err);
    walk->root = open(path, ROOT_FLAGS);
    if (walk->root < 0 || fstat(walk->root, &st) != 0)
        return oras_fail_errno(err, errno, "'%s'", path);
    if (!S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode))
        return oras_walk_refuse_kind(path, st.st_mode, err);
    walk->is_file = S_ISREG(st.st_mode);
    if (walk->is_file && walk->n_prefix == 0)
        return oras_fail(err, ORAS_C_USAGE, "file '%s' needs a name in the archive", path);
    return ORAS_OK;
}

oras_code oras_walk_new(const char *path, const oras_walk_options *options, oras_walk **out,
                        oras_error *err)
{
    oras_walk *walk = oras_alloc_zero(1, sizeof *walk);
    oras_code code;

    if (!walk)
        return oras_fail_memory(err);
    walk->root = walk->file = -1;
    walk->stop = options->stop;
    walk->max_entries = options->max_entries ? options->max_entries : ORAS_WALK_MAX_ENTRIES;
    code = set_names(walk, path, options->prefix, err);
    if (!code)
        code = open_root(walk, path, err);
    if (code)
        oras_walk_free(walk);
    else
        *out = walk;
    return code;
}

/* --- names of where we are ----------------------------------------------------------------- */

void oras_walk_cut(oras_buf *buf, size_t size)
{
    buf->size = size;
    if (buf->data)
        buf->data[size] = '\0';
}

oras_code oras_walk_fail_changed(const char *path, oras_error *err)
{
    return oras_fail(err, ORAS_C_CONTENT, "'%s' changed while it was packed", path);
}

/* --- directories that are open ------------------------------------------------------------- */

static void leave(oras_walk *walk)
{
    oras_walk_level *at = &walk->levels[--walk->depth];

    oras_names_dispose(&at->names);
    if (at->fd != walk->root)
        close(at->fd);
}

/* fd is taken. */
oras_code oras_walk_enter(oras_walk *walk, int fd, const struct stat *st, oras_error *err)
{
    oras_walk_level *at;

    if (walk->n_prefix_parts + walk->depth >= ORAS_WALK_MAX_DEPTH) {
        if (fd != walk->root)
            close(fd);
        return oras_fail(err, ORAS_C_LIMIT, "'%s' is nested deeper than the limit of %d",
                         shown(walk), ORAS_WALK_MAX_DEPTH);
    }
    at = &walk->levels[walk->depth++];
    memset(at, 0, sizeof *at);
    at->fd = fd;
    at->st = *st;
    at->n_name = walk->name.size;
    at->n_shown = walk->shown.size;
    return ORAS_OK;
}

/* Forget names, to be read again when they are needed. */
static void drop_names(oras_walk_level *at)
{
    if (at->names.at > 0) {
        const char *last = at->names.list[at->names.at - 1]->text;

        memcpy(at->last, last, strlen(last) + 1);
    }
    oras_names_dispose(&at->names);
}

static void bound_names(oras_walk *walk)
{
    size_t size = 0;

    for (int i = 0; i < walk->depth; i++)
        size += oras_names_size(&walk->levels[i].names);
    for (int i = 0; i + 1 < walk->depth && size > ALL_NAMES; i++) {
        size -= oras_names_size(&walk->levels[i].names);
        drop_names(&walk->levels[i]);
    }
}

/* Names of the innermost directory: NULL when there are no more. */
static oras_code next_name(oras_walk *walk, const oras_name **out, oras_error *err)
{
    oras_walk_level *at = &walk->levels[walk->depth - 1];
    oras_code code;

    *out = oras_names_next(&at->names);
    if (*out || at->names.complete)
        return ORAS_OK;
    drop_names(at);
    oras_walk_cut(&walk->shown, at->n_shown);
    code =
        oras_names_read(&at->names, at->fd, at->last, ORAS_NAMES_MAX, walk->stop, shown(walk), err);
    if (code)
        return code;
    bound_names(walk);
    *out = oras_names_next(&at->names);
    return ORAS_OK;
}

/* Its entries may have been others than those that were found. */
static oras_code check_directory(oras_walk *walk, oras_error *err)
{
    const oras_walk_level *at = &walk->levels[walk->depth - 1];
    struct stat st;

    oras_walk_cut(&walk->shown, at->n_shown);
    if (fstat(at->fd, &st) != 0)
        return oras_fail_errno(err, errno, "'%s'", shown(walk));
    if (st.st_mtim.tv_sec != at->st.st_mtim.tv_sec || st.st_mtim.tv_nsec != at->st.st_mtim.tv_nsec)
        return oras_walk_fail_changed(shown(walk), err);
    return ORAS_OK;
}

/* --- entries ------------------------------------------------------------------------------- */

static oras_code count(oras_walk *walk, oras_error *err)
{
    if (++walk->n_entries <= walk->max_entries)
        return ORAS_OK;
    oras_walk_cut(&walk->shown, walk->n_path);
    return oras_fail(err, ORAS_C_LIMIT, "'%s' has more than %lld entries", shown(walk),
                     (long long)walk->max_entries);
}

void oras_walk_show(const oras_walk *walk, oras_walk_entry *out)
{
    out->name = oras_buf_text(&walk->name);
    out->shown = shown(walk);
    out->linkname = "";
    out->fd = -1;
}

/* --- stepping ------------------------------------------------------------------------------ */

static oras_code begin(oras_walk *walk, oras_walk_entry *out, oras_error *err)
{
    walk->started = true;
    if (fstat(walk->root, &out->st) != 0)
        return oras_fail_errno(err, errno, "'%s'", shown(walk));
    oras_walk_show(walk, out);
    if (walk->is_file) {
        out->fd = walk->root;
        return ORAS_OK;
    }
    return oras_walk_enter(walk, walk->root, &out->st, err);
}

static oras_code next_in_tree(oras_walk *walk, oras_walk_entry *out, bool *ended, oras_error *err)
{
    while (walk->depth > 0) {
        const oras_name *found;
        oras_code code = next_name(walk, &found, err);

        if (!code && found)
            code = oras_walk_visit(walk, found, out, err);
        if (code || found)
            return code;
        code = check_directory(walk, err);
        if (code)
            return code;
        leave(walk);
    }
    *ended = true;
    return ORAS_OK;
}

static void close_file(oras_walk *walk)
{
    oras_close_fd(&walk->file);
    walk->file = -1;
}

oras_code oras_walk_next(oras_walk *walk, oras_walk_entry *out, bool *ended, oras_error *err)
{
    oras_code code = ORAS_OK;
    bool is_root = !walk->started;

    close_file(walk);
    *ended = false;
    if (is_root)
        code = begin(walk, out, err);
    if (!is_root || (!code && walk->n_prefix == 0)) /* without a name the root is no entry */
        code = next_in_tree(walk, out, ended, err);
    return code || *ended ? code : count(walk, err);
}

oras_code oras_walk_check_file(const oras_walk_entry *entry, oras_error *err)
{
    const struct stat *was = &entry->st;
    struct stat is;

    if (fstat(entry->fd, &is) != 0)
        return oras_fail_errno(err, errno, "'%s'", entry->shown);
    if (is.st_size != was->st_size || is.st_mtim.tv_sec != was->st_mtim.tv_sec ||
        is.st_mtim.tv_nsec != was->st_mtim.tv_nsec || is.st_ctim.tv_sec != was->st_ctim.tv_sec ||
        is.st_ctim.tv_nsec != was->st_ctim.tv_nsec)
        return oras_walk_fail_changed(entry->shown, err);
    return ORAS_OK;
}

void oras_walk_restart(oras_walk *walk)
{
    close_file(walk);
    while (walk->depth > 0)
        leave(walk);
    oras_walk_cut(&walk->name, walk->n_prefix);
    oras_walk_cut(&walk->shown, walk->n_path);
    walk->started = false;
    walk->n_entries = 0;
}

void oras_walk_free(oras_walk *walk)
{
    if (!walk)
        return;
    oras_walk_restart(walk);
    oras_close_fd(&walk->root);
    oras_buf_dispose(&walk->name);
    oras_buf_dispose(&walk->shown);
    oras_dealloc(walk);
}
