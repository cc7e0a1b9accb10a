/* SPDX-License-Identifier: MIT
 * zip: made by hand, so that it can lie. */
#include "archive_help.h"

#include <isa-l/crc.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define MAKE(name) oras_buf name = ORAS_BUF_INIT((size_t)1 << 30)

enum { STORED = 0, FLAG_ENCRYPTED = 1, FLAG_UTF8 = 0x800, UNIX = 3 << 8 };

typedef struct zip_fields {
    const char *name;
    const char *data;
    size_t n_data; /* 0: as long as the text */
    unsigned method, flags, mode;
    uint32_t crc_error;    /* added to the right one */
    uint32_t size_error;   /* the same */
    bool same_as_the_last; /* points at the data of the entry before */
} zip_fields;

typedef struct zip {
    oras_buf bytes, directory;
    uint32_t last;
    unsigned n_entries;
} zip;

static void put16(oras_buf *out, unsigned value)
{
    char bytes[2] = {(char)value, (char)(value >> 8)};

    assert_true(oras_buf_append(out, bytes, 2));
}

static void put32(oras_buf *out, uint32_t value)
{
    put16(out, value & 0xffff);
    put16(out, value >> 16);
}

/* what the local header and the directory share, from "version needed" on */
static void put_common(oras_buf *out, const zip_fields *f, size_t size)
{
    uint32_t crc = crc32_gzip_refl(0, (const unsigned char *)f->data, size);

    put16(out, 20);
    put16(out, f->flags);
    put16(out, f->method);
    put16(out, 0x6c20); /* 13:33:00 */
    put16(out, 0x512d); /* 2020-09-13 */
    put32(out, crc + f->crc_error);
    put32(out, (uint32_t)size + f->size_error);
    put32(out, (uint32_t)size + f->size_error);
    put16(out, (unsigned)strlen(f->name));
    put16(out, 0);
}

static void zip_put(zip *z, const zip_fields *f)
{
    size_t size = f->n_data ? f->n_data : strlen(f->data);

    if (!f->same_as_the_last) {
        z->last = (uint32_t)z->bytes.size;
        oras_buf_append(&z->bytes, "PK\x03\x04", 4);
        put_common(&z->bytes, f, size);
        oras_buf_puts(&z->bytes, f->name);
        assert_true(oras_buf_append(&z->bytes, f->data, size));
    }
    oras_buf_append(&z->directory, "PK\x01\x02", 4);
    put16(&z->directory, UNIX | 20);
    put_common(&z->directory, f, size);
    put16(&z->directory, 0); /* comment */
    put16(&z->directory, 0); /* disk */
    put16(&z->directory, 0);
    put32(&z->directory, (f->mode ? f->mode : 0100644) << 16);
    put32(&z->directory, z->last);
    oras_buf_puts(&z->directory, f->name);
    z->n_entries++;
}

static void zip_end(zip *z)
{
    uint32_t at = (uint32_t)z->bytes.size;

    oras_buf_append(&z->bytes, z->directory.data, z->directory.size);
    oras_buf_append(&z->bytes, "PK\x05\x06", 4);
    put32(&z->bytes, 0);
    put16(&z->bytes, z->n_entries & 0xffff);
    put16(&z->bytes, z->n_entries & 0xffff);
    put32(&z->bytes, (uint32_t)z->directory.size);
    put32(&z->bytes, at);
    put16(&z->bytes, 0);
    oras_buf_dispose(&z->directory);
}

#define ZIP(name)                                                                                  \
    zip name = {.bytes = ORAS_BUF_INIT(1u << 30), .directory = ORAS_BUF_INIT(1u << 30)}

/* The time of an entry depends on the time zone. */
static void expect_zip(const oras_buf *bytes, const list_options *how, const char *expected)
{
    list_options options = *how;
    listing list;

    options.without_times = true;
    list_bytes(bytes->data, bytes->size, &options, &list);
    if (list.failed)
        fail_msg("%s: %s", list.err.class_name, list.err.message);
    assert_string_equal(oras_buf_text(&list.text), expected);
    listing_dispose(&list);
}

