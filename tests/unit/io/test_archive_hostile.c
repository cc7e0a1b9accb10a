/* SPDX-License-Identifier: MIT
 * Tar as it should not be: what an attacker writes is refused by class, never guessed at. */
#include "archive_help.h"

#include <stdio.h>

#define MAKE(name) oras_buf name = ORAS_BUF_INIT(1 << 26)

/* --- names --- */

static void expect_name_refused(const char *name, const char *class_name, const char *words)
{
    MAKE(tar);

    put_file(&tar, "before", "x");
    put_file(&tar, name, "x");
    put_end(&tar);
    expect_failure(&tar, class_name, words);
    oras_buf_dispose(&tar);
}

static void test_C23_names(void **state)
{
    (void)state;
    expect_name_refused("../a", "path", "'../a'");
    expect_name_refused("a/../b", "path", "'..'");
    expect_name_refused("a/..", "path", "'..'");
    expect_name_refused("..", "path", "'..'");
    expect_name_refused("/abs", "path", "absolute");
    expect_name_refused("//abs", "path", "absolute");
    expect_name_refused("", "path", "empty name");
    expect_name_refused(".", "path", "no directory");
}

static void expect_pax_refused(const char *records, size_t size, char type, const char *class_name,
                               const char *words)
{
    MAKE(tar);

    put_pax(&tar, 'x', records, size);
    put_header(&tar, &(tar_fields){.name = "n", .type = type, .linkname = "l"});
    put_end(&tar);
    expect_failure(&tar, class_name, words);
    oras_buf_dispose(&tar);
}

#define BYTES(text) text, sizeof text - 1

static void test_C23_nul_in_pax(void **state)
{
    (void)state;
    expect_pax_refused(BYTES("25 path=ok\0/../../etc/xx\n"), '0', "path", "NUL");
    expect_pax_refused(BYTES("18 linkpath=ok\0/x\n"), '2', "path", "target");
    expect_pax_refused(BYTES("18 linkpath=ok\0/x\n"), '1', "path", "NUL");
    expect_pax_refused(BYTES("17 path=/etc/pwd\n"), '0', "path", "absolute");
}

static void test_C23_nul_in_gnu_name(void **state)
{
    MAKE(tar);

    (void)state;
    put_header(&tar, &(tar_fields){.name = "././@LongLink", .type = 'L', .size = 6});
    put_data(&tar, "a\0../b", 6);
    put_file(&tar, "n", "");
    put_end(&tar);
    expect_failure(&tar, "path", "NUL");
    oras_buf_dispose(&tar);
}

static void test_C23_root_as_a_link(void **state)
{
    MAKE(tar);

    (void)state;
    put_header(&tar, &(tar_fields){.name = ".", .type = '2', .linkname = "/etc"});
    put_end(&tar);
    expect_failure(&tar, "path", "'.' is no directory");
    oras_buf_dispose(&tar);
}

static void test_C19_long_component(void **state)
{
    MAKE(tar);
    MAKE(records);
    char name[301];

    (void)state;
    memset(name, 'x', 300);
    name[300] = '\0';
    put_pax_record(&records, "path", name);
    put_pax(&tar, 'x', records.data, records.size);
    put_file(&tar, "n", "");
    put_end(&tar);
    expect_failure(&tar, "limit", "300 bytes");
    oras_buf_dispose(&tar);
    oras_buf_dispose(&records);
}

/* A listing says where a symbolic link leads, whatever that is; a hard link's target is an
 * entry of the same archive, so it keeps the rules of names. */
static void test_C24_links(void **state)
{
    static const char *const targets[] = {"../../etc/passwd", "/etc/passwd", ""};
    MAKE(tar);

    (void)state;
    for (int i = 0; i < 3; i++) {
        oras_buf_clear(&tar);
        put_header(&tar, &(tar_fields){.name = "h", .type = '1', .linkname = targets[i]});
        put_end(&tar);
        expect_failure(&tar, "path", "hard link 'h'");
    }
    oras_buf_clear(&tar);
    put_header(&tar, &(tar_fields){.name = "s", .type = '2', .linkname = ""});
    put_end(&tar);
    expect_failure(&tar, "path", "target");
    oras_buf_clear(&tar);
    put_header(&tar, &(tar_fields){.name = "s", .type = '2', .linkname = "/etc/passwd"});
    put_end(&tar);
    expect_text(&tar, "l 644 0 1600000000 s -> /etc/passwd = \n");
    oras_buf_dispose(&tar);
}

