/* SPDX-License-Identifier: MIT
 * A walk on its way. */
#ifndef ORAS_IO_WALK_INTERNAL_H
#define ORAS_IO_WALK_INTERNAL_H

#include "io/walk.h"
#include "io/walk_names.h"

#include <limits.h>

typedef struct oras_walk_level {
    int fd;
    oras_names names;
    char last[NAME_MAX + 1]; /* given out before the names were dropped or used up */
    size_t n_name, n_shown;  /* bytes of the walk's names that are the directory's own */
    struct stat st;          /* when it was entered */
} oras_walk_level;

struct oras_walk {
    int root; /* a file or a directory */
    bool is_file, started;
    oras_buf name, shown;    /* of the current entry: in the archive, where it lies */
    size_t n_prefix, n_path; /* bytes of them that are the root's */
    int n_prefix_parts;
    char link[PATH_MAX];
    int file; /* the current entry's, or -1 */
    int64_t n_entries, max_entries;
    atomic_bool *stop;
    int depth; /* levels in use */
    oras_walk_level levels[ORAS_WALK_MAX_DEPTH];
};

static inline const char *shown(const oras_walk *walk)
{
    return oras_buf_text(&walk->shown);
}

/** Shorten a name to what it was before something was appended. */
void oras_walk_cut(oras_buf *buf, size_t size);

/** Go on with what is in a directory, whose fd is taken. */
oras_code oras_walk_enter(oras_walk *walk, int fd, const struct stat *st, oras_error *err);

/** The entry of that name in the innermost directory. */
oras_code oras_walk_visit(oras_walk *walk, const oras_name *found, oras_walk_entry *out,
                          oras_error *err);

/** Fill an entry with the walk's names. */
void oras_walk_show(const oras_walk *walk, oras_walk_entry *out);

/** Class content: it is not what it was a moment ago. */
oras_code oras_walk_fail_changed(const char *path, oras_error *err);

/** Class path: what no archive should hold. */
oras_code oras_walk_refuse_kind(const char *path, mode_t mode, oras_error *err);

#endif
