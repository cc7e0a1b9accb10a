/* SPDX-License-Identifier: MIT
 * Files below a directory, opened without ever following a symbolic link out of it or in it. */
#ifndef ORAS_IO_ROOT_H
#define ORAS_IO_ROOT_H

#include "base/error.h"

/** Open the directory itself (the user named it, so links on the way there are fine). Class
 * not_found, io. *fd is the caller's. */
oras_code oras_root_open(const char *path, int *fd, oras_error *err);

/**
 * Open a regular file below `root` for reading. Never waits, for a FIFO neither.
 *
 * @param path  relative, no ".." in it
 * @param fd    the caller's
 * @param size  of the file
 * @return class not_found; path (a symbolic link on the way, no regular file, not below);
 *         io
 */
oras_code oras_root_read(int root, const char *path, int *fd, int64_t *size, oras_error *err);

/** For tests: walk the components one by one, as on a kernel without openat2(2). */
void oras_root_force_walk(bool walk);

#endif