/* --- types --- */

static void test_C25_unknown_types(void **state)
{
    MAKE(tar);

    (void)state;
    for (const char *type = "789ADIMNVXZ~\x01\xff"; *type; type++) {
        oras_buf_clear(&tar);
        put_header(&tar, &(tar_fields){.name = "odd", .type = *type});
        put_end(&tar);
        expect_failure(&tar, "path", "'odd' has type");
    }
    oras_buf_dispose(&tar);
}

static void test_C25_size_without_data(void **state)
{
    MAKE(tar);

    (void)state;
    for (const char *type = "123456"; *type; type++) {
        oras_buf_clear(&tar);
        put_header(&tar, &(tar_fields){.name = "n", .type = *type, .linkname = "l", .size = 512});
        put_file(&tar, "hidden", "");
        put_end(&tar);
        expect_failure(&tar, "content", "expected 0");
    }
    oras_buf_dispose(&tar);
}

static void test_C26_modes_and_times(void **state)
{
    MAKE(tar);
    uint8_t block[512];

    (void)state;
    put_header(&tar, &(tar_fields){.name = "setuid", .mode = 06755});
    tar_header(block, &(tar_fields){.name = "far"});
    memcpy(block + 100, "\x80\0\0\0\0\1\x0f\xff", 8); /* bits above the permissions */
    memcpy(block + 108, "\x80\0\0\0\x80\0\0\0", 8);   /* uid 2^31 */
    memcpy(block + 136, "\x80\0\0\0\x40\0\0\0\0\0\0\0", 12);
    tar_checksum(block);
    oras_buf_append(&tar, block, sizeof block);
    put_end(&tar);
    expect_text(&tar, "f 6755 0 1600000000 setuid = \n"
                      "f 7777 0 4611686018427387904 far = \n");
    oras_buf_dispose(&tar);
}

static void test_C27_attributes_are_dropped(void **state)
{
    MAKE(tar);
    MAKE(records);

    (void)state;
    put_pax_record(&records, "SCHILY.xattr.security.capability", "x");
    put_pax_record(&records, "SCHILY.acl.access", "user::rwx");
    put_pax_record(&records, "SCHILY.fflags", "schg");
    put_pax(&tar, 'x', records.data, records.size);
    put_file(&tar, "a", "1");
    put_end(&tar);
    expect_text(&tar, "f 644 1 1600000000 a = 1\n");
    oras_buf_dispose(&tar);
    oras_buf_dispose(&records);
}

/* --- sparse files --- */

static void test_C28_old_gnu_sparse(void **state)
{
    MAKE(tar);
    uint8_t block[512];

    (void)state;
    tar_header(block, &(tar_fields){.name = "s", .type = 'S', .magic = "ustar  "});
    memcpy(block + 483, "00000001000", 12);
    tar_checksum(block);
    oras_buf_append(&tar, block, sizeof block);
    put_end(&tar);
    expect_failure(&tar, "unsupported", "sparse");
    memcpy(tar.data + 483, "\x80\0\0\0\x10\0\0\0\0\0\0\0", 12); /* 1 EiB */
    tar_checksum((uint8_t *)tar.data);
    expect_failure(&tar, "limit", "1152921504606846976");
    memcpy(tar.data + 483, "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", 12);
    tar_checksum((uint8_t *)tar.data);
    expect_failure(&tar, "content", "sparse size");
    oras_buf_dispose(&tar);
}

static void test_C28_pax_sparse(void **state)
{
    static const char *const keys[] = {"GNU.sparse.size", "GNU.sparse.realsize"};
    MAKE(tar);
    MAKE(records);

    (void)state;
    for (int i = 0; i < 2; i++) {
        oras_buf_clear(&tar);
        oras_buf_clear(&records);
        put_pax_record(&records, "GNU.sparse.major", "1");
        put_pax_record(&records, keys[i], "1152921504606846976");
        put_pax(&tar, 'x', records.data, records.size);
        put_file(&tar, "GNUSparseFile.0/s", "1\n0\n0\n");
        put_end(&tar);
        expect_failure(&tar, "limit", "1152921504606846976");
    }
    expect_pax_refused(BYTES("22 GNU.sparse.major=1\n"), '0', "unsupported", "sparse");
    oras_buf_dispose(&tar);
    oras_buf_dispose(&records);
}

