/* SPDX-License-Identifier: MIT
 * One entry of a directory: opened, and looked at through its descriptor. */
#define _GNU_SOURCE
#include "base/cleanup.h"
#include "io/tree_link.h"
#include "io/walk_internal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define FILE_FLAGS (O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY)
#define DIR_FLAGS  (O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_DIRECTORY)

/* From the directory of a level to one of its entries. */
static oras_code append_name(oras_walk *walk, const oras_walk_level *at, const char *name,
                             oras_error *err)
{
    oras_code code;

    oras_walk_cut(&walk->name, at->n_name);
    oras_walk_cut(&walk->shown, at->n_shown);
    if (at->n_name)
        oras_buf_puts(&walk->name, "/");
    if (at->n_shown && walk->shown.data[at->n_shown - 1] != '/')
        oras_buf_puts(&walk->shown, "/");
    oras_buf_puts(&walk->name, name);
    oras_buf_puts(&walk->shown, name);
    code = oras_buf_check(&walk->name, "a name", err);
    return code ? code : oras_buf_check(&walk->shown, "a path", err);
}

/* What open of a name that was just read says: gone, or something else by now. */
static oras_code explain_open(const oras_walk *walk, oras_error *err)
{
    int number = errno;

    if (number == ENOENT || number == ELOOP || number == ENOTDIR || number == ENXIO)
        return oras_walk_fail_changed(shown(walk), err);
    return oras_fail_errno(err, number, "'%s'", shown(walk));
}

static oras_code visit_file(oras_walk *walk, int dir, const char *name, oras_walk_entry *out,
                            oras_error *err)
{
    walk->file = openat(dir, name, FILE_FLAGS);
    if (walk->file < 0 || fstat(walk->file, &out->st) != 0)
        return explain_open(walk, err);
    if (!S_ISREG(out->st.st_mode))
        return oras_walk_fail_changed(shown(walk), err);
    oras_walk_show(walk, out);
    out->fd = walk->file;
    return ORAS_OK;
}

static oras_code visit_directory(oras_walk *walk, int dir, const char *name, oras_walk_entry *out,
                                 oras_error *err)
{
    _cleanup_(oras_close_fd) int fd = openat(dir, name, DIR_FLAGS);

    if (fd < 0 || fstat(fd, &out->st) != 0)
        return explain_open(walk, err);
    oras_walk_show(walk, out);
    return oras_walk_enter(walk, oras_steal_fd(&fd), &out->st, err);
}

/* The name in the tree. */
static const char *below_root(const oras_walk *walk)
{
    return oras_buf_text(&walk->name) + walk->n_prefix + (walk->n_prefix > 0);
}

static oras_code visit_link(oras_walk *walk, int dir, const char *name, oras_walk_entry *out,
                            oras_error *err)
{
    ssize_t n = readlinkat(dir, name, walk->link, sizeof walk->link - 1);

    if (n < 0 && errno == EINVAL)
        return oras_walk_fail_changed(shown(walk), err);
    if (n < 0 || fstatat(dir, name, &out->st, AT_SYMLINK_NOFOLLOW) != 0)
        return explain_open(walk, err);
    if (!S_ISLNK(out->st.st_mode))
        return oras_walk_fail_changed(shown(walk), err);
    walk->link[n] = '\0';
    if (!oras_tree_link_stays_inside(below_root(walk), walk->link)) /* as those who unpack it */
        return oras_fail(err, ORAS_C_PATH,
                         "symbolic link '%.100s' points to '%.60s', which may be outside of what "
                         "is packed",
                         shown(walk), walk->link);
    oras_walk_show(walk, out);
    out->linkname = walk->link;
    return ORAS_OK;
}

static oras_code type_of(const oras_walk *walk, int dir, const char *name, unsigned char *type,
                         oras_error *err)
{
    struct stat st;

    if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
        return explain_open(walk, err);
    *type = (unsigned char)IFTODT(st.st_mode);
    return ORAS_OK;
}

oras_code oras_walk_visit(oras_walk *walk, const oras_name *found, oras_walk_entry *out,
                          oras_error *err)
{
    const oras_walk_level *at = &walk->levels[walk->depth - 1];
    unsigned char type = found->type;
    oras_code code = append_name(walk, at, found->text, err);

    if (!code && type == DT_UNKNOWN)
        code = type_of(walk, at->fd, found->text, &type, err);
    if (code)
        return code;
    switch (type) {
    case DT_REG:
        return visit_file(walk, at->fd, found->text, out, err);
    case DT_DIR:
        return visit_directory(walk, at->fd, found->text, out, err);
    case DT_LNK:
        return visit_link(walk, at->fd, found->text, out, err);
    default:
        return oras_walk_refuse_kind(shown(walk), (mode_t)DTTOIF(type), err);
    }
}
