/* SPDX-License-Identifier: MIT
 * What the halves of a tree share: its state, the directory it stands in, its refusals. */
#ifndef ORAS_IO_TREE_INTERNAL_H
#define ORAS_IO_TREE_INTERNAL_H

#include "base/buf.h"
#include "io/names.h"
#include "io/tree.h"

#define ORAS_TREE_PATH_LIMIT ((size_t)64 * 1024) /* as the reader has it for names */
#define ORAS_TREE_MODE       ((mode_t)0755)      /* of directories nobody says anything of */

typedef enum prefix_state { PREFIX_UNKNOWN, PREFIX_DROP, PREFIX_NONE } prefix_state;

struct oras_tree {
    oras_tree_options options;
    int root;
    oras_names *names;
    prefix_state prefix;
    int64_t n_made;
    bool root_listed;
    mode_t mode; /* of the root */
    char *dir; /* path of the directory that is open, "" for the root; ORAS_TREE_PATH_LIMIT bytes */
    size_t n_dir;
    int dir_fd;   /* -1: the root */
    int file;     /* -1: none */
    oras_buf now; /* name of the current entry, as in the archive */
};

/** Class and words for the current entry. */
oras_code oras_tree_refuse(const oras_tree *tree, oras_class class, const char *why,
                           oras_error *err);

/** `before` has the name of the entry. */
oras_code oras_tree_refuse_taken(const oras_tree *tree, oras_name_kind before, oras_error *err);

/** What the file system said. */
oras_code oras_tree_explain(const oras_tree *tree, int number, oras_error *err);

/** One more is made; class limit. */
oras_code oras_tree_count_one(oras_tree *tree, oras_error *err);

/** Stand in the directory path[0..size), which is made if the archive has not named it yet. */
oras_code oras_tree_enter(oras_tree *tree, const char *path, size_t size, oras_error *err);

/** The descriptor of the directory it stands in, borrowed. */
int oras_tree_here(const oras_tree *tree);

#endif