/* --- extended headers --- */

static void test_C29_extension_sizes(void **state)
{
    static const int64_t sizes[] = {65537, 64 << 20, 1 << 30, 1LL << 33};
    MAKE(tar);

    (void)state;
    for (const char *type = "xgLK"; *type; type++) {
        for (int i = 0; i < 4; i++) {
            oras_buf_clear(&tar);
            put_header(&tar, &(tar_fields){.name = "n", .type = *type, .size = sizes[i]});
            put_end(&tar);
            expect_failure(&tar, "limit", "65536");
        }
    }
    oras_buf_dispose(&tar);
}

static void test_C29_record_lengths_lie(void **state)
{
    (void)state;
    expect_pax_refused(BYTES("99 path=a\n"), '0', "content", "malformed");
    expect_pax_refused(BYTES("8 path=a\n"), '0', "content", "malformed");
    expect_pax_refused(BYTES("0 path=a\n"), '0', "content", "malformed");
    expect_pax_refused(BYTES("-1 path=a\n"), '0', "content", "malformed");
    expect_pax_refused(BYTES("99999999999999999999 path=a\n"), '0', "content", "malformed");
    expect_pax_refused(BYTES("10 path a\n"), '0', "content", "malformed");
    expect_pax_refused(BYTES("5 =a\n"), '0', "content", "malformed");
    expect_pax_refused(BYTES("4 a\n"), '0', "content", "malformed");
    expect_pax_refused(BYTES("10"), '0', "content", "malformed");
    expect_pax_refused(BYTES("10 path=a\nx"), '0', "content", "malformed");
}

static void test_C29_record_values(void **state)
{
    (void)state;
    expect_pax_refused(BYTES("11 size=-1\n"), '0', "content", "'size'");
    expect_pax_refused(BYTES("11 size=1x\n"), '0', "content", "'size'");
    expect_pax_refused(BYTES("8 size=\n"), '0', "content", "'size'");
    expect_pax_refused(BYTES("28 size=9223372036854775808\n"), '0', "content", "'size'");
    expect_pax_refused(BYTES("28 size=9223372036854775807\n"), '0', "limit", "10737418240");
    expect_pax_refused(BYTES("12 mtime=1e\n"), '0', "content", "'mtime'");
    expect_pax_refused(BYTES("11 mtime=-\n"), '0', "content", "'mtime'");
}

static void test_C29_repeated_headers(void **state)
{
    static const char *const pairs[] = {"xx", "LL", "KK", "xL", "Lx", "xK", "Kx"};
    MAKE(tar);

    (void)state;
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        oras_buf_clear(&tar);
        put_pax(&tar, pairs[i][0], BYTES("10 path=a\n"));
        put_pax(&tar, pairs[i][1], BYTES("10 path=b\n"));
        put_file(&tar, "n", "");
        put_end(&tar);
        expect_failure(&tar, "content", "two extended headers");
    }
    oras_buf_dispose(&tar);
}

static void test_C29_global_headers(void **state)
{
    list_options options = {.limits = {.max_entries = 100}};
    MAKE(tar);

    (void)state;
    put_pax(&tar, 'g', BYTES("10 path=a\n"));
    put_end(&tar);
    expect_failure(&tar, "content", "sets 'path' for all");
    oras_buf_clear(&tar);
    put_pax(&tar, 'g', BYTES("10 size=1\n"));
    put_end(&tar);
    expect_failure(&tar, "content", "sets 'size' for all");
    oras_buf_clear(&tar);
    for (int i = 0; i < 101; i++)
        put_pax(&tar, 'g', BYTES("13 comment=x\n"));
    put_end(&tar);
    expect_failure_with(&tar, &options, "limit", "100 entries");
    oras_buf_dispose(&tar);
}

