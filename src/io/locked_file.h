/* SPDX-License-Identifier: MIT
 * A small file that several processes read and change: one at a time, and whoever only reads
 * sees the old one or the new one. The lock (flock) is on its directory, so that nothing is left
 * behind. Where the path is a symbolic link, the file that it means is the one. */
#ifndef ORAS_IO_LOCKED_FILE_H
#define ORAS_IO_LOCKED_FILE_H

#include "base/buf.h"

typedef struct oras_locked_file oras_locked_file;

/** One try; *out stays NULL while somebody else has the lock. The directory is made (0700) where
 * it is missing. Class io, usage, path. */
oras_code oras_locked_file_try(const char *path, oras_locked_file **out, oras_error *err);

/** Let it go. NULL is fine. */
void oras_locked_file_free(oras_locked_file *file);

/** All of it, appended to *bytes; *is_there false: there is none. Class io, path (no regular
 * file), limit. */
oras_code oras_locked_file_read(const oras_locked_file *file, oras_buf *bytes, bool *is_there,
                                oras_error *err);

/** Replace it durably: another file, that only its owner may read, renamed onto it. Rights that
 * it had for others are gone. Class io, path. */
oras_code oras_locked_file_write(const oras_locked_file *file, const void *data, size_t size,
                                 oras_error *err);

#endif
