/* SPDX-License-Identifier: MIT
 * A file that appears under its name complete or not at all: a temporary beside it, locked
 * while in use, renamed at the end. */
#ifndef ORAS_IO_TARGET_H
#define ORAS_IO_TARGET_H

#include "io/partial.h"
#include "io/sink.h"

typedef struct oras_target {
    char *dir, *name; /* of the final file; owned */
    char *shown;      /* its name in messages; owned */
    char partial[ORAS_PARTIAL_NAME_MAX];
    int root;       /* what `dir` is below; -1: it is a path of its own */
    int dir_fd, fd; /* -1: not open */
    bool keyed;     /* the temporary is named by digest and can be taken up again */
    bool overwrite, durable;
    mode_t asked; /* its mode, less the umask unless `exact`; 0: nobody says */
    bool exact;
    int64_t found; /* bytes that lay in the temporary when it was opened */
    int mode;      /* of the file that is replaced; -1: there is none */
} oras_target;

/** Take a path apart; nothing is opened. Class usage for one that names no file, path for one
 * below a root that is not plain. */
oras_code oras_target_init(oras_target *target, const oras_file_target *wanted, oras_error *err);
void oras_target_dispose(oras_target *target);

/** Make missing parents, look at what stands at the path (class exists; path for a device, FIFO
 * or socket, which must not be replaced, and below a root for a symbolic link; io), open and lock
 * the temporary: the one of `digest` (NULL: a new one of its own) unless somebody else uses it. */
oras_code oras_target_open(oras_target *target, const oras_digest *digest, oras_error *err);

/** Write all of the bytes at `offset` of the temporary. Class io; any thread. */
oras_code oras_target_write(const oras_target *target, const void *data, size_t size,
                            int64_t offset, oras_error *err);

/** Give the temporary its name and the mode that is asked for, else that of the file that it
 * replaces (0666 less `umask` where there is none), and close it. */
oras_code oras_target_publish(oras_target *target, mode_t umask, oras_error *err);

/** Close the temporary; remove it unless `keep`. */
void oras_target_close(oras_target *target, bool keep);

#endif