/* --- lies about the rest --- */

static void expect_field_refused(size_t at, const void *field, size_t size, const char *words)
{
    MAKE(tar);

    put_file(&tar, "n", "12345");
    put_end(&tar);
    memcpy(tar.data + at, field, size);
    tar_checksum((uint8_t *)tar.data);
    expect_failure(&tar, "content", words);
    oras_buf_dispose(&tar);
}

static void test_C30_numbers(void **state)
{
    (void)state;
    expect_field_refused(124, "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", 12, "bad size");
    expect_field_refused(124, "\x80\1\0\0\0\0\0\0\0\0\0\0", 12, "bad size");
    expect_field_refused(124, "0000000000x\0", 12, "bad size");
    expect_field_refused(124, "00000000008\0", 12, "bad size");
    expect_field_refused(124, "-0000000001\0", 12, "bad size");
    expect_field_refused(124,
                         "0000\0"
                         "000005\0",
                         12, "bad size");
    expect_field_refused(136, "\xbf\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", 12, "bad time");
    expect_field_refused(100, "rw-r--r-", 8, "bad mode");
    expect_field_refused(100, "\xff\xff\xff\xff\xff\xff\xff\xff", 8, "bad mode");
}

static void test_C30_size_lies(void **state)
{
    MAKE(tar);

    (void)state;
    put_header(&tar, &(tar_fields){.name = "n", .size = 100000});
    put_end(&tar);
    expect_failure(&tar, "content", "cut off inside 'n'");
    oras_buf_clear(&tar);
    put_header(&tar, &(tar_fields){.name = "n", .size = 8LL << 30}); /* within 10 GiB */
    put_end(&tar);
    expect_failure(&tar, "content", "cut off inside 'n'");
    oras_buf_dispose(&tar);
}

static void test_C30_checksums(void **state)
{
    MAKE(tar);

    (void)state;
    put_file(&tar, "one", "1");
    put_file(&tar, "two", "2");
    put_end(&tar);
    tar.data[1024 + 10] = 'x';
    expect_failure(&tar, "content", "behind entry 1, 'one'");
    memcpy(tar.data + 148, "        ", 8);
    expect_failure(&tar, "content", "not a tar archive");
    oras_buf_dispose(&tar);
}

static void test_C30_end_blocks(void **state)
{
    MAKE(tar);

    (void)state;
    put_file(&tar, "n", "1");
    expect_failure(&tar, "content", "ends with 0 end blocks");
    put_zeros(&tar, 512);
    expect_failure(&tar, "content", "ends with 1 end blocks");
    put_file(&tar, "hidden", "");
    put_end(&tar);
    expect_failure(&tar, "content", "lone zero block");
    oras_buf_clear(&tar);
    put_pax(&tar, 'x', BYTES("10 path=a\n"));
    put_end(&tar);
    expect_failure(&tar, "content", "behind an extended header");
    oras_buf_dispose(&tar);
}

/* All of it is fed, so whoever hashes the source has seen it; nothing of it is looked at. */
static void test_C30_junk_behind_the_end(void **state)
{
    MAKE(tar);

    (void)state;
    put_file(&tar, "n", "1");
    put_end(&tar);
    put_zeros(&tar, 9000);
    expect_text(&tar, "f 644 1 1600000000 n = 1\n");
    put_file(&tar, "../behind", "x");
    oras_buf_append(&tar, "junk", 4);
    expect_text(&tar, "f 644 1 1600000000 n = 1\n");
    oras_buf_dispose(&tar);
}

static void test_C30_cut_anywhere(void **state)
{
    list_options options = {.contents = true};
    listing list;
    MAKE(tar);

    (void)state;
    put_pax(&tar, 'x', BYTES("12 path=abc\n"));
    put_file(&tar, "n", "hello");
    put_end(&tar);
    for (size_t size = 0; size < tar.size; size++) {
        list_bytes(tar.data, size, &options, &list);
        assert_true(list.failed);
        assert_string_equal(list.err.class_name, "content");
        listing_dispose(&list);
    }
    oras_buf_dispose(&tar);
}