static void expect_one_refused(const zip_fields *fields, const char *class_name, const char *words)
{
    ZIP(z);

    zip_put(&z, &(zip_fields){.name = "before", .data = "x"});
    zip_put(&z, fields);
    zip_end(&z);
    expect_failure(&z.bytes, class_name, words);
    /* the same when it is passed over and not read */
    expect_failure_with(&z.bytes, &(list_options){.packing = ORAS_PACKING_ZIP}, class_name, words);
    oras_buf_dispose(&z.bytes);
}

static void test_stored(void **state)
{
    ZIP(z);

    (void)state;
    zip_put(&z, &(zip_fields){.name = "./a", .data = "hello"});
    zip_put(&z, &(zip_fields){.name = "d/", .data = "", .mode = 040755});
    zip_put(&z,
            &(zip_fields){.name = "d/\xc3\xbc", .data = "x", .flags = FLAG_UTF8, .mode = 0100755});
    zip_put(&z, &(zip_fields){.name = "l", .data = "../a", .mode = 0120777});
    zip_end(&z);
    for (size_t chunk = 0; chunk < 40; chunk++)
        expect_zip(&z.bytes, &(list_options){.contents = true, .chunk = chunk},
                   "f 644 5 a = hello\n"
                   "d 755 0 d = \n"
                   "f 755 1 d/\xc3\xbc = x\n"
                   "l 777 0 l -> ../a = \n");
    oras_buf_dispose(&z.bytes);
}

static void test_no_entries(void **state)
{
    ZIP(z);

    (void)state;
    zip_end(&z);
    expect_zip(&z.bytes, &(list_options){.packing = ORAS_PACKING_ZIP}, "");
    oras_buf_dispose(&z.bytes);
}

static void test_C23_names(void **state)
{
    (void)state;
    expect_one_refused(&(zip_fields){.name = "../a", .data = "x"}, "path", "'..'");
    expect_one_refused(&(zip_fields){.name = "a/../../b", .data = "x"}, "path", "'..'");
    expect_one_refused(&(zip_fields){.name = "/etc/passwd", .data = "x"}, "path", "absolute");
    expect_one_refused(&(zip_fields){.name = "", .data = "x"}, "path", "name");
}

/* libarchive takes a FIFO for a file with data, which is what zip has. */
static void test_C25_types(void **state)
{
    ZIP(z);

    (void)state;
    expect_one_refused(&(zip_fields){.name = "c", .data = "", .mode = 020644}, "path", "type");
    expect_one_refused(&(zip_fields){.name = "b", .data = "", .mode = 060644}, "path", "type");
    expect_one_refused(&(zip_fields){.name = "s", .data = "", .mode = 0140644}, "path", "type");
    zip_put(&z, &(zip_fields){.name = "p", .data = "x", .mode = 010644});
    zip_end(&z);
    expect_zip(&z.bytes, &(list_options){.contents = true}, "f 644 1 p = x\n");
    oras_buf_dispose(&z.bytes);
}

static void test_encrypted(void **state)
{
    (void)state;
    expect_one_refused(
        &(zip_fields){.name = "secret", .data = "0123456789abcdef", .flags = FLAG_ENCRYPTED},
        "unsupported", "'secret' is encrypted");
}

static void test_methods(void **state)
{
    static const unsigned methods[] = {1, 6, 9, 12, 14, 93, 95, 98, 1000};

    (void)state;
    for (size_t i = 0; i < sizeof methods / sizeof methods[0]; i++)
        expect_one_refused(&(zip_fields){.name = "odd", .data = "xxxxxxxx", .method = methods[i]},
                           "unsupported", "'odd' is compressed by");
}

static void test_wrong_checksum_and_size(void **state)
{
    (void)state;
    expect_one_refused(&(zip_fields){.name = "n", .data = "xyz", .crc_error = 1}, "content",
                       "damaged");
    expect_one_refused(&(zip_fields){.name = "n", .data = "xyz", .size_error = 100000}, "content",
                       "damaged");
}

