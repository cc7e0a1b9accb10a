/* SPDX-License-Identifier: MIT
 * Strict reader of tar: ustar, pax and GNU headers over bytes that are fed to it.
 *
 * What other readers take in different ways is refused: types outside POSIX's (class path),
 * sizes on entries without data, repeated or global names, a lone zero block, a missing end
 * (class content). Sparse files are refused (unsupported; limit if they would unpack to more
 * than max_bytes). What stands behind the two end blocks is taken and not looked at. */
#ifndef ORAS_IO_TAR_H
#define ORAS_IO_TAR_H

#include "io/meter.h"

typedef struct oras_tar oras_tar;

/** The meter is borrowed; it counts entries here, bytes where they come from. */
oras_code oras_tar_new(oras_meter *meter, oras_tar **out, oras_error *err);
void oras_tar_free(oras_tar *tar);

/** As the functions of io/archive.h, for bytes that are not compressed. */
void oras_tar_feed(oras_tar *tar, const void *data, size_t size);
oras_archive_step oras_tar_next(oras_tar *tar, oras_entry *out, oras_error *err);
oras_archive_step oras_tar_read(oras_tar *tar, const void **data, size_t *size, oras_error *err);

/** For an archive that can be sought in: the current entry is passed over without its bytes,
 * none of which was fed. Gives how many, padding included. */
int64_t oras_tar_skip(oras_tar *tar);

#endif
