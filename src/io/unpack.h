/* SPDX-License-Identifier: MIT
 * Packed bytes into unpacked ones: the first bytes say how they are packed, which must be what
 * was promised. */
#ifndef ORAS_IO_UNPACK_H
#define ORAS_IO_UNPACK_H

#include "io/meter.h"

typedef struct oras_unpack oras_unpack;

/** The meter is borrowed; bytes are counted here. */
oras_code oras_unpack_new(oras_packing packing, oras_meter *meter, oras_unpack **out,
                          oras_error *err);
void oras_unpack_free(oras_unpack *unpack);

/** As oras_archive_feed(). */
void oras_unpack_feed(oras_unpack *unpack, const void *data, size_t size);

/**
 * Unpack: MORE (feed me), DATA, END (nothing is left and it ended where it may), FAILED.
 *
 * @param window  room for `room` bytes; not used where bytes need no unpacking
 * @param data    what there is, in the window or in what was fed: borrowed until the next call
 * @return FAILED: class content, limit, unsupported
 */
oras_archive_step oras_unpack_step(oras_unpack *unpack, void *window, size_t room,
                                   const void **data, size_t *size, oras_error *err);

/** How they are packed: known once a step gave DATA or END. A zip is not unpacked here. */
oras_packing oras_unpack_packing(const oras_unpack *unpack);

/** What the first bytes look like, "gzip" or "rar"; NULL for nothing in particular. */
const char *oras_unpack_looks_like(const oras_unpack *unpack);

#endif
