/* SPDX-License-Identifier: MIT
 * What the first bytes say a file is: an allow-list of five, and names for what is refused. */
#ifndef ORAS_IO_SNIFF_H
#define ORAS_IO_SNIFF_H

#include "io/archive.h"

#define ORAS_SNIFF_SIZE 10 /* bytes that decide */

typedef struct oras_sniffed {
    oras_packing packing; /* NONE: neither compressed nor zip, so perhaps a tar */
    const char *name;     /* "gzip", "rar", ...; NULL if nothing is recognised */
} oras_sniffed;

/** Fewer bytes than ORAS_SNIFF_SIZE only when there are no more. */
oras_sniffed oras_sniff(const uint8_t *head, size_t size);

/** "tar", "gzip", ... of what a media type promised. */
const char *oras_packing_name(oras_packing packing);

#endif
