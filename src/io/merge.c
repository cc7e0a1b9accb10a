/* SPDX-License-Identifier: MIT
 * The directories that both trees have are a list of paths, not a recursion: two descriptors
 * are enough for any depth. Each is opened below its root again, so no link is followed. */
#define _GNU_SOURCE
#include "io/merge.h"

#include "base/buf.h"
#include "base/cleanup.h"
#include "io/rename.h"
#include "io/root.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#define LIST_LIMIT ((size_t)64 * 1024 * 1024)

typedef struct merge {
    int from, to;
    bool overwrite;
    bool move; /* the second pass */
    const char *shown;
    oras_buf pending; /* paths to do, each with a NUL behind it */
    char *path;       /* the one that is done now */
    oras_buf now;     /* holds it */
    int here, there;  /* its directories */
    bool is_writable; /* `there` is known to be */
} merge;

static oras_code refuse(const merge *m, const char *name, oras_class class, const char *why,
                        oras_error *err)
{
    bool top = strcmp(m->path, ".") == 0;

    return oras_fail(err, class, "'%s/%s%s%s' %s", m->shown, top ? "" : m->path, top ? "" : "/",
                     name, why);
}

static oras_code explain(const merge *m, const char *name, int number, oras_error *err)
{
    if (number == EEXIST || number == ENOTEMPTY || number == ENOTDIR || number == EISDIR)
        return refuse(m, name, ORAS_C_EXISTS, "came to exist meanwhile", err);
    return oras_fail_errno(err, number, "cannot write '%s/%s'", m->shown, name);
}

/* --- what may take which place ------------------------------------------------------------ */

static oras_code check_pair(const merge *m, const char *name, const oras_look *new,
                            const oras_look *old, oras_error *err)
{
    if (old->kind == ORAS_LOOK_SYMLINK && new->kind != ORAS_LOOK_SYMLINK)
        return refuse(m, name, ORAS_C_PATH, "is a symbolic link, which is not followed", err);
    if (old->kind == ORAS_LOOK_OTHER)
        return refuse(m, name, ORAS_C_PATH, "is no regular file or directory", err);
    if (old->kind != new->kind &&new->kind == ORAS_LOOK_DIRECTORY)
        return refuse(m, name, ORAS_C_EXISTS, "exists and is no directory", err);
    if (old->kind != new->kind)
        return refuse(m, name, ORAS_C_EXISTS, "exists and is no regular file", err);
    if (new->kind != ORAS_LOOK_DIRECTORY && !m->overwrite)
        return refuse(m, name, ORAS_C_EXISTS, "exists already", err);
    return ORAS_OK;
}

/* Known before anything moves: a directory that nothing can be put into. */
static oras_code check_writable(merge *m, oras_error *err)
{
    if (m->is_writable)
        return ORAS_OK;
    if (faccessat(m->there, ".", W_OK | X_OK, AT_EACCESS) != 0)
        return oras_fail_errno(err, errno, "cannot write into '%s/%s'", m->shown, m->path);
    m->is_writable = true;
    return ORAS_OK;
}

static int move(const merge *m, const char *name, const oras_look *new, const oras_look *old)
{
    if (old->kind != ORAS_LOOK_NOTHING)
        return renameat(m->here, name, m->there, name);
    return (new->kind == ORAS_LOOK_DIRECTORY ? oras_rename_new_dir
                                             : oras_rename_new_file)(m->here, name, m->there, name);
}

static oras_code remember(merge *m, const char *name, oras_error *err)
{
    if (strcmp(m->path, ".") != 0)
        oras_buf_printf(&m->pending, "%s/", m->path);
    oras_buf_append(&m->pending, name, strlen(name) + 1);
    return oras_buf_check(&m->pending, "the list of directories", err);
}

static oras_code merge_one(merge *m, const char *name, oras_error *err)
{
    oras_look new, old;
    oras_code code = ORAS_OK;

    if (oras_look_at(m->here, name, &new) != 0 || oras_look_at(m->there, name, &old) != 0)
        return explain(m, name, errno, err);
    if (old.kind != ORAS_LOOK_NOTHING)
        code = check_pair(m, name, &new, &old, err);
    if (code)
        return code;
    if (old.kind == ORAS_LOOK_DIRECTORY)
        return remember(m, name, err);
    if (!m->move)
        return check_writable(m, err);
    return move(m, name, &new, &old) == 0 ? ORAS_OK : explain(m, name, errno, err);
}

/* --- all of them ---------------------------------------------------------------------------- */

static oras_code merge_entries(merge *m, oras_error *err)
{
    int fd = openat(m->here, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *stream = fd < 0 ? NULL : fdopendir(fd);
    const struct dirent *entry;
    oras_code code = ORAS_OK;

    if (!stream) {
        oras_close_fd(&fd);
        return oras_fail_errno(err, errno, "cannot list what was unpacked");
    }
    while (!code && (entry = readdir(stream))) {
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            code = merge_one(m, entry->d_name, err);
    }
    closedir(stream);
    return code;
}

static oras_code merge_directory(merge *m, oras_error *err)
{
    _cleanup_(oras_close_fd) int here = -1;
    _cleanup_(oras_close_fd) int there = -1;
    oras_code code = oras_root_dir(m->from, m->path, false, &here, err);

    if (!code)
        code = oras_root_dir(m->to, m->path, false, &there, err);
    if (code)
        return code;
    m->here = here;
    m->there = there;
    m->is_writable = false;
    return merge_entries(m, err);
}

/* The last path of the list, taken off it; false when there is none. */
static bool take_last(merge *m)
{
    oras_buf *list = &m->pending;
    size_t start = list->size;

    if (list->size == 0)
        return false;
    for (start--; start > 0 && list->data[start - 1] != '\0'; start--)
        ;
    oras_buf_clear(&m->now);
    oras_buf_puts(&m->now, list->data + start);
    m->path = m->now.data;
    list->size = start;
    return true;
}

static oras_code pass(merge *m, bool move, oras_error *err)
{
    oras_code code;

    m->move = move;
    oras_buf_clear(&m->pending);
    oras_buf_append(&m->pending, ".", 2);
    code = oras_buf_check(&m->pending, "the list of directories", err);
    while (!code && take_last(m)) {
        code = oras_buf_check(&m->now, "the path of a directory", err);
        if (!code)
            code = merge_directory(m, err);
    }
    return code;
}

oras_code oras_merge(int from, int to, bool overwrite, const char *shown, oras_error *err)
{
    merge m = {.from = from, .to = to, .overwrite = overwrite, .shown = shown};
    oras_code code;

    oras_buf_init(&m.pending, LIST_LIMIT);
    oras_buf_init(&m.now, LIST_LIMIT);
    code = pass(&m, false, err);
    if (!code)
        code = pass(&m, true, err);
    oras_buf_dispose(&m.pending);
    oras_buf_dispose(&m.now);
    return code;
}
