/* SPDX-License-Identifier: MIT
 * Entries of unpacked bytes, of a tar or a zip: one of both, chosen when the packing is known. */
#ifndef ORAS_IO_ENTRIES_H
#define ORAS_IO_ENTRIES_H

#include "io/tar.h"
#include "io/zip.h"

typedef struct oras_entries {
    oras_tar *tar;
    oras_zip *zip;
} oras_entries;

/** `entries` is zeroed; the meter is borrowed, entries are counted here. */
oras_code oras_entries_init(oras_entries *entries, oras_packing packing, oras_meter *meter,
                            oras_error *err);
void oras_entries_dispose(oras_entries *entries);
bool oras_entries_are_known(const oras_entries *entries);

/** As the functions of io/archive.h. */
oras_code oras_entries_feed(oras_entries *entries, const void *data, size_t size, oras_error *err);
oras_archive_step oras_entries_next(oras_entries *entries, oras_entry *out, oras_error *err);
oras_archive_step oras_entries_read(oras_entries *entries, const void **data, size_t *size,
                                    oras_error *err);

#endif
