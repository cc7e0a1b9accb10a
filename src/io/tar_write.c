/* SPDX-License-Identifier: MIT
 * POSIX.1-2017, pax, "ustar Interchange Format" and "pax Extended Header"; where they leave a
 * choice, what Go chose. */
#include "io/tar_write.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define NAME_SIZE   100
#define PREFIX_SIZE 155
#define RECORDS_MAX 65536 /* of one header; names of 64 components need a quarter */

typedef struct field {
    size_t offset, size;
} field;

static const field NAME = {0, NAME_SIZE}, MODE = {100, 8}, UID = {108, 8}, GID = {116, 8},
                   SIZE = {124, 12}, MTIME = {136, 12}, CHECKSUM = {148, 7}, LINKNAME = {157, 100},
                   DEVMAJOR = {329, 8}, DEVMINOR = {337, 8}, PREFIX = {345, PREFIX_SIZE};

enum { TYPE = 156, MAGIC = 257 };

size_t oras_tar_padding(int64_t size)
{
    return (size_t)(-(uint64_t)size % ORAS_TAR_BLOCK);
}

static bool is_ascii(const char *text)
{
    for (; *text; text++) {
        if ((unsigned char)*text >= 0x80)
            return false;
    }
    return true;
}

/* Octal digits and a NUL. */
static bool fits_octal(field at, int64_t value)
{
    return value >= 0 && value < (int64_t)1 << (3 * (at.size - 1));
}

/* --- one block ---------------------------------------------------------------------------- */

/* As much of a text as fits. A name cut behind a slash would look like a directory's, so the
 * first slash of those at the end is made its end. */
static void put_bytes(uint8_t *block, field at, const char *text, size_t n)
{
    size_t end = at.size - 1;

    memcpy(block + at.offset, text, n < at.size ? n : at.size);
    if (n <= at.size || text[end] != '/')
        return;
    while (end > 0 && text[end - 1] == '/')
        end--;
    block[at.offset + end] = '\0';
}

/* The same without what is not ASCII; the pax record has it all. */
static void put_text(uint8_t *block, field at, const char *text)
{
    char ascii[NAME_SIZE + 1];
    size_t n = 0;

    for (; *text && n < sizeof ascii; text++) {
        if ((unsigned char)*text < 0x80)
            ascii[n++] = *text;
    }
    put_bytes(block, at, ascii, n);
}

/* What does not fit stands in a pax record, and here as zero. The NUL behind is there already. */
static void put_number(uint8_t *block, field at, int64_t value)
{
    if (!fits_octal(at, value))
        value = 0;
    for (size_t i = at.size - 1; i-- > 0; value >>= 3)
        block[at.offset + i] = (uint8_t)('0' + (value & 7));
}

static void seal(uint8_t *block)
{
    int64_t sum = 8 * ' ';

    memcpy(block + MAGIC, "ustar\00000", 8);
    for (size_t i = 0; i < ORAS_TAR_BLOCK; i++)
        sum += block[i];
    put_number(block, CHECKSUM, sum);
    block[CHECKSUM.offset + CHECKSUM.size] = ' ';
}

static void put_ownerless(uint8_t *block, unsigned mode, int64_t size, int64_t mtime)
{
    put_number(block, MODE, mode);
    put_number(block, UID, 0);
    put_number(block, GID, 0);
    put_number(block, SIZE, size);
    put_number(block, MTIME, mtime);
}

static void put_member(const oras_tar_member *member, const char *name, size_t n_prefix,
                       oras_buf *out)
{
    uint8_t block[ORAS_TAR_BLOCK] = {0};

    put_text(block, NAME, name);
    put_text(block, LINKNAME, member->linkname);
    put_ownerless(block, member->mode, member->size, member->mtime);
    block[TYPE] = (uint8_t)member->type;
    put_number(block, DEVMAJOR, 0);
    put_number(block, DEVMINOR, 0);
    put_bytes(block, PREFIX, member->name, n_prefix);
    seal(block);
    oras_buf_append(out, block, sizeof block);
}

/* --- ustar: a long name in two parts ------------------------------------------------------- */

