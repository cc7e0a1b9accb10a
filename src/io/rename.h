/* SPDX-License-Identifier: MIT
 * Renaming without replacing, also where the file system knows no RENAME_NOREPLACE. */
#ifndef ORAS_IO_RENAME_H
#define ORAS_IO_RENAME_H

#include <stdbool.h>

/** 0, or -1 and errno (EEXIST: something is there). Not for directories. */
int oras_rename_new_file(int from_dir, const char *from, int to_dir, const char *to);

/** The same for a directory (EEXIST, ENOTEMPTY, ENOTDIR). An empty directory that came to be
 * there in between may be replaced. */
int oras_rename_new_dir(int from_dir, const char *from, int to_dir, const char *to);

/** For tests: go the way of a kernel or file system without it. */
void oras_rename_force_fallback(bool force);

#endif
