/* SPDX-License-Identifier: MIT
 * Headers as Go's archive/tar writes them. Whole archives are compared with oras's own in
 * tests/spec/pack_spec.lua. */
#include "archive_help.h"
#include "io/tar_write.h"

#include <stdio.h>

#define MAKE(name) oras_buf name = ORAS_BUF_INIT((size_t)1 << 20)

static const char *repeat(char byte, size_t n)
{
    static char texts[4][512];
    static int at;
    char *text = texts[at++ % 4];

    memset(text, byte, n);
    text[n] = '\0';
    return text;
}

static const char *join(const char *a, const char *b)
{
    static char texts[2][1024];
    static int at;
    char *text = texts[at++ % 2];
    size_t size = strlen(a), more = strlen(b);

    assert_true(size + more < sizeof texts[0]);
    memcpy(text, a, size);
    memcpy(text + size, b, more + 1);
    return text;
}

static void write_member(const oras_tar_member *member, oras_buf *out)
{
    oras_error err = ORAS_ERROR_INIT;

    assert_int_equal(oras_tar_write_header(member, out, &err), ORAS_OK);
}

static void write_file(const char *name, oras_buf *out)
{
    write_member(&(oras_tar_member){.type = '0', .name = name, .linkname = "", .mode = 0644}, out);
}

static void expect_field(const oras_buf *tar, size_t offset, const char *text, size_t size)
{
    assert_true(offset + size <= tar->size);
    assert_memory_equal(tar->data + offset, text, size);
}

static void test_every_field_of_a_plain_header(void **state)
{
    MAKE(tar);

    (void)state;
    write_member(&(oras_tar_member){.type = '0',
                                    .name = "dir/file",
                                    .linkname = "",
                                    .size = 01234,
                                    .mtime = 1600000000,
                                    .mode = 04755},
                 &tar);
    assert_int_equal(tar.size, 512);
    expect_field(&tar, 0, "dir/file\0", 9);
    expect_field(&tar, 100, "0004755", 8);
    expect_field(&tar, 108, "0000000", 8);
    expect_field(&tar, 116, "0000000", 8);
    expect_field(&tar, 124, "00000001234", 12);
    expect_field(&tar, 136, "13727410000", 12);
    expect_field(&tar, 148, "010665\0 ", 8);
    expect_field(&tar, 156, "0", 1);
    expect_field(&tar, 257, "ustar\00000", 8);
    expect_field(&tar, 265, repeat('\0', 64), 64); /* no names of owners */
    expect_field(&tar, 329, "0000000\0000000000", 16);
    expect_field(&tar, 345, repeat('\0', 167), 167);
    oras_buf_dispose(&tar);
}

static void test_a_long_name_is_split_at_the_last_slash_that_fits(void **state)
{
    static const struct {
        size_t n_first, n_last;
        bool is_split;
    } names[] = {{50, 49, true},   {1, 100, true},   {155, 100, true},
                 {156, 10, false}, {10, 101, false}, {155, 101, false}};

    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        const char *first = repeat('a', names[i].n_first), *last = repeat('b', names[i].n_last);
        const char *name = join(join(first, "/"), last);
        bool fits = strlen(name) <= 100;
        MAKE(tar);

        write_file(name, &tar);
        assert_int_equal(tar.size, names[i].is_split ? 512 : 3 * 512);
        if (names[i].is_split) {
            expect_field(&tar, 0, fits ? name : last, fits ? strlen(name) : strlen(last));
            expect_field(&tar, 345, fits ? "" : first, fits ? 1 : strlen(first));
        }
        oras_buf_dispose(&tar);
    }
}

