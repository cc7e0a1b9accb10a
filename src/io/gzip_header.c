/* SPDX-License-Identifier: MIT */
#include "io/gzip_header.h"

#define FIXED_SIZE 10

enum { FLAG_CRC = 2, FLAG_EXTRA = 4, FLAG_NAME = 8, FLAG_COMMENT = 16, FLAGS_RESERVED = 0xe0 };

/* flag that each part needs to be there */
static const unsigned needs[] = {
    [ORAS_GZIP_FIXED] = 0,
    [ORAS_GZIP_EXTRA_SIZE] = FLAG_EXTRA,
    [ORAS_GZIP_EXTRA] = FLAG_EXTRA,
    [ORAS_GZIP_NAME] = FLAG_NAME,
    [ORAS_GZIP_COMMENT] = FLAG_COMMENT,
    [ORAS_GZIP_CRC] = FLAG_CRC,
};

static void next_part(oras_gzip_header *header)
{
    bool empty_extra = header->part == ORAS_GZIP_EXTRA_SIZE && header->value == 0;

    header->part += empty_extra ? 2 : 1;
    header->n_part = 0;
    if (header->part != ORAS_GZIP_EXTRA)
        header->value = 0;
    while (header->part < ORAS_GZIP_DONE && !(header->flags & needs[header->part]))
        header->part++;
}

/* magic, method, flags; then time, extra flags and system, which nobody needs */
static oras_code take_fixed(oras_gzip_header *header, uint8_t byte, oras_error *err)
{
    static const uint8_t start[] = {0x1f, 0x8b, 8};

    if (header->n_part <= 3 && header->n_part > 0 && byte != start[header->n_part - 1])
        return oras_fail(err, ORAS_C_CONTENT, "not gzip: no member where one was expected");
    if (header->n_part == 4)
        header->flags = byte;
    if (header->flags & FLAGS_RESERVED)
        return oras_fail(err, ORAS_C_CONTENT, "gzip header has reserved flags");
    if (header->n_part == FIXED_SIZE)
        next_part(header);
    return ORAS_OK;
}

static oras_code take_crc(oras_gzip_header *header, oras_error *err)
{
    if (header->n_part < 2)
        return ORAS_OK;
    if (header->value != (header->crc & 0xffff))
        return oras_fail(err, ORAS_C_CONTENT, "gzip header has a wrong checksum");
    next_part(header);
    return ORAS_OK;
}

static oras_code take_byte(oras_gzip_header *header, const oras_isal *isal, uint8_t byte,
                           oras_error *err)
{
    if (++header->n_total > ORAS_GZIP_HEADER_MAX)
        return oras_fail(err, ORAS_C_CONTENT, "gzip header is longer than %d bytes",
                         ORAS_GZIP_HEADER_MAX);
    if (header->part != ORAS_GZIP_CRC)
        header->crc = isal->crc32_gzip_refl(header->crc, &byte, 1);
    header->n_part++;
    if (header->part == ORAS_GZIP_FIXED)
        return take_fixed(header, byte, err);
    if (header->part == ORAS_GZIP_EXTRA_SIZE || header->part == ORAS_GZIP_CRC)
        header->value |= (unsigned)byte << 8 * (header->n_part - 1);
    if (header->part == ORAS_GZIP_CRC)
        return take_crc(header, err);
    if ((header->part == ORAS_GZIP_EXTRA_SIZE && header->n_part == 2) ||
        (header->part == ORAS_GZIP_EXTRA && header->n_part == header->value) ||
        ((header->part == ORAS_GZIP_NAME || header->part == ORAS_GZIP_COMMENT) && byte == 0))
        next_part(header);
    return ORAS_OK;
}

oras_code oras_gzip_header_take(oras_gzip_header *header, const oras_isal *isal,
                                const uint8_t *data, size_t size, size_t *taken, oras_error *err)
{
    size_t i = 0;

    while (i < size && header->part != ORAS_GZIP_DONE) {
        oras_code code = take_byte(header, isal, data[i++], err);

        if (code)
            return code;
    }
    *taken = i;
    return ORAS_OK;
}
