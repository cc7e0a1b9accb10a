/* SPDX-License-Identifier: MIT
 * Tar as it should be: every header format, names, numbers, types. */
#include "archive_help.h"

#include <stdio.h>

#define MAKE(name) oras_buf name = ORAS_BUF_INIT(1 << 24)

static void test_plain_files(void **state)
{
    MAKE(tar);

    (void)state;
    put_file(&tar, "a", "hello");
    put_file(&tar, "empty", "");
    put_header(&tar, &(tar_fields){.name = "d/", .type = '5', .mode = 0755});
    put_end(&tar);
    expect_text(&tar, "f 644 5 1600000000 a = hello\n"
                      "f 644 0 1600000000 empty = \n"
                      "d 755 0 1600000000 d = \n");
    oras_buf_dispose(&tar);
}

static void test_no_entries(void **state)
{
    MAKE(tar);

    (void)state;
    put_end(&tar);
    expect_text(&tar, "");
    oras_buf_dispose(&tar);
}

static void test_all_known_types(void **state)
{
    MAKE(tar);

    (void)state;
    put_header(&tar, &(tar_fields){.name = "h", .type = '1', .linkname = "./a//b"});
    put_header(&tar, &(tar_fields){.name = "s", .type = '2', .linkname = "../x"});
    put_header(&tar, &(tar_fields){.name = "c", .type = '3'});
    put_header(&tar, &(tar_fields){.name = "b", .type = '4'});
    put_header(&tar, &(tar_fields){.name = "p", .type = '6'});
    put_end(&tar);
    expect_text(&tar, "h 644 0 1600000000 h -> a/b = \n"
                      "l 644 0 1600000000 s -> ../x = \n"
                      "c 644 0 1600000000 c = \n"
                      "b 644 0 1600000000 b = \n"
                      "p 644 0 1600000000 p = \n");
    oras_buf_dispose(&tar);
}

static void test_names_are_cleaned(void **state)
{
    MAKE(tar);

    (void)state;
    put_header(&tar, &(tar_fields){.name = "./", .type = '5'});
    put_file(&tar, "./a", "");
    put_file(&tar, "a//b/./c", "");
    put_file(&tar, "..a/b..", "");
    put_header(&tar, &(tar_fields){.name = "old/"}); /* a directory before POSIX */
    put_end(&tar);
    expect_text(&tar, "d 644 0 1600000000 . = \n"
                      "f 644 0 1600000000 a = \n"
                      "f 644 0 1600000000 a/b/c = \n"
                      "f 644 0 1600000000 ..a/b.. = \n"
                      "d 644 0 1600000000 old = \n");
    oras_buf_dispose(&tar);
}

static void test_prefix_is_posix_only(void **state)
{
    MAKE(tar);
    char name[101];

    (void)state;
    memset(name, 'n', 100); /* fills its field: no NUL */
    name[100] = '\0';
    put_header(&tar, &(tar_fields){.name = name, .prefix = "pre/fix"});
    put_header(&tar, &(tar_fields){.name = "gnu", .prefix = "123", .magic = "ustar  "});
    put_header(&tar, &(tar_fields){.name = "v7", .prefix = "123", .magic = "\0\0\0\0\0\0\0"});
    put_end(&tar);
    expect_text(&tar, "f 644 0 1600000000 pre/fix/"
                      "nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn"
                      "nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn = \n"
                      "f 644 0 1600000000 gnu = \n"
                      "f 644 0 1600000000 v7 = \n");
    oras_buf_dispose(&tar);
}

static void put_numbered(oras_buf *tar, const char *name, size_t at, const void *field, size_t size)
{
    uint8_t block[512];

    tar_header(block, &(tar_fields){.name = name});
    memcpy(block + at, field, size);
    tar_checksum(block);
    oras_buf_append(tar, block, sizeof block);
}

static void test_numbers(void **state)
{
    MAKE(tar);

    (void)state;
    put_numbered(&tar, "spaces", 124, "      0     ", 12);
    put_numbered(&tar, "empty", 136, "\0\0\0\0\0\0\0\0\0\0\0\0", 12);
    put_numbered(&tar, "full", 136, "777777777777", 12);
    put_numbered(&tar, "binary", 136, "\x80\0\0\0\0\0\0\1\0\0\0\0", 12);
    put_numbered(&tar, "before-1970", 136, "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", 12);
    put_end(&tar);
    expect_text(&tar, "f 644 0 1600000000 spaces = \n"
                      "f 644 0 0 empty = \n"
                      "f 644 0 68719476735 full = \n"
                      "f 644 0 4294967296 binary = \n"
                      "f 644 0 -1 before-1970 = \n");
    oras_buf_dispose(&tar);
}

