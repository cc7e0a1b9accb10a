/* SPDX-License-Identifier: MIT
 * What an archive has cost so far, held against its limits. */
#ifndef ORAS_IO_METER_H
#define ORAS_IO_METER_H

#include "io/archive.h"

typedef struct oras_meter {
    oras_archive_limits limits; /* with the defaults filled in */
    int64_t n_packed, n_unpacked, n_entries;
} oras_meter;

/** `limits` may be NULL: all defaults. */
void oras_meter_init(oras_meter *meter, const oras_archive_limits *limits);

/** Count; class limit if that is too much. */
oras_code oras_meter_unpacked(oras_meter *meter, size_t size, oras_error *err);
oras_code oras_meter_entry(oras_meter *meter, oras_error *err);

#endif
