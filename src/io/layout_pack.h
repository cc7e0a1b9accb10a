/* SPDX-License-Identifier: MIT
 * A layout as a tar: the same blobs and index give the same bytes, sorted by name, without times
 * and owners. Written beside its path and renamed, durably. */
#ifndef ORAS_IO_LAYOUT_PACK_H
#define ORAS_IO_LAYOUT_PACK_H

#include "io/layout.h"

#include <stdatomic.h>

typedef struct oras_layout_pack {
    const char *path;
    bool replace; /* else class exists when something stands at path */
    mode_t umask;
    const void *index;
    size_t index_size;
    oras_layout *layouts[2];    /* where blobs are looked for, in this order; NULL: none */
    const oras_digest *digests; /* the blobs, sorted by their text, each once */
    size_t n_digests;
    atomic_bool abandoned; /* set by another thread: class cancelled, soon */
} oras_layout_pack;

/** On any thread. Class not_found, content (a blob was cut off), exists, path, io, cancelled. */
oras_code oras_layout_pack_write(const oras_layout_pack *pack, oras_error *err);

#endif