/* To list them is no harm: a reader that wants one gets each as it stands. */
static void test_C31_duplicates_are_listed(void **state)
{
    MAKE(tar);

    (void)state;
    put_file(&tar, "a", "1");
    put_file(&tar, "a", "2");
    put_header(&tar, &(tar_fields){.name = "a", .type = '5'});
    put_end(&tar);
    expect_text(&tar, "f 644 1 1600000000 a = 1\nf 644 1 1600000000 a = 2\n"
                      "d 644 0 1600000000 a = \n");
    oras_buf_dispose(&tar);
}

static void put_deep(oras_buf *tar, int depth)
{
    MAKE(name);
    MAKE(records);

    for (int i = 0; i < depth; i++)
        oras_buf_puts(&name, "d/");
    put_pax_record(&records, "path", name.data);
    put_pax(tar, 'x', records.data, records.size);
    put_header(tar, &(tar_fields){.name = "n", .type = '5'});
    oras_buf_dispose(&name);
    oras_buf_dispose(&records);
}

static void test_C32_depth(void **state)
{
    list_options options = {.limits = {.max_depth = 100}};
    listing list;
    MAKE(tar);

    (void)state;
    put_deep(&tar, 64);
    put_deep(&tar, 65);
    put_end(&tar);
    expect_failure(&tar, "limit", "deeper than the limit of 64");
    list_bytes(tar.data, tar.size, &options, &list);
    assert_int_equal(list.n_entries, 2);
    assert_false(list.failed);
    listing_dispose(&list);
    oras_buf_clear(&tar);
    put_deep(&tar, 10000);
    put_end(&tar);
    expect_failure(&tar, "limit", "deeper than the limit of 64");
    oras_buf_dispose(&tar);
}

static void test_C32_entries(void **state)
{
    list_options options = {.limits = {.max_entries = 1000}};
    MAKE(tar);

    (void)state;
    for (int i = 0; i < 1001; i++)
        put_file(&tar, "n", "");
    put_end(&tar);
    expect_failure_with(&tar, &options, "limit", "more than 1000 entries");
    oras_buf_dispose(&tar);
}

static void test_C32_bytes(void **state)
{
    list_options options = {.limits = {.max_bytes = 4096}};
    MAKE(tar);

    (void)state;
    put_header(&tar, &(tar_fields){.name = "big", .size = 4097});
    put_end(&tar);
    expect_failure_with(&tar, &options, "limit", "'big' has 4097 bytes");
    oras_buf_clear(&tar);
    for (int i = 0; i < 8; i++)
        put_file(&tar, "n", "x");
    put_end(&tar);
    expect_failure_with(&tar, &options, "limit", "more than 4096 bytes");
    oras_buf_dispose(&tar);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_C23_names),
        cmocka_unit_test(test_C23_nul_in_pax),
        cmocka_unit_test(test_C23_nul_in_gnu_name),
        cmocka_unit_test(test_C23_root_as_a_link),
        cmocka_unit_test(test_C19_long_component),
        cmocka_unit_test(test_C24_links),
        cmocka_unit_test(test_C25_unknown_types),
        cmocka_unit_test(test_C25_size_without_data),
        cmocka_unit_test(test_C26_modes_and_times),
        cmocka_unit_test(test_C27_attributes_are_dropped),
        cmocka_unit_test(test_C28_old_gnu_sparse),
        cmocka_unit_test(test_C28_pax_sparse),
        cmocka_unit_test(test_C29_extension_sizes),
        cmocka_unit_test(test_C29_record_lengths_lie),
        cmocka_unit_test(test_C29_record_values),
        cmocka_unit_test(test_C29_repeated_headers),
        cmocka_unit_test(test_C29_global_headers),
        cmocka_unit_test(test_C30_numbers),
        cmocka_unit_test(test_C30_size_lies),
        cmocka_unit_test(test_C30_checksums),
        cmocka_unit_test(test_C30_end_blocks),
        cmocka_unit_test(test_C30_junk_behind_the_end),
        cmocka_unit_test(test_C30_cut_anywhere),
        cmocka_unit_test(test_C31_duplicates_are_listed),
        cmocka_unit_test(test_C32_depth),
        cmocka_unit_test(test_C32_entries),
        cmocka_unit_test(test_C32_bytes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