/* The last slash at which prefix and name both fit. */
static bool split(const char *name, size_t *n_prefix)
{
    size_t size = strlen(name);
    size_t at = size > PREFIX_SIZE + 1 ? PREFIX_SIZE + 1 : size;

    while (at > 0 && name[at - 1] != '/')
        at--;
    if (at <= 1 || size - at > NAME_SIZE || size == at)
        return false;
    *n_prefix = at - 1;
    return true;
}

static bool fits_name(const char *name, size_t *n_prefix)
{
    *n_prefix = 0;
    return is_ascii(name) && (strlen(name) <= NAME_SIZE || split(name, n_prefix));
}

static bool needs_record(const char *text)
{
    return !is_ascii(text) || strlen(text) > NAME_SIZE;
}

/* --- pax: records in front ----------------------------------------------------------------- */

static size_t n_digits(size_t value)
{
    size_t n = 1;

    for (; value >= 10; value /= 10)
        n++;
    return n;
}

/* "SIZE key=value\n", where SIZE counts itself. */
static void put_record(oras_buf *records, const char *key, const char *value)
{
    size_t rest = strlen(key) + strlen(value) + 3; /* space, "=" and line end */
    size_t size = rest + n_digits(rest + n_digits(rest));

    oras_buf_printf(records, "%zu %s=%s\n", size, key, value);
}

static void put_number_record(oras_buf *records, const char *key, int64_t value)
{
    char text[32];

    snprintf(text, sizeof text, "%" PRId64, value);
    put_record(records, key, text);
}

/* In the order of their keys. */
static void put_records(const oras_tar_member *member, oras_buf *records)
{
    if (needs_record(member->linkname))
        put_record(records, "linkpath", member->linkname);
    if (!fits_octal(MTIME, member->mtime))
        put_number_record(records, "mtime", member->mtime);
    if (needs_record(member->name))
        put_record(records, "path", member->name);
    if (!fits_octal(SIZE, member->size))
        put_number_record(records, "size", member->size);
}

/* "dir/PaxHeaders.0/file", of which the header keeps the first 100 ASCII bytes. */
static void put_pax_name(uint8_t *block, const char *name)
{
    char text[2 * NAME_SIZE];
    size_t n = 0, n_dir;
    const char *slash = strrchr(name, '/');
    const char *parts[2] = {"PaxHeaders.0/", slash ? slash + 1 : name};

    n_dir = slash ? (size_t)(slash + 1 - name) : 0;
    for (size_t i = 0; i < n_dir && n < NAME_SIZE; i++) {
        if ((unsigned char)name[i] < 0x80)
            text[n++] = name[i];
    }
    for (size_t p = 0; p < 2; p++) {
        for (const char *c = parts[p]; *c && n < NAME_SIZE; c++) {
            if ((unsigned char)*c < 0x80)
                text[n++] = *c;
        }
    }
    while (n > 0 && text[n - 1] == '/')
        n--;
    put_bytes(block, NAME, text, n);
}

static void put_pax(const oras_tar_member *member, const oras_buf *records, oras_buf *out)
{
    static const char zeros[ORAS_TAR_BLOCK];
    uint8_t block[ORAS_TAR_BLOCK] = {0};

    put_pax_name(block, member->name);
    put_ownerless(block, 0, (int64_t)records->size, 0);
    block[TYPE] = 'x';
    seal(block);
    oras_buf_append(out, block, sizeof block);
    oras_buf_append(out, records->data, records->size);
    oras_buf_append(out, zeros, oras_tar_padding((int64_t)records->size));
}

oras_code oras_tar_write_header(const oras_tar_member *member, oras_buf *out, oras_error *err)
{
    oras_buf records = ORAS_BUF_INIT(RECORDS_MAX);
    size_t n_prefix;
    oras_code code;

    if (fits_name(member->name, &n_prefix) && !needs_record(member->linkname) &&
        fits_octal(MTIME, member->mtime) && fits_octal(SIZE, member->size)) {
        put_member(member, member->name + (n_prefix ? n_prefix + 1 : 0), n_prefix, out);
        return oras_buf_check(out, "a tar header", err);
    }
    put_records(member, &records);
    code = oras_buf_check(&records, "a pax header", err);
    if (!code) {
        put_pax(member, &records, out);
        put_member(member, member->name, 0, out);
        code = oras_buf_check(out, "a tar header", err);
    }
    oras_buf_dispose(&records);
    return code;
}