static void test_binary_size(void **state)
{
    MAKE(tar);
    uint8_t block[512];

    (void)state;
    tar_header(block, &(tar_fields){.name = "a"});
    memcpy(block + 124, "\x80\0\0\0\0\0\0\0\0\0\0\3", 12);
    tar_checksum(block);
    oras_buf_append(&tar, block, sizeof block);
    put_data(&tar, "abc", 3);
    put_end(&tar);
    expect_text(&tar, "f 644 3 1600000000 a = abc\n");
    oras_buf_dispose(&tar);
}

/* sums of signed bytes, as old Sun tars wrote them */
static void test_signed_checksum(void **state)
{
    MAKE(tar);
    uint8_t block[512];
    int sum = 0;

    (void)state;
    tar_header(block, &(tar_fields){.name = "\xc3\xbc"});
    memset(block + 148, ' ', 8);
    for (int i = 0; i < 512; i++)
        sum += (int8_t)block[i];
    snprintf((char *)block + 148, 8, "%06o", (unsigned)sum);
    oras_buf_append(&tar, block, sizeof block);
    put_end(&tar);
    expect_text(&tar, "f 644 0 1600000000 \xc3\xbc = \n");
    oras_buf_dispose(&tar);
}

static void test_pax_records(void **state)
{
    MAKE(tar);
    MAKE(records);

    (void)state;
    put_pax_record(&records, "path", "pax/\xc3\xbc=name");
    put_pax_record(&records, "size", "3");
    put_pax_record(&records, "mtime", "1500000000.999");
    put_pax_record(&records, "uid", "-");
    put_pax(&tar, 'x', records.data, records.size);
    put_header(&tar, &(tar_fields){.name = "short"});
    put_data(&tar, "abc", 3);
    put_file(&tar, "next", "n");
    put_end(&tar);
    expect_text(&tar, "f 644 3 1500000000 pax/\xc3\xbc=name = abc\n"
                      "f 644 1 1600000000 next = n\n");
    oras_buf_dispose(&records);
    oras_buf_dispose(&tar);
}

static void test_pax_link_and_negative_time(void **state)
{
    MAKE(tar);
    MAKE(records);

    (void)state;
    put_pax_record(&records, "linkpath", "some/where");
    put_pax_record(&records, "mtime", "-1.5");
    put_pax(&tar, 'x', records.data, records.size);
    put_header(&tar, &(tar_fields){.name = "l", .type = '2', .linkname = "short"});
    put_end(&tar);
    expect_text(&tar, "l 644 0 -2 l -> some/where = \n");
    oras_buf_dispose(&records);
    oras_buf_dispose(&tar);
}

/* an empty value takes a record back (POSIX, pax, "pax Extended Header") */
static void test_pax_empty_path(void **state)
{
    MAKE(tar);
    MAKE(records);

    (void)state;
    put_pax_record(&records, "path", "gone");
    put_pax_record(&records, "path", "");
    put_pax(&tar, 'x', records.data, records.size);
    put_file(&tar, "kept", "");
    put_end(&tar);
    expect_text(&tar, "f 644 0 1600000000 kept = \n");
    oras_buf_dispose(&records);
    oras_buf_dispose(&tar);
}

static void test_pax_global(void **state)
{
    MAKE(tar);
    MAKE(records);

    (void)state;
    put_pax_record(&records, "comment", "0123456789abcdef"); /* as git archive writes it */
    put_pax_record(&records, "mtime", "7");
    put_pax(&tar, 'g', records.data, records.size);
    put_file(&tar, "a", "");
    put_file(&tar, "b", "");
    put_end(&tar);
    expect_text(&tar, "f 644 0 7 a = \nf 644 0 7 b = \n");
    oras_buf_dispose(&records);
    oras_buf_dispose(&tar);
}

