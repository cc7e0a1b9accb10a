/* SPDX-License-Identifier: MIT */
#include "archive_help.h"

#include "base/alloc.h"
#include "io/file.h"
#include "oci/digest.h"

#include <bzlib.h>
#include <inttypes.h>
#include <isa-l/igzip_lib.h>
#include <stdio.h>
#include <zstd.h>

static void octal(uint8_t *field, size_t size, int64_t value)
{
    char text[32];

    snprintf(text, sizeof text, "%0*" PRIo64, (int)size - 1, (uint64_t)value);
    memcpy(field, text, size);
}

static void text(uint8_t *field, size_t size, const char *value)
{
    size_t n = value ? strlen(value) : 0;

    if (n)
        memcpy(field, value, n < size ? n : size);
}

void tar_checksum(uint8_t block[512])
{
    unsigned sum = 0;

    memset(block + 148, ' ', 8);
    for (int i = 0; i < 512; i++)
        sum += block[i];
    octal(block + 148, 7, sum);
}

void tar_header(uint8_t block[512], const tar_fields *fields)
{
    memset(block, 0, 512);
    text(block, 100, fields->name);
    octal(block + 100, 8, fields->mode ? fields->mode : 0644);
    octal(block + 108, 8, 0);
    octal(block + 116, 8, 0);
    octal(block + 124, 12, fields->size);
    octal(block + 136, 12, fields->mtime ? fields->mtime : 1600000000);
    block[156] = (uint8_t)(fields->type ? fields->type : '0');
    text(block + 157, 100, fields->linkname);
    memcpy(block + 257,
           fields->magic ? fields->magic
                         : "ustar\0"
                           "00",
           8);
    text(block + 345, 155, fields->prefix);
    tar_checksum(block);
}

void put_header(oras_buf *tar, const tar_fields *fields)
{
    uint8_t block[512];

    tar_header(block, fields);
    assert_true(oras_buf_append(tar, block, sizeof block));
}

void put_zeros(oras_buf *out, size_t size)
{
    static const char zeros[512];

    while (size) {
        size_t n = size < sizeof zeros ? size : sizeof zeros;

        assert_true(oras_buf_append(out, zeros, n));
        size -= n;
    }
}

void put_data(oras_buf *tar, const void *data, size_t size)
{
    assert_true(oras_buf_append(tar, data, size));
    put_zeros(tar, (512 - size % 512) % 512);
}

void put_file(oras_buf *tar, const char *name, const char *content)
{
    put_header(tar, &(tar_fields){.name = name, .size = (int64_t)strlen(content)});
    put_data(tar, content, strlen(content));
}

void put_pax(oras_buf *tar, char type, const char *records, size_t size)
{
    put_header(tar, &(tar_fields){.name = "pax", .type = type, .size = (int64_t)size});
    put_data(tar, records, size);
}

void put_pax_record(oras_buf *records, const char *key, const char *value)
{
    size_t body = strlen(key) + strlen(value) + 3, length = body + 1;

    while (length != body + (size_t)snprintf(NULL, 0, "%zu", length))
        length++;
    assert_true(oras_buf_printf(records, "%zu %s=%s\n", length, key, value));
}

void put_end(oras_buf *tar)
{
    put_zeros(tar, 1024);
}

void pack_gzip(const void *data, size_t size, oras_buf *out)
{
    struct isal_zstream stream;
    size_t room = size + size / 8 + 4096;

    assert_true(oras_buf_reserve(out, room));
    isal_deflate_init(&stream);
    stream.gzip_flag = IGZIP_GZIP;
    stream.end_of_stream = 1;
    stream.next_in = (uint8_t *)data; /* read only */
    stream.avail_in = (uint32_t)size;
    stream.next_out = (uint8_t *)out->data + out->size;
    stream.avail_out = (uint32_t)room;
    assert_int_equal(isal_deflate(&stream), COMP_OK);
    assert_int_equal(stream.internal_state.state, ZSTATE_END);
    out->size += stream.total_out;
}

void pack_bzip2(const void *data, size_t size, oras_buf *out)
{
    unsigned room = (unsigned)(size + size / 8 + 4096);

    assert_true(oras_buf_reserve(out, room));
    assert_int_equal(BZ2_bzBuffToBuffCompress(out->data + out->size, &room, (char *)data,
                                              (unsigned)size, 9, 0, 0),
                     BZ_OK);
    out->size += room;
}

void pack_zstd(const void *data, size_t size, oras_buf *out)
{
    ZSTD_CCtx *context = ZSTD_createCCtx();
    size_t room = ZSTD_compressBound(size), n;

    assert_non_null(context);
    assert_true(oras_buf_reserve(out, room));
    ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1);
    n = ZSTD_compress2(context, out->data + out->size, room, data, size);
    assert_false(ZSTD_isError(n));
    out->size += n;
    ZSTD_freeCCtx(context);
}

/* --- reading --- */

typedef struct feeder {
    const char *data;
    size_t left;
    const list_options *options;
    uint32_t random;
    char *copy; /* of what the reader holds now */
} feeder;