static void test_cut_anywhere(void **state)
{
    ZIP(z);

    (void)state;
    zip_put(&z, &(zip_fields){.name = "a", .data = "hello"});
    zip_put(&z, &(zip_fields){.name = "b", .data = "hello again"});
    zip_end(&z);
    for (size_t size = 0; size < z.bytes.size; size++) {
        list_options options = {.packing = ORAS_PACKING_ZIP, .contents = true};
        listing list;

        list_bytes(z.bytes.data, size, &options, &list);
        assert_true(list.failed);
        assert_string_equal(list.err.class_name, "content");
        listing_dispose(&list);
    }
    oras_buf_dispose(&z.bytes);
}

static void test_C32_entries(void **state)
{
    ZIP(z);

    (void)state;
    for (int i = 0; i < 101; i++)
        zip_put(&z, &(zip_fields){.name = "n", .data = ""});
    zip_end(&z);
    for (size_t chunk = 0; chunk < 9; chunk++)
        expect_failure_with(&z.bytes,
                            &(list_options){.limits = {.max_entries = 100}, .chunk = chunk},
                            "limit", "more than 100 entries");
    oras_buf_dispose(&z.bytes);
}

static void test_C33_bytes(void **state)
{
    list_options options = {.limits = {.max_bytes = 4096}};
    ZIP(z);

    (void)state;
    zip_put(&z, &(zip_fields){.name = "n", .data = "x", .size_error = 5000});
    zip_end(&z);
    expect_failure_with(&z.bytes, &options, "limit", "'n' has 5001 bytes");
    oras_buf_dispose(&z.bytes);
}

/* Entries that share their data (as in the bomb of Fifield, 2019) are counted each. */
static void test_C33_overlapping(void **state)
{
    static char block[60000];
    list_options options = {.limits = {.max_bytes = 1 << 20}};
    listing list;
    ZIP(z);

    (void)state;
    zip_put(&z, &(zip_fields){.name = "n", .data = block, .n_data = sizeof block});
    for (int i = 0; i < 100; i++)
        zip_put(&z,
                &(zip_fields){
                    .name = "n", .data = block, .n_data = sizeof block, .same_as_the_last = true});
    zip_end(&z);
    list_bytes(z.bytes.data, z.bytes.size, &options, &list);
    assert_true(list.failed || list.n_entries * (int64_t)sizeof block <= 1 << 20);
    listing_dispose(&list);
    oras_buf_dispose(&z.bytes);
}

static void put_big(zip *z)
{
    static char block[3 << 20];

    memset(block, 'z', sizeof block);
    for (int i = 0; i < 4; i++)
        zip_put(z, &(zip_fields){.name = "big", .data = block, .n_data = sizeof block});
    zip_end(z);
}

static void test_spooled_to_a_file(void **state)
{
    list_options options = {.chunk = 100000};
    ZIP(z);

    (void)state;
    put_big(&z);
    expect_zip(&z.bytes, &options,
               "f 644 3145728 big\nf 644 3145728 big\nf 644 3145728 big\nf 644 3145728 big\n");
    expect_failure_with(&z.bytes, &(list_options){.limits = {.max_bytes = 10 << 20}}, "limit",
                        "the zip archive has more than 10485760 bytes");
    oras_buf_dispose(&z.bytes);
}

static void test_spool_without_a_directory(void **state)
{
    ZIP(z);

    (void)state;
    put_big(&z);
    setenv("TMPDIR", "/nonexistent", 1);
    expect_failure(&z.bytes, "io", "'/nonexistent'");
    unsetenv("TMPDIR");
    oras_buf_dispose(&z.bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_stored),
        cmocka_unit_test(test_no_entries),
        cmocka_unit_test(test_C23_names),
        cmocka_unit_test(test_C25_types),
        cmocka_unit_test(test_encrypted),
        cmocka_unit_test(test_methods),
        cmocka_unit_test(test_wrong_checksum_and_size),
        cmocka_unit_test(test_cut_anywhere),
        cmocka_unit_test(test_C32_entries),
        cmocka_unit_test(test_C33_bytes),
        cmocka_unit_test(test_C33_overlapping),
        cmocka_unit_test(test_spooled_to_a_file),
        cmocka_unit_test(test_spool_without_a_directory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
