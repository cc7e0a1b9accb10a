/* SPDX-License-Identifier: MIT
 * A walk as the bytes of a tar archive. */
#ifndef ORAS_IO_PACK_TAR_H
#define ORAS_IO_PACK_TAR_H

#include "io/walk.h"

typedef struct oras_pack_tar {
    oras_walk *walk; /* owned */
    int64_t mtime;   /* of every entry; -1: its own */
    atomic_bool *stop;

    oras_walk_entry entry;
    oras_buf head; /* header blocks of the current entry */
    size_t head_at;
    int64_t at, left; /* in the current file */
    bool in_file, last;
    size_t n_zeros; /* to come: padding, or the end of the archive */
} oras_pack_tar;

/** The walk is taken. */
void oras_pack_tar_init(oras_pack_tar *tar, oras_walk *walk, int64_t mtime, atomic_bool *stop);
void oras_pack_tar_dispose(oras_pack_tar *tar);

/** Back to byte 0. */
void oras_pack_tar_restart(oras_pack_tar *tar);

/** Fill a buffer; less than `capacity` and *ended only at the end. Classes as for
 * oras_walk_next(), and content for a file that changes while it is read. */
oras_code oras_pack_tar_read(oras_pack_tar *tar, char *data, size_t capacity, size_t *size,
                             bool *ended, oras_error *err);

#endif
