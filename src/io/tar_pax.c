/* SPDX-License-Identifier: MIT */
#include "io/tar_pax.h"

#include <string.h>

typedef struct pax_record {
    const char *key, *value; /* neither ends in NUL */
    size_t key_size, value_size;
} pax_record;

void oras_tar_extra_init(oras_tar_extra *extra)
{
    memset(extra, 0, sizeof *extra);
    oras_buf_init(&extra->path, ORAS_TAR_EXTENSION_MAX);
    oras_buf_init(&extra->linkname, ORAS_TAR_EXTENSION_MAX);
}

void oras_tar_extra_dispose(oras_tar_extra *extra)
{
    oras_buf_dispose(&extra->path);
    oras_buf_dispose(&extra->linkname);
}

void oras_tar_extra_clear(oras_tar_extra *extra)
{
    oras_buf path = extra->path, linkname = extra->linkname;

    memset(extra, 0, sizeof *extra);
    oras_buf_clear(&path);
    oras_buf_clear(&linkname);
    extra->path = path;
    extra->linkname = linkname;
}

bool oras_tar_extra_is_pending(const oras_tar_extra *extra)
{
    return extra->seen_pax || extra->seen_long_name || extra->seen_long_link;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Digits from the start of text; how many there were, 0 if they do not fit. */
static size_t decimal(const char *text, size_t size, int64_t *out)
{
    int64_t value = 0;
    size_t i = 0;

    for (; i < size && is_digit(text[i]); i++) {
        int digit = text[i] - '0';

        if (value > (INT64_MAX - digit) / 10)
            return 0;
        value = value * 10 + digit;
    }
    *out = value;
    return i;
}

/* "-12.5" is in second -13: a time is rounded down. */
static bool parse_time(const char *text, size_t size, int64_t *out)
{
    bool negative = size && text[0] == '-';
    size_t i = negative ? 1 : 0;
    size_t digits = decimal(text + i, size - i, out);
    bool fraction = false;

    i += digits;
    if (digits && i < size && text[i] == '.') {
        for (i++; i < size && is_digit(text[i]); i++)
            fraction = fraction || text[i] != '0';
    }
    if (negative)
        *out = -*out - (fraction ? 1 : 0);
    return digits && i == size;
}

static bool key_is(const pax_record *record, const char *key)
{
    return record->key_size == strlen(key) && memcmp(record->key, key, record->key_size) == 0;
}

static bool key_starts(const pax_record *record, const char *prefix)
{
    size_t n = strlen(prefix);

    return record->key_size >= n && memcmp(record->key, prefix, n) == 0;
}

/* "LENGTH KEY=VALUE\n", where LENGTH counts all of it. */
static bool next_record(const oras_buf *records, size_t *offset, pax_record *out)
{
    const char *start = records->data + *offset;
    size_t left = records->size - *offset;
    int64_t length;
    size_t digits = decimal(start, left, &length);
    const char *equals;

    if (digits == 0 || digits == left || start[digits] != ' ' || length > (int64_t)left ||
        length < (int64_t)digits + 4 || start[length - 1] != '\n')
        return false;
    out->key = start + digits + 1;
    equals = memchr(out->key, '=', (size_t)length - digits - 2);
    if (!equals || equals == out->key)
        return false;
    out->key_size = (size_t)(equals - out->key);
    out->value = equals + 1;
    out->value_size = (size_t)(start + length - 1 - out->value);
    *offset += (size_t)length;
    return true;
}

static oras_code bad_value(const pax_record *record, oras_error *err)
{
    return oras_fail(err, ORAS_C_CONTENT, "pax record '%.*s' has a bad value",
                     record->key_size < 100 ? (int)record->key_size : 100, record->key);
}

static oras_code take_text(const pax_record *record, oras_buf *out, bool *has, oras_error *err)
{
    oras_buf_clear(out);
    oras_buf_append(out, record->value, record->value_size);
    *has = record->value_size > 0; /* an empty value takes the record back */
    return oras_buf_check(out, "a pax record", err);
}

static oras_code take_number(const pax_record *record, int64_t *out, oras_error *err)
{
    size_t digits = decimal(record->value, record->value_size, out);

    if (digits == 0 || digits != record->value_size)
        return bad_value(record, err);
    return ORAS_OK;
}

static oras_code take_time(const pax_record *record, oras_tar_extra *extra, oras_error *err)
{
    if (!parse_time(record->value, record->value_size, &extra->mtime))
        return bad_value(record, err);
    extra->has_mtime = true;
    return ORAS_OK;
}

/* GNU's sparse formats 0.0, 0.1 and 1.0 announce themselves by records of this family. */
static oras_code take_sparse(const pax_record *record, oras_tar_extra *extra, oras_error *err)
{
    extra->is_sparse = true;
    if (key_is(record, "GNU.sparse.size") || key_is(record, "GNU.sparse.realsize"))
        return take_number(record, &extra->real_size, err);
    return ORAS_OK;
}

static oras_code take(const pax_record *record, oras_tar_extra *extra, oras_error *err)
{
    if (key_is(record, "path"))
        return take_text(record, &extra->path, &extra->has_path, err);
    if (key_is(record, "linkpath"))
        return take_text(record, &extra->linkname, &extra->has_linkname, err);
    if (key_is(record, "mtime"))
        return take_time(record, extra, err);
    if (key_starts(record, "GNU.sparse."))
        return take_sparse(record, extra, err);
    if (!key_is(record, "size"))
        return ORAS_OK; /* owners, access times, extended attributes: not ours to keep */
    extra->has_size = true;
    return take_number(record, &extra->size, err);
}

static oras_code take_global(const pax_record *record, oras_tar_extra *global, oras_error *err)
{
    if (key_is(record, "mtime"))
        return take_time(record, global, err);
    if (key_is(record, "path") || key_is(record, "linkpath") || key_is(record, "size") ||
        key_starts(record, "GNU.sparse."))
        return oras_fail(err, ORAS_C_CONTENT, "a global pax header sets '%.*s' for all entries",
                         record->key_size < 100 ? (int)record->key_size : 100, record->key);
    return ORAS_OK;
}

static oras_code each_record(const oras_buf *records, oras_tar_extra *extra,
                             oras_code (*take_one)(const pax_record *, oras_tar_extra *,
                                                   oras_error *),
                             oras_error *err)
{
    size_t offset = 0;

    while (offset < records->size) {
        pax_record record;
        oras_code code;

        if (!next_record(records, &offset, &record))
            return oras_fail(err, ORAS_C_CONTENT, "a pax header is malformed at byte %zu", offset);
        code = take_one(&record, extra, err);
        if (code)
            return code;
    }
    return ORAS_OK;
}

oras_code oras_tar_extra_pax(oras_tar_extra *extra, const oras_buf *records, oras_error *err)
{
    if (oras_tar_extra_is_pending(extra))
        return oras_fail(err, ORAS_C_CONTENT, "a tar entry has two extended headers");
    extra->seen_pax = true;
    return each_record(records, extra, take, err);
}

oras_code oras_tar_extra_global(oras_tar_extra *global, const oras_buf *records, oras_error *err)
{
    return each_record(records, global, take_global, err);
}

oras_code oras_tar_extra_long(oras_tar_extra *extra, char type, const oras_buf *text,
                              oras_error *err)
{
    bool is_name = type == 'L';
    bool *seen = is_name ? &extra->seen_long_name : &extra->seen_long_link;
    bool *has = is_name ? &extra->has_path : &extra->has_linkname;
    oras_buf *out = is_name ? &extra->path : &extra->linkname;
    size_t size = text->size;

    if (*seen || extra->seen_pax)
        return oras_fail(err, ORAS_C_CONTENT, "a tar entry has two extended headers");
    *seen = true;
    *has = true;
    while (size && text->data[size - 1] == '\0')
        size--;
    oras_buf_clear(out);
    oras_buf_append(out, text->data, size);
    return oras_buf_check(out, "a long name", err);
}
