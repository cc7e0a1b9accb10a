/* SPDX-License-Identifier: MIT
 * Trees as sources: the same bytes from any number of threads, again and again. */
#define _GNU_SOURCE
#include "pack_help.h"

#include <fcntl.h>
#include <sys/stat.h>

static const char LISTED[] = "d 755 0 0 t\n"
                             "d 755 0 0 t/a\n"
                             "f 644 0 0 t/a/empty\n"
                             "f 644 5 0 t/a/hello\n"
                             "l 777 0 0 t/a/link -> ../b\n"
                             "f 644 3 0 t/b\n"
                             "d 755 0 0 t/dir\n"
                             "f 644 3145733 0 t/random\n"
                             "f 644 5242368 0 t/text\n"
                             "f 644 1 0 t/z\xc3\xa9\n";

static void expect_listed(const oras_buf *bytes, oras_packing packed)
{
    listing list;

    list_bytes(bytes->data, bytes->size, &(list_options){.packing = packed}, &list);
    assert_false(list.failed);
    assert_string_equal(oras_buf_text(&list.text), LISTED);
    listing_dispose(&list);
}

static void test_every_compression_is_read_back(void **state)
{
    static const oras_packing packings[] = {ORAS_PACKING_NONE, ORAS_PACKING_GZIP,
                                            ORAS_PACKING_ZSTD};

    (void)state;
    put_tree();
    for (int i = 0; i < 3; i++) {
        MAKE(bytes);

        pack_all("t", 2, (oras_pack_options){.compression = (oras_compression)i}, &bytes);
        expect_listed(&bytes, packings[i]);
        oras_buf_dispose(&bytes);
    }
}

static void test_same_bytes_from_any_number_of_threads(void **state)
{
    static const int n_threads[] = {1, 2, 3, 4, 4, 2, 1};

    (void)state;
    put_tree();
    for (int i = 0; i < 3; i++) {
        oras_pack_options options = {.compression = (oras_compression)i};
        MAKE(first);

        pack_all("t", 1, options, &first);
        for (size_t n = 0; n < sizeof n_threads / sizeof n_threads[0]; n++) {
            MAKE(other);

            pack_all("t", n_threads[n], options, &other);
            assert_int_equal(other.size, first.size);
            assert_memory_equal(other.data, first.data, first.size);
            oras_buf_dispose(&other);
        }
        oras_buf_dispose(&first);
    }
}

static void test_times_are_the_given_one_or_the_files_own(void **state)
{
    oras_pack_options options = {.compression = ORAS_COMPRESSION_NONE, .mtime = 12345};
    struct timespec half[2] = {{100, 500000000}, {100, 500000000}};
    MAKE(given);
    MAKE(own);

    (void)state;
    put("t/a", "a");
    put("t/b", "b");
    assert_int_equal(utimensat(AT_FDCWD, "t/b", half, 0), 0);
    assert_int_equal(utimensat(AT_FDCWD, "t", half, 0), 0);
    pack_all("t", 1, options, &given);
    expect_text(&given, "d 755 0 12345 t = \nf 644 1 12345 t/a = a\nf 644 1 12345 t/b = b\n");
    options.mtime = -1;
    pack_all("t", 1, options, &own);
    expect_text(&own, "d 755 0 101 t = \nf 644 1 1600000000 t/a = a\nf 644 1 101 t/b = b\n");
    oras_buf_dispose(&given);
    oras_buf_dispose(&own);
}

static void test_a_file_alone(void **state)
{
    MAKE(bytes);

    (void)state;
    put("t/a/hello", "hello");
    pack_all("t/a/hello", 2, (oras_pack_options){.compression = ORAS_COMPRESSION_GZIP}, &bytes);
    expect_text(&bytes, "f 644 5 0 hello = hello\n");
    oras_buf_dispose(&bytes);
}

static void test_what_does_not_shrink_is_stored(void **state)
{
    MAKE(bytes);

    (void)state;
    put_random("random", 4 << 20);
    pack_all("random", 2, (oras_pack_options){.compression = ORAS_COMPRESSION_GZIP}, &bytes);
    assert_true(bytes.size > 4 << 20);
    assert_true(bytes.size < (4 << 20) + 8192);
    oras_buf_dispose(&bytes);
}