static void test_gnu_long_names(void **state)
{
    MAKE(tar);
    char name[300], expected[800];

    (void)state;
    memset(name, 'x', sizeof name);
    name[150] = '/';
    name[299] = '\0';
    put_header(&tar, &(tar_fields){.name = "././@LongLink", .type = 'K', .size = 300});
    put_data(&tar, name, 300);
    put_header(&tar, &(tar_fields){.name = "././@LongLink", .type = 'L', .size = 300});
    put_data(&tar, name, 300);
    put_header(&tar, &(tar_fields){.name = "cut", .type = '2', .linkname = "cut"});
    put_file(&tar, "next", "");
    put_end(&tar);
    snprintf(expected, sizeof expected,
             "l 644 0 1600000000 %s -> %s = \nf 644 0 1600000000 next = \n", name, name);
    expect_text(&tar, expected);
    oras_buf_dispose(&tar);
}

static void test_every_chunk_size(void **state)
{
    MAKE(tar);

    (void)state;
    put_file(&tar, "a", "hello");
    put_header(&tar, &(tar_fields){.name = "././@LongLink", .type = 'L', .size = 6});
    put_data(&tar, "longer", 6);
    put_file(&tar, "b", "world");
    put_end(&tar);
    for (size_t chunk = 1; chunk <= tar.size; chunk += chunk < 600 ? 1 : 97) {
        list_options options = {.contents = true, .chunk = chunk};
        listing list;

        list_bytes(tar.data, tar.size, &options, &list);
        assert_false(list.failed);
        assert_string_equal(list.text.data, "f 644 5 1600000000 a = hello\n"
                                            "f 644 5 1600000000 longer = world\n");
        listing_dispose(&list);
    }
    oras_buf_dispose(&tar);
}

/* Passing over an entry that was read in part, and reading one that is over. */
static void test_partly_read(void **state)
{
    MAKE(tar);
    oras_archive *archive;
    oras_entry entry;
    const void *data = NULL;
    size_t size = 0;

    (void)state;
    put_file(&tar, "a", "hello");
    put_file(&tar, "b", "world");
    put_end(&tar);
    assert_int_equal(oras_archive_new(ORAS_PACKING_NONE, NULL, &archive, NULL), ORAS_OK);
    assert_int_equal(oras_archive_read(archive, &data, &size, NULL), ORAS_STEP_END);
    assert_int_equal(oras_archive_next(archive, &entry, NULL), ORAS_STEP_MORE);
    oras_archive_feed(archive, tar.data, 514);
    assert_int_equal(oras_archive_next(archive, &entry, NULL), ORAS_STEP_ENTRY);
    while (oras_archive_read(archive, &data, &size, NULL) == ORAS_STEP_DATA)
        assert_true(size <= 2);
    oras_archive_feed(archive, tar.data + 514, tar.size - 514);
    assert_int_equal(oras_archive_next(archive, &entry, NULL), ORAS_STEP_ENTRY);
    assert_string_equal(entry.path, "b");
    assert_int_equal(oras_archive_read(archive, &data, &size, NULL), ORAS_STEP_DATA);
    assert_memory_equal(data, "world", 5);
    assert_int_equal(oras_archive_read(archive, &data, &size, NULL), ORAS_STEP_END);
    assert_int_equal(oras_archive_read(archive, &data, &size, NULL), ORAS_STEP_END);
    assert_int_equal(oras_archive_next(archive, &entry, NULL), ORAS_STEP_MORE);
    oras_archive_feed(archive, NULL, 0);
    assert_int_equal(oras_archive_next(archive, &entry, NULL), ORAS_STEP_END);
    oras_archive_free(archive);
    oras_buf_dispose(&tar);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_plain_files),
        cmocka_unit_test(test_no_entries),
        cmocka_unit_test(test_all_known_types),
        cmocka_unit_test(test_names_are_cleaned),
        cmocka_unit_test(test_prefix_is_posix_only),
        cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_binary_size),
        cmocka_unit_test(test_signed_checksum),
        cmocka_unit_test(test_pax_records),
        cmocka_unit_test(test_pax_link_and_negative_time),
        cmocka_unit_test(test_pax_empty_path),
        cmocka_unit_test(test_pax_global),
        cmocka_unit_test(test_gnu_long_names),
        cmocka_unit_test(test_every_chunk_size),
        cmocka_unit_test(test_partly_read),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
