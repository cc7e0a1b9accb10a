/* SPDX-License-Identifier: MIT
 * Reader of zip on libarchive: its directory stands at the end, so all bytes are spooled
 * before the first entry is given.
 *
 * Stored and deflated entries only: the other methods take as much memory as the archive
 * says. Names end at a NUL, where libarchive cuts them. Passing over an entry reads it, so
 * that its checksum is seen and its bytes count. */
#ifndef ORAS_IO_ZIP_H
#define ORAS_IO_ZIP_H

#include "io/meter.h"

typedef struct oras_zip oras_zip;

/** The meter is borrowed. Class unsupported without libarchive. */
oras_code oras_zip_new(oras_meter *meter, oras_zip **out, oras_error *err);
void oras_zip_free(oras_zip *zip);

/** Take bytes; size 0: there are no more. */
oras_code oras_zip_feed(oras_zip *zip, const void *data, size_t size, oras_error *err);

/** As the functions of io/archive.h. */
oras_archive_step oras_zip_next(oras_zip *zip, oras_entry *out, oras_error *err);
oras_archive_step oras_zip_read(oras_zip *zip, const void **data, size_t *size, oras_error *err);

#endif
