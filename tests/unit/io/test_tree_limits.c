/* SPDX-License-Identifier: MIT
 * Digests that are wrong, limits, promises: nothing shows, nothing is left. */
#define _GNU_SOURCE
#include "cmocka_c11.h"
#include "io/tree.h"
#include "unpack_help.h"

static void test_C01_wrong_digest(void **state)
{
    static const item items[] = {F("a/f"), F("b"), LAST};
    unpacking how = {.wrong_digest = true, .target = {.overwrite = true}};
    oras_buf tar = archive_of(items);

    expect_refused(*state, &tar, &how, "integrity", "digest is");
    put_at(*state, "root/out/b", "old");
    expect_refused(*state, &tar, &how, "integrity", "digest is");
    oras_buf_dispose(&tar);
}

static void test_C37_wrong_content_digest(void **state)
{
    static const item items[] = {F("a/f"), F("b"), LAST};
    unpacking how = {.wrong_content = true, .target = {.overwrite = true}};
    oras_buf tar = archive_of(items), packed = ORAS_BUF_INIT(SIZE_MAX - 1);

    pack_gzip(tar.data, tar.size, &packed);
    expect_refused(*state, &packed, &how, "integrity", "digest of the unpacked archive is");
    put_at(*state, "root/out/b", "old");
    expect_refused(*state, &packed, &how, "integrity", "digest of the unpacked archive is");
    oras_buf_dispose(&packed);
    oras_buf_dispose(&tar);
}

/* A bit that fell over on the wire makes an archive bad, too: then the digest is what is wrong,
 * and the transfer is worth another try (C01). */
static void test_C01_wire_or_archive(void **state)
{
    place *p = *state;
    static const item items[] = {F("a/f"), F("b"), LAST};
    unpacking how = {.target = {.packing = ORAS_PACKING_GZIP}};
    oras_buf tar = archive_of(items), packed = ORAS_BUF_INIT(SIZE_MAX - 1);
    oras_error err = ORAS_ERROR_INIT;
    oras_sink *sink;

    pack_gzip(tar.data, tar.size, &packed);
    sink = tree_sink(p, &packed, &how); /* knows the right digest */
    packed.data[packed.size / 2] ^= 1;
    assert_int_equal(oras_sink_begin(sink, 0, &err), ORAS_OK);
    assert_int_equal(write_all(sink, packed.data, packed.size, 7, &err), ORAS_FLOW_OK);
    assert_int_not_equal(finish_sink(sink, &err), ORAS_OK);
    assert_string_equal(err.class_name, "integrity");
    expect_root(p, "");

    packed.data[packed.size / 2] ^= 1; /* the same sink takes the right bytes afterwards */
    assert_int_equal(oras_sink_begin(sink, 0, &err), ORAS_OK);
    assert_int_equal(write_all(sink, packed.data, packed.size, 7, &err), ORAS_FLOW_OK);
    assert_int_equal(finish_sink(sink, &err), ORAS_OK);
    oras_sink_free(sink);
    expect_root(p, "d 755 out\nd 755 out/a\nf 644 out/a/f = x\nf 644 out/b = x\n");

    packed.data[packed.size / 2] ^= 1; /* the digest of a bad archive */
    how.target.overwrite = true;
    expect_refused(p, &packed, &how, "content", "gzip");
    oras_buf_dispose(&packed);
    oras_buf_dispose(&tar);
}

/* --- limits -------------------------------------------------------------------------------------
 */

static void test_C32_entries_and_depth(void **state)
{
    place *p = *state;
    static const item many[] = {F("a"), F("b"), F("c"), LAST};
    static const item implied[] = {F("a/b/c/d"), LAST};
    unpacking how = {.target = {.limits = {.max_entries = 2}}};
    oras_buf tar = archive_of(many), deep = archive_of(implied);

    expect_refused(p, &tar, &how, "limit", "more than 2 entries");
    expect_refused(p, &deep, &how, "limit", "more than 2 files and directories");
    how.target.limits = (oras_archive_limits){.max_depth = 3};
    expect_refused(p, &deep, &how, "limit", "nested deeper than the limit of 3");
    oras_buf_dispose(&tar);
    oras_buf_dispose(&deep);
}

