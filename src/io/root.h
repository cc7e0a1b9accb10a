/* SPDX-License-Identifier: MIT
 * What lies below a directory, reached without ever following a symbolic link out of it or in
 * it. Paths are relative and plain: no ".", no "..", no empty component. */
#ifndef ORAS_IO_ROOT_H
#define ORAS_IO_ROOT_H

#include "base/buf.h"

#include <sys/types.h>

/** Open the directory itself (the user named it, so links on the way there are fine). Class
 * not_found, io. *fd is the caller's. */
oras_code oras_root_open(const char *path, int *fd, oras_error *err);

/** The same; it is made, with its missing parents, where it is not there. */
oras_code oras_root_make(const char *path, int *fd, oras_error *err);

/**
 * Open a regular file below `root` for reading. Never waits, for a FIFO neither.
 *
 * @param fd    the caller's
 * @param size  of the file
 * @return class not_found; path (a symbolic link on the way, no regular file, not below);
 *         io
 */
oras_code oras_root_read(int root, const char *path, int *fd, int64_t *size, oras_error *err);

/** Open a directory below `root`, for use as such (O_PATH); "." is root itself. With `create`,
 * what is missing is made step by step. Class not_found, path, io. *fd is the caller's. */
oras_code oras_root_dir(int root, const char *path, bool create, int *fd, oras_error *err);

/** The same for the directory that the last component of `path` lies in; *name is that
 * component, borrowed from path. */
oras_code oras_root_parent(int root, const char *path, bool create, int *dir, const char **name,
                           oras_error *err);

typedef enum oras_look_kind {
    ORAS_LOOK_NOTHING,
    ORAS_LOOK_FILE,
    ORAS_LOOK_DIRECTORY,
    ORAS_LOOK_SYMLINK,
    ORAS_LOOK_OTHER
} oras_look_kind;

typedef struct oras_look {
    oras_look_kind kind;
    int64_t size;
    mode_t mode; /* permission bits */
} oras_look;

/** What is there? A link at the end is told as such. Class path (a link on the way, not
 * below), io. */
oras_code oras_root_look(int root, const char *path, oras_look *out, oras_error *err);

/** The same for one name in a directory; errno's way: -1 only for what is neither there nor
 * absent. */
int oras_look_at(int dir, const char *name, oras_look *out);

/** The names in a directory below `root`, each with its NUL, in no order. Class not_found, path,
 * io, limit. */
oras_code oras_root_list(int root, const char *path, oras_buf *out, oras_error *err);

/** Where a symbolic link leads. Class not_found, path, io (no link, too). */
oras_code oras_root_link(int root, const char *path, oras_buf *out, oras_error *err);

/** openat(2) below `root`, by openat2(2) or step by step where that is not to be had: -1 and
 * errno (ELOOP, ENOTDIR for a link on the way). The path must be plain. */
int oras_root_openat(int root, const char *path, int flags, mode_t mode);

/** Is it relative, without ".", ".." and empty components? */
bool oras_root_path_is_plain(const char *path);

/** Class and words for errno about a path below a root. */
oras_code oras_root_explain(int number, const char *path, oras_error *err);

/** For tests: walk the components one by one, as on a kernel without openat2(2). */
void oras_root_force_walk(bool walk);

#endif
