/* SPDX-License-Identifier: MIT
 * Where a symbolic link of an archive leads. */
#ifndef ORAS_IO_TREE_LINK_H
#define ORAS_IO_TREE_LINK_H

#include <stdbool.h>

/** Does the link at `path` (plain, below the tree's root) with that target stay in the tree,
 * whatever other links of the same rule there are? */
bool oras_tree_link_stays_inside(const char *path, const char *target);

#endif