static void test_C33_bomb(void **state)
{
    place *p = *state;
    oras_buf tar = ORAS_BUF_INIT(SIZE_MAX - 1), packed = ORAS_BUF_INIT(SIZE_MAX - 1);
    unpacking how = {.target = {.limits = {.max_ratio = 100}}};
    int64_t size = INT64_C(100) << 20;

    put_header(&tar, &(tar_fields){.name = "zeros", .size = size});
    put_zeros(&tar, (size_t)size);
    put_end(&tar);
    pack_gzip(tar.data, tar.size, &packed);
    expect_refused(p, &packed, &how, "limit", "more than 100 times its size");
    how.target.limits = (oras_archive_limits){.max_bytes = 1 << 20};
    expect_refused(p, &packed, &how, "limit", "bytes");
    oras_buf_dispose(&packed);
    oras_buf_dispose(&tar);
}

static void test_C36_promise(void **state)
{
    static const item items[] = {F("a"), LAST};
    unpacking how = {.target = {.packing = ORAS_PACKING_GZIP}};
    oras_buf tar = archive_of(items), packed = ORAS_BUF_INIT(SIZE_MAX - 1);

    expect_refused(*state, &tar, &how, "content", "the archive is not gzip");
    pack_zstd(tar.data, tar.size, &packed);
    expect_refused(*state, &packed, &how, "content", "the archive is not gzip but zstd");
    oras_buf_dispose(&packed);
    oras_buf_dispose(&tar);
}

static void test_C34_cut_anywhere(void **state)
{
    static const item items[] = {F("d/a"), F("b"), LAST};
    oras_buf tar = archive_of(items), packed = ORAS_BUF_INIT(SIZE_MAX - 1);

    pack_gzip(tar.data, tar.size, &packed);
    for (size_t size = 0; size < packed.size; size++) {
        oras_buf cut = packed;

        cut.size = size;
        expect_refused(*state, &cut, NULL, "content", "");
    }
    oras_buf_dispose(&packed);
    oras_buf_dispose(&tar);
}

/* A file system that takes names for the same which we do not: what is made is already there,
 * and nothing is opened, entered or merged. */
static void test_L13_names_that_the_file_system_folds(void **state)
{
    place *p = *state;
    oras_tree_options options = {.any_case = true, .links = true, .max_entries = 100};
    const oras_entry entries[] = {
        {.path = "STRASSE", .type = ORAS_ENTRY_FILE, .mode = 0644},
        {.path = "D", .type = ORAS_ENTRY_DIRECTORY, .mode = 0755},
        {.path = "D/below", .type = ORAS_ENTRY_FILE, .mode = 0644},
        {.path = "STRASSE", .type = ORAS_ENTRY_SYMLINK, .linkname = "x"},
    };

    put_at(p, "root/STRASSE", "of another name");
    put_at(p, "root/D/x", "of another name");
    for (size_t i = 0; i < sizeof entries / sizeof entries[0]; i++) {
        oras_tree *tree = NULL;
        oras_error err = ORAS_ERROR_INIT;

        assert_int_equal(oras_tree_new(p->root, &options, &tree, NULL), ORAS_OK);
        assert_class(oras_tree_entry(tree, &entries[i], &err), ORAS_C_EXISTS);
        oras_tree_free(tree);
    }
    expect_root(p, "d 755 D\nf 644 D/x = of another name\nf 644 STRASSE = of another name\n");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, place_set_up, place_tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_C01_wrong_digest),
        TEST(test_C37_wrong_content_digest),
        TEST(test_C01_wire_or_archive),
        TEST(test_C32_entries_and_depth),
        TEST(test_C33_bomb),
        TEST(test_C36_promise),
        TEST(test_C34_cut_anywhere),
        TEST(test_L13_names_that_the_file_system_folds),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
