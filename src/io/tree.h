/* SPDX-License-Identifier: MIT
 * Entries of an archive become files, below one directory that is this process's alone.
 *
 * No link is ever followed, nothing that is there is ever opened: a file is made or the
 * archive is refused. Owners, times, extended attributes and the bits beyond 0755 (0777 if
 * `exact`) are not kept; the umask holds unless `exact`. Directories are their owner's. */
#ifndef ORAS_IO_TREE_H
#define ORAS_IO_TREE_H

#include "io/archive.h"

#include <sys/types.h>

typedef struct oras_tree oras_tree;

typedef struct oras_tree_options {
    const char *prefix;  /* NULL, or what all names begin with if the first one does: dropped */
    bool links;          /* make symbolic links that stay inside; else class path */
    bool any_case;       /* names may differ in case alone; else class exists */
    int64_t max_entries; /* made, directories that have no entry of their own included */
    bool exact;          /* modes as they are in the archive */
    mode_t umask;        /* 0 if `exact` */
} oras_tree_options;

/** `dir` and the prefix are borrowed. */
oras_code oras_tree_new(int dir, const oras_tree_options *options, oras_tree **out,
                        oras_error *err);
void oras_tree_free(oras_tree *tree);

/**
 * Make an entry; the bytes of a file follow.
 *
 * Class path: a type that is not made, a way through what is no directory, a link that leaves
 * the tree or whose target is no file that was made before. Class exists: the name is taken.
 * Class limit, io, memory.
 */
oras_code oras_tree_entry(oras_tree *tree, const oras_entry *entry, oras_error *err);
oras_code oras_tree_write(oras_tree *tree, const void *data, size_t size, oras_error *err);

/** All bytes of the file were written. Nothing to do for other entries. */
oras_code oras_tree_end(oras_tree *tree, oras_error *err);

/** How many were made. */
int64_t oras_tree_count(const oras_tree *tree);

/** What the archive says of the directory itself, cut as for others; 0755 if nothing. */
mode_t oras_tree_mode(const oras_tree *tree);

#endif
