/* SPDX-License-Identifier: MIT */
#include "io/meter.h"

#define MAX_BYTES   (10LL << 30)
#define MAX_ENTRIES 1000000
#define MAX_RATIO   200
#define MAX_DEPTH   64
#define RATIO_FROM  (64LL << 20) /* small things may be as repetitive as they like */

void oras_meter_init(oras_meter *meter, const oras_archive_limits *limits)
{
    oras_archive_limits l = {0, 0, 0, 0};

    if (limits)
        l = *limits;
    *meter = (oras_meter){.limits = {
                              .max_bytes = l.max_bytes > 0 ? l.max_bytes : MAX_BYTES,
                              .max_entries = l.max_entries > 0 ? l.max_entries : MAX_ENTRIES,
                              .max_ratio = l.max_ratio > 0 ? l.max_ratio : MAX_RATIO,
                              .max_depth = l.max_depth > 0 ? l.max_depth : MAX_DEPTH,
                          }};
}

oras_code oras_meter_unpacked(oras_meter *meter, size_t size, oras_error *err)
{
    const oras_archive_limits *limits = &meter->limits;

    if (size > (uint64_t)(limits->max_bytes - meter->n_unpacked))
        return oras_fail(err, ORAS_C_LIMIT, "the archive unpacks to more than %lld bytes",
                         (long long)limits->max_bytes);
    meter->n_unpacked += (int64_t)size;
    if (meter->n_unpacked > RATIO_FROM && meter->n_unpacked / limits->max_ratio > meter->n_packed)
        return oras_fail(err, ORAS_C_LIMIT, "the archive unpacks to more than %d times its size",
                         limits->max_ratio);
    return ORAS_OK;
}

oras_code oras_meter_entry(oras_meter *meter, oras_error *err)
{
    if (meter->n_entries >= meter->limits.max_entries)
        return oras_fail(err, ORAS_C_LIMIT, "the archive has more than %lld entries",
                         (long long)meter->limits.max_entries);
    meter->n_entries++;
    return ORAS_OK;
}