static void feed(feeder *f, oras_archive *archive)
{
    size_t n = f->options->chunk ? f->options->chunk : f->left;

    if (f->options->seed) {
        f->random = f->random * 1664525 + 1013904223;
        n = 1 + (f->random >> 8) % n;
    }
    if (n > f->left)
        n = f->left;
    oras_dealloc(f->copy);
    f->copy = NULL;
    if (n) {
        f->copy = oras_alloc(n);
        assert_non_null(f->copy);
        memcpy(f->copy, f->data, n);
        f->data += n;
        f->left -= n;
    }
    oras_archive_feed(archive, f->copy, n);
}

static bool give_up(listing *list)
{
    list->failed = true;
    return false;
}

static void print_entry(const oras_entry *entry, const list_options *options, oras_buf *out)
{
    oras_buf_printf(out, "%c %o %" PRId64, "fdlhcbp"[entry->type], entry -> mode, entry -> size);
    if (!options->without_times)
        oras_buf_printf(out, " %" PRId64, entry->mtime);
    oras_buf_printf(out, " %s", entry->path);
    if (entry->linkname)
        oras_buf_printf(out, " -> %s", entry->linkname);
}

static bool read_entry(oras_archive *archive, feeder *f, oras_hasher *hasher, listing *list)
{
    if (f->options->contents)
        oras_buf_puts(&list->text, " = ");
    for (;;) {
        const void *data = NULL;
        size_t size = 0;
        oras_archive_step step = oras_archive_read(archive, &data, &size, &list->err);

        if (step == ORAS_STEP_END)
            return true;
        if (step == ORAS_STEP_FAILED)
            return give_up(list);
        if (step == ORAS_STEP_MORE) {
            feed(f, archive);
            continue;
        }
        assert_int_equal(step, ORAS_STEP_DATA);
        assert_true(size > 0);
        list->n_bytes += (int64_t)size;
        if (f->options->contents)
            oras_buf_append(&list->text, data, size);
        assert_int_equal(oras_hasher_update(hasher, data, size, NULL), ORAS_OK);
    }
}

static bool take_entry(oras_archive *archive, const oras_entry *entry, feeder *f, listing *list)
{
    oras_hasher *hasher;
    oras_digest digest;
    bool ok = true;

    list->n_entries++;
    print_entry(entry, f->options, &list->text);
    if (f->options->contents || f->options->digests) {
        assert_int_equal(oras_hasher_new(ORAS_SHA256, &hasher, NULL), ORAS_OK);
        ok = read_entry(archive, f, hasher, list);
        assert_int_equal(oras_hasher_final(hasher, &digest, NULL), ORAS_OK);
        oras_hasher_free(hasher);
    }
    if (ok && f->options->digests && entry->type == ORAS_ENTRY_FILE)
        oras_buf_printf(&list->text, " %s", digest.text);
    oras_buf_puts(&list->text, "\n");
    return ok;
}

static bool list_step(oras_archive *archive, feeder *f, listing *list)
{
    oras_entry entry;
    oras_archive_step step = oras_archive_next(archive, &entry, &list->err);

    if (step == ORAS_STEP_MORE)
        feed(f, archive);
    else if (step == ORAS_STEP_ENTRY)
        return take_entry(archive, &entry, f, list);
    else if (step == ORAS_STEP_FAILED)
        return give_up(list);
    return step != ORAS_STEP_END;
}

void list_bytes(const void *data, size_t size, const list_options *options, listing *out)
{
    feeder f = {.data = data, .left = size, .options = options, .random = options->seed};
    oras_archive *archive;
    oras_entry entry;

    *out = (listing){.text = ORAS_BUF_INIT(SIZE_MAX - 1), .err = ORAS_ERROR_INIT};
    assert_int_equal(oras_archive_new(options->packing, &options->limits, &archive, &out->err),
                     ORAS_OK);
    while (list_step(archive, &f, out))
        continue;
    /* how it ended, it stays */
    assert_int_equal(oras_archive_next(archive, &entry, NULL),
                     out->failed ? ORAS_STEP_FAILED : ORAS_STEP_END);
    oras_archive_free(archive);
    oras_dealloc(f.copy);
    assert_int_equal(out->text.state, ORAS_BUF_OK);
}

void list_file(const char *path, const list_options *options, listing *out)
{
    oras_buf bytes = ORAS_BUF_INIT(SIZE_MAX - 1);

    assert_int_equal(oras_file_read(path, SIZE_MAX - 1, &bytes, NULL), ORAS_OK);
    list_bytes(bytes.data, bytes.size, options, out);
    oras_buf_dispose(&bytes);
}

void listing_dispose(listing *list)
{
    oras_buf_dispose(&list->text);
}

void expect_text(const oras_buf *archive, const char *expected)
{
    list_options options = {.contents = true};
    listing list;

    list_bytes(archive->data, archive->size, &options, &list);
    if (list.failed)
        fail_msg("%s: %s", list.err.class_name, list.err.message);
    assert_string_equal(oras_buf_text(&list.text), expected);
    listing_dispose(&list);
}

void expect_failure_with(const oras_buf *archive, const list_options *options,
                         const char *class_name, const char *words)
{
    listing list;

    list_bytes(archive->data, archive->size, options, &list);
    assert_true(list.failed);
    assert_string_equal(list.err.class_name, class_name);
    if (!strstr(list.err.message, words))
        fail_msg("message is '%s', expected '%s' in it", list.err.message, words);
    listing_dispose(&list);
}

void expect_failure(const oras_buf *archive, const char *class_name, const char *words)
{
    list_options options = {.contents = true};

    expect_failure_with(archive, &options, class_name, words);
}
