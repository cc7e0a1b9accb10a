/* SPDX-License-Identifier: MIT
 * The header of a gzip member (RFC 1952, 2.3), in pieces of any size. Ours, because ISA-L
 * swallows endless names and misreads a header checksum that is split between two buffers. */
#ifndef ORAS_IO_GZIP_HEADER_H
#define ORAS_IO_GZIP_HEADER_H

#include "io/codecs.h"

#define ORAS_GZIP_HEADER_MAX 65536

typedef enum oras_gzip_part {
    ORAS_GZIP_FIXED,
    ORAS_GZIP_EXTRA_SIZE,
    ORAS_GZIP_EXTRA,
    ORAS_GZIP_NAME,
    ORAS_GZIP_COMMENT,
    ORAS_GZIP_CRC,
    ORAS_GZIP_DONE
} oras_gzip_part;

/** Zero is the start of a header. */
typedef struct oras_gzip_header {
    oras_gzip_part part;
    size_t n_part;  /* bytes of this part so far */
    size_t n_total; /* of the header */
    unsigned flags;
    unsigned value; /* of a two-byte field */
    uint32_t crc;
} oras_gzip_header;

/** Take bytes; *taken is how many belonged to the header (all, until it is done). Class
 * content: no gzip, reserved flags, a wrong checksum, longer than 64 KiB. */
oras_code oras_gzip_header_take(oras_gzip_header *header, const oras_isal *isal,
                                const uint8_t *data, size_t size, size_t *taken, oras_error *err);

#endif
