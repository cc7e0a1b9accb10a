/* SPDX-License-Identifier: MIT
 * Removing a tree by descriptors: no link is followed, nothing outside is touched. */
#ifndef ORAS_IO_REMOVE_H
#define ORAS_IO_REMOVE_H

/** Remove `name` in `dir`, with all that is in it. Goes on where something cannot be removed;
 * 0 when all is gone, else -1 and the first errno. */
int oras_remove_tree(int dir, const char *name);

#endif
