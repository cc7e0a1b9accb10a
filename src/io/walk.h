/* SPDX-License-Identifier: MIT
 * A tree below an open directory, depth first, each directory sorted by bytes, a directory
 * before what is in it. Only descriptors are walked, never paths, and no symbolic link is
 * followed, so that nobody who moves things about while it runs leads it elsewhere. */
#ifndef ORAS_IO_WALK_H
#define ORAS_IO_WALK_H

#include "base/buf.h"

#include <stdatomic.h>
#include <sys/stat.h>

#define ORAS_WALK_MAX_DEPTH   64 /* components of a name */
#define ORAS_WALK_MAX_ENTRIES 1000000

typedef struct oras_walk oras_walk;

/** Borrowed from the walk until the next step. */
typedef struct oras_walk_entry {
    const char *name;     /* in the archive */
    const char *shown;    /* where it lies, for messages */
    const char *linkname; /* of a symbolic link, else "" */
    struct stat st;       /* regular file, directory or symbolic link */
    int fd;               /* of a regular file, to be read from 0; else -1 */
} oras_walk_entry;

typedef struct oras_walk_options {
    const char *prefix;  /* see oras_pack_options */
    int64_t max_entries; /* 0: ORAS_WALK_MAX_ENTRIES */
    atomic_bool *stop;   /* ends a step early with class cancelled; borrowed */
} oras_walk_options;

/** Open the file or directory (the user named it: a link there is followed). Class io; path for
 * what is neither; usage for a prefix that is no plain relative name. */
oras_code oras_walk_new(const char *path, const oras_walk_options *options, oras_walk **out,
                        oras_error *err);
void oras_walk_free(oras_walk *walk);

/** Begin again. */
void oras_walk_restart(oras_walk *walk);

/** Go to the next entry; `*ended` instead when there is none. Class io (unreadable), path
 * (socket, FIFO, device, a link that leaves the tree), content (changed since its directory was
 * read), limit. */
oras_code oras_walk_next(oras_walk *walk, oras_walk_entry *out, bool *ended, oras_error *err);

/** Is the current file still what it was when the walk came to it? Class content. */
oras_code oras_walk_check_file(const oras_walk_entry *entry, oras_error *err);

#endif