static void test_what_is_not_ascii_stands_in_a_pax_record(void **state)
{
    MAKE(tar);

    (void)state;
    write_file("dir\xc3\xa9/caf\xc3\xa9", &tar);
    assert_int_equal(tar.size, 3 * 512);
    expect_field(&tar, 0, "dir/PaxHeaders.0/caf\0", 21);
    expect_field(&tar, 100, "0000000", 8);
    expect_field(&tar, 124, "00000000024", 12);
    expect_field(&tar, 156, "x", 1);
    expect_field(&tar, 329, repeat('\0', 16), 16); /* not even zeros for the device */
    expect_field(&tar, 512, "20 path=dir\xc3\xa9/caf\xc3\xa9\n\0", 21);
    expect_field(&tar, 1024, "dir/caf\0", 8);
    oras_buf_dispose(&tar);
}

/* The length of a record counts its own digits. */
static void test_lengths_of_records_around_a_new_digit(void **state)
{
    (void)state;
    for (size_t n = 101; n < 400; n++) {
        const char *name = repeat('n', n);
        MAKE(tar);
        size_t size;
        int digits;

        write_file(name, &tar);
        assert_int_equal(sscanf(tar.data + 512, "%zu path=%n", &size, &digits), 1);
        assert_int_equal(size, (size_t)digits + n + 1);
        assert_memory_equal(tar.data + 512 + digits, name, n);
        assert_int_equal(tar.data[512 + size - 1], '\n');
        oras_buf_dispose(&tar);
    }
}

static void test_numbers_that_are_no_octal_field(void **state)
{
    MAKE(tar);

    (void)state;
    write_member(
        &(oras_tar_member){
            .type = '0', .name = "big", .linkname = "", .size = (int64_t)1 << 33, .mtime = -1},
        &tar);
    expect_field(&tar, 512, "12 mtime=-1\n19 size=8589934592\n", 31);
    expect_field(&tar, 1024 + 124, "00000000000", 12);
    expect_field(&tar, 1024 + 136, "00000000000", 12);
    oras_buf_dispose(&tar);
}

static void test_a_cut_name_does_not_end_in_a_slash(void **state)
{
    const char *name = join(join(repeat('a', 99), "/"), repeat('b', 120));
    MAKE(tar);

    (void)state;
    write_file(name, &tar);
    expect_field(&tar, 1024 + 98, "a\0", 2);
    oras_buf_dispose(&tar);
}

static void put_padding(oras_buf *tar, int64_t size)
{
    put_zeros(tar, oras_tar_padding(size));
}

static void test_the_reader_reads_it(void **state)
{
    const char *deep = join(join(repeat('d', 140), "/"), repeat('e', 90));
    oras_buf expected = ORAS_BUF_INIT(4096);
    MAKE(tar);

    (void)state;
    write_member(&(oras_tar_member){.type = '5', .name = "dir", .linkname = "", .mode = 0755},
                 &tar);
    write_member(
        &(oras_tar_member){
            .type = '0', .name = deep, .linkname = "", .size = 5, .mode = 0644, .mtime = 7},
        &tar);
    oras_buf_append(&tar, "hello", 5);
    put_padding(&tar, 5);
    write_member(&(oras_tar_member){.type = '2',
                                    .name = "l\xc3\xafnk",
                                    .linkname = repeat('t', 120),
                                    .mode = 0777,
                                    .mtime = (int64_t)1 << 34},
                 &tar);
    put_zeros(&tar, ORAS_TAR_END_SIZE);
    oras_buf_printf(
        &expected,
        "d 755 0 0 dir = \nf 644 5 7 %s = hello\nl 777 0 17179869184 l\xc3\xafnk -> %s = \n", deep,
        repeat('t', 120));
    expect_text(&tar, oras_buf_text(&expected));
    oras_buf_dispose(&expected);
    oras_buf_dispose(&tar);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_field_of_a_plain_header),
        cmocka_unit_test(test_a_long_name_is_split_at_the_last_slash_that_fits),
        cmocka_unit_test(test_what_is_not_ascii_stands_in_a_pax_record),
        cmocka_unit_test(test_lengths_of_records_around_a_new_digit),
        cmocka_unit_test(test_numbers_that_are_no_octal_field),
        cmocka_unit_test(test_a_cut_name_does_not_end_in_a_slash),
        cmocka_unit_test(test_the_reader_reads_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
