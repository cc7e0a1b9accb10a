/* SPDX-License-Identifier: MIT */
#include "io/entries.h"

oras_code oras_entries_init(oras_entries *entries, oras_packing packing, oras_meter *meter,
                            oras_error *err)
{
    if (packing == ORAS_PACKING_ZIP)
        return oras_zip_new(meter, &entries->zip, err);
    return oras_tar_new(meter, &entries->tar, err);
}

void oras_entries_dispose(oras_entries *entries)
{
    oras_tar_free(entries->tar);
    oras_zip_free(entries->zip);
    *entries = (oras_entries){NULL, NULL};
}

bool oras_entries_are_known(const oras_entries *entries)
{
    return entries->tar || entries->zip;
}

oras_code oras_entries_feed(oras_entries *entries, const void *data, size_t size, oras_error *err)
{
    if (entries->zip)
        return oras_zip_feed(entries->zip, data, size, err);
    oras_tar_feed(entries->tar, data, size);
    return ORAS_OK;
}

oras_archive_step oras_entries_next(oras_entries *entries, oras_entry *out, oras_error *err)
{
    return entries->zip ? oras_zip_next(entries->zip, out, err)
                        : oras_tar_next(entries->tar, out, err);
}

oras_archive_step oras_entries_read(oras_entries *entries, const void **data, size_t *size,
                                    oras_error *err)
{
    return entries->zip ? oras_zip_read(entries->zip, data, size, err)
                        : oras_tar_read(entries->tar, data, size, err);
}
