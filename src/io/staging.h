/* SPDX-License-Identifier: MIT
 * A directory that appears under its name complete or not at all: made beside it, locked while
 * in use, renamed at the end, or merged into one that is there. */
#ifndef ORAS_IO_STAGING_H
#define ORAS_IO_STAGING_H

#include "io/partial.h"

#include <sys/types.h>

typedef struct oras_staging {
    int root;   /* what `path` is below; owned */
    char *path; /* plain, or "." for the root itself; owned */
    bool overwrite, durable;
    int parent;       /* where the temporary lies; -1: not open */
    int fd;           /* the temporary */
    const char *name; /* of the target in `parent` */
    char partial[ORAS_PARTIAL_NAME_MAX];
} oras_staging;

/** Zeroed and closed; nothing is opened. Class path for one that is not plain. */
oras_code oras_staging_init(oras_staging *staging, int root, const char *path, bool overwrite,
                            bool durable, oras_error *err);
void oras_staging_dispose(oras_staging *staging);

/** Make missing parents and the temporary. Class exists (something stands at the path that is
 * no directory, or one that must not be changed), path (a symbolic link or device does), io. */
oras_code oras_staging_open(oras_staging *staging, oras_error *err);

/** Give the temporary its name and `mode`, or merge it (see io/merge.h); sweep beside it, and
 * close. Whatever happens, the temporary is gone afterwards. */
oras_code oras_staging_publish(oras_staging *staging, mode_t mode, oras_error *err);

/** Move the temporary into another staging, which can only be discarded; freed by that. */
oras_staging oras_staging_steal(oras_staging *staging);

/** Remove the temporary, with all that is in it, and close. */
void oras_staging_discard(oras_staging *staging);

#endif