static void test_levels(void **state)
{
    MAKE(fast);
    MAKE(small);
    oras_error err = ORAS_ERROR_INIT;
    oras_source *source;

    (void)state;
    put_text("text", 2 << 20);
    pack_all("text", 2, (oras_pack_options){.compression = ORAS_COMPRESSION_GZIP, .level = 1},
             &fast);
    pack_all("text", 2, (oras_pack_options){.compression = ORAS_COMPRESSION_GZIP, .level = 9},
             &small);
    assert_true(small.size < fast.size);
    for (int i = 0; i < 3; i++) {
        oras_pack_options options = {.compression = (oras_compression)i, .level = 16};

        assert_class(oras_pack_new(NULL, "text", &options, &source, &err), ORAS_C_USAGE);
    }
    oras_buf_dispose(&fast);
    oras_buf_dispose(&small);
}

static void test_the_tar_has_a_digest_of_its_own(void **state)
{
    packing p;
    oras_digest content, expected;
    int64_t size;
    MAKE(tar);
    MAKE(bytes);

    (void)state;
    put_tree();
    pack_all("t", 2, (oras_pack_options){.compression = ORAS_COMPRESSION_NONE}, &tar);
    assert_int_equal(oras_digest_of(ORAS_SHA256, tar.data, tar.size, &expected, NULL), ORAS_OK);
    p = start("t", 2, (oras_pack_options){.compression = ORAS_COMPRESSION_GZIP});
    assert_false(oras_pack_content(p.source, &content, &size));
    assert_int_equal(read_all(&p, &bytes), ORAS_SOURCE_END);
    assert_true(oras_pack_content(p.source, &content, &size));
    assert_true(oras_digest_equal(&content, &expected));
    assert_int_equal(size, tar.size);
    end(&p);
    oras_buf_dispose(&tar);
    oras_buf_dispose(&bytes);
}

static void test_other_sources_have_no_content(void **state)
{
    oras_source *source;
    oras_digest digest;
    int64_t size;

    (void)state;
    assert_int_equal(oras_source_memory("x", 1, &source, NULL), ORAS_OK);
    assert_false(oras_pack_content(source, &digest, &size));
    oras_source_free(source);
}

static void test_packs_again_from_byte_0(void **state)
{
    packing p;
    oras_error err = ORAS_ERROR_INIT;
    MAKE(first);
    MAKE(second);
    MAKE(part);

    (void)state;
    put_tree();
    p = start("t", 2, (oras_pack_options){.compression = ORAS_COMPRESSION_GZIP});
    assert_true(oras_source_can_seek(p.source));
    assert_int_equal(oras_source_seek(p.source, 0, &err), ORAS_OK);
    assert_int_equal(oras_source_size(p.source), -1);
    assert_int_equal(read_some(&p, 2000000, &part), ORAS_SOURCE_DATA);
    assert_class(oras_source_seek(p.source, 5, &err), ORAS_C_UNSUPPORTED);
    assert_int_equal(oras_source_seek(p.source, 0, &err), ORAS_OK);
    assert_int_equal(read_all(&p, &first), ORAS_SOURCE_END);
    assert_int_equal(oras_source_size(p.source), first.size);
    assert_int_equal(oras_source_seek(p.source, 0, &err), ORAS_OK);
    assert_int_equal(read_all(&p, &second), ORAS_SOURCE_END);
    assert_int_equal(read_all(&p, &second), ORAS_SOURCE_END);
    assert_int_equal(first.size, second.size);
    assert_memory_equal(first.data, second.data, first.size);
    assert_memory_equal(first.data, part.data, part.size);
    end(&p);
    oras_buf_dispose(&first);
    oras_buf_dispose(&second);
    oras_buf_dispose(&part);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, tree_set_up, tree_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_every_compression_is_read_back),
        TEST(test_same_bytes_from_any_number_of_threads),
        TEST(test_times_are_the_given_one_or_the_files_own),
        TEST(test_a_file_alone),
        TEST(test_what_does_not_shrink_is_stored),
        TEST(test_levels),
        TEST(test_the_tar_has_a_digest_of_its_own),
        TEST(test_other_sources_have_no_content),
        TEST(test_packs_again_from_byte_0),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
