/* SPDX-License-Identifier: MIT */
#include "io/tar_header.h"

#include <string.h>

/* offset and size of the fields that are read; owners and devices are nobody's business here */
enum {
    NAME = 0,
    NAME_SIZE = 100,
    MODE = 100,
    MODE_SIZE = 8,
    SIZE = 124,
    SIZE_SIZE = 12,
    MTIME = 136,
    MTIME_SIZE = 12,
    CHECKSUM = 148,
    CHECKSUM_SIZE = 8,
    TYPE = 156,
    LINKNAME = 157,
    LINKNAME_SIZE = 100,
    MAGIC = 257,
    PREFIX = 345,
    PREFIX_SIZE = 155,
    GNU_REAL_SIZE = 483,
    GNU_REAL_SIZE_SIZE = 12
};

bool oras_tar_block_is_zero(const uint8_t block[ORAS_TAR_BLOCK])
{
    return block[0] == 0 && memcmp(block, block + 1, ORAS_TAR_BLOCK - 1) == 0;
}

/* GNU's base-256: the first bit marks it, the rest is a big-endian two's complement. */
static bool number_binary(const uint8_t *field, size_t size, int64_t *out)
{
    bool negative = (field[0] & 0x40) != 0;
    uint8_t fill = negative ? 0xff : 0;
    uint64_t value = negative ? UINT64_MAX : 0;

    for (size_t i = 0; i < size; i++) {
        uint8_t byte = field[i];

        if (i == 0)
            byte = negative ? byte : (uint8_t)(byte & 0x7f);
        if (i + 8 < size && byte != fill)
            return false;
        value = value << 8 | byte;
    }
    if (negative != (value >> 63 != 0))
        return false;
    memcpy(out, &value, sizeof *out);
    return true;
}

/* Octal digits with spaces before and spaces or NULs behind; an empty field is 0 (Go writes
 * such ones in the headers of pax records). */
static bool number_octal(const uint8_t *field, size_t size, int64_t *out)
{
    int64_t value = 0;
    size_t i = 0;

    while (i < size && field[i] == ' ')
        i++;
    for (; i < size && field[i] >= '0' && field[i] <= '7'; i++)
        value = value * 8 + (field[i] - '0'); /* 12 digits are 36 bits */
    for (; i < size; i++) {
        if (field[i] != ' ' && field[i] != '\0')
            return false;
    }
    *out = value;
    return true;
}

static bool number(const uint8_t *block, size_t offset, size_t size, int64_t *out)
{
    if (block[offset] & 0x80)
        return number_binary(block + offset, size, out);
    return number_octal(block + offset, size, out);
}

bool oras_tar_checksum_is_right(const uint8_t block[ORAS_TAR_BLOCK])
{
    int64_t stored;
    int64_t sum = 0, sum_signed = 0;

    if (!number_octal(block + CHECKSUM, CHECKSUM_SIZE, &stored))
        return false;
    for (size_t i = 0; i < ORAS_TAR_BLOCK; i++) {
        bool own = i >= CHECKSUM && i < CHECKSUM + CHECKSUM_SIZE;
        int byte = own ? ' ' : block[i];

        sum += byte;
        sum_signed += byte < 128 ? byte : byte - 256;
    }
    return stored == sum || stored == sum_signed;
}

static size_t text(const uint8_t *field, size_t size, char *out)
{
    const uint8_t *end = memchr(field, '\0', size);
    size_t n = end ? (size_t)(end - field) : size;

    memcpy(out, field, n);
    out[n] = '\0';
    return n;
}

/* Only POSIX has a prefix; in GNU's own format other fields lie there. */
static void join_name(const uint8_t *block, char *out)
{
    size_t n = 0;

    if (memcmp(block + MAGIC, "ustar", 6) == 0 && block[PREFIX]) {
        n = text(block + PREFIX, PREFIX_SIZE, out);
        out[n++] = '/';
    }
    text(block + NAME, NAME_SIZE, out + n);
}

static oras_code numbers(const uint8_t *block, oras_tar_header *header, oras_error *err)
{
    int64_t mode;

    if (!number(block, SIZE, SIZE_SIZE, &header->size) || header->size < 0)
        return oras_fail(err, ORAS_C_CONTENT, "tar entry '%s' has a bad size", header->name);
    if (!number(block, MTIME, MTIME_SIZE, &header->mtime))
        return oras_fail(err, ORAS_C_CONTENT, "tar entry '%s' has a bad time", header->name);
    if (!number(block, MODE, MODE_SIZE, &mode) || mode < 0)
        return oras_fail(err, ORAS_C_CONTENT, "tar entry '%s' has a bad mode", header->name);
    header->mode = (unsigned)(mode & 07777);
    header->real_size = 0;
    if (header->type == 'S' &&
        (!number(block, GNU_REAL_SIZE, GNU_REAL_SIZE_SIZE, &header->real_size) ||
         header->real_size < 0))
        return oras_fail(err, ORAS_C_CONTENT, "tar entry '%s' has a bad sparse size", header->name);
    return ORAS_OK;
}

oras_code oras_tar_header_parse(const uint8_t block[ORAS_TAR_BLOCK], oras_tar_header *out,
                                oras_error *err)
{
    oras_tar_header header;
    oras_code code;

    header.type = block[TYPE] ? (char)block[TYPE] : '0';
    join_name(block, header.name);
    text(block + LINKNAME, LINKNAME_SIZE, header.linkname);
    code = numbers(block, &header, err);
    if (!code)
        *out = header;
    return code;
}
