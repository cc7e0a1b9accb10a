/* SPDX-License-Identifier: MIT
 * Trees as they are walked: in which order, under which names, and with how many of them. */
#define _GNU_SOURCE
#include "walk_help.h"

#include "io/walk_names.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* --- order and names ------------------------------------------------------------------------ */

static void test_depth_first_by_bytes_parents_first(void **state)
{
    (void)state;
    put("t/b", "");
    put("t/a/x", "");
    put("t/a.txt", "");
    put("t/a-b", "");
    put("t/B", "");
    put("t/\xc3\xa9", "");
    put_link("t/a/link", "../b");
    put_dir("t/empty");
    expect_names("t", NULL,
                 "t\nt/B\nt/a\nt/a/link\nt/a/x\nt/a-b\nt/a.txt\nt/b\nt/empty\nt/\xc3\xa9\n");
}

static void test_names_in_the_archive(void **state)
{
    (void)state;
    put("t/sub/f", "");
    expect_names("t/", NULL, "t\nt/sub\nt/sub/f\n");
    expect_names("./t//", "x/y/", "x/y\nx/y/sub\nx/y/sub/f\n");
    expect_names("t/sub", NULL, "sub\nsub/f\n");
    expect_names("t", "", "sub\nsub/f\n");
    expect_names("t/sub/..", NULL, "sub\nsub/f\n");
    expect_names("t/sub/f", NULL, "f\n");
    expect_names("t/sub/f", "other/g", "other/g\n");
    put("...", "");
    expect_names("...", NULL, "...\n");
    assert_int_equal(chdir("t"), 0);
    expect_names(".", NULL, "sub\nsub/f\n");
    assert_int_equal(chdir(".."), 0);
}

static void test_a_link_that_was_named_is_followed(void **state)
{
    (void)state;
    put("t/f", "");
    put_link("l", "t");
    put_link("g", "t/f");
    expect_names("l", NULL, "l\nl/f\n");
    expect_names("g", NULL, "g\n");
}

static void test_names_that_cannot_be(void **state)
{
    static const char *const prefixes[] = {"/abs", "a//b", "..", "a/../b", ".", "./a", "a/."};

    (void)state;
    put("t/f", "");
    for (size_t i = 0; i < sizeof prefixes / sizeof prefixes[0]; i++) {
        walked w = start_with("t", (oras_walk_options){.prefix = prefixes[i]});

        assert_null(w.walk);
        assert_string_equal(w.err.class_name, "usage");
    }
    assert_string_equal(start_with("t/f", (oras_walk_options){.prefix = ""}).err.class_name,
                        "usage");
}

static void test_again_from_the_start(void **state)
{
    walked w;

    (void)state;
    put("t/a/b/c", "");
    w = start("t");
    for (int i = 0; i < 3; i++) {
        expect_step(&w, "t");
        expect_step(&w, "t/a");
        expect_step(&w, "t/a/b");
        oras_walk_restart(w.walk);
    }
    oras_walk_free(w.walk);
}

static void test_hard_links_are_files_each(void **state)
{
    walked w;

    (void)state;
    put("t/a", "text");
    assert_int_equal(link("t/a", "t/b"), 0);
    w = start("t");
    expect_step(&w, "t");
    expect_step(&w, "t/a");
    assert_int_equal(w.entry.st.st_size, 4);
    expect_step(&w, "t/b");
    assert_int_equal(w.entry.st.st_size, 4);
    assert_true(w.entry.fd >= 0);
    expect_end(&w);
}

/* --- many names ------------------------------------------------------------------------------ */

static void put_numbered(const char *dir, int n, int width)
{
    char path[512];

    for (int i = 0; i < n; i++) {
        snprintf(path, sizeof path, "%s/%0*d", dir, width, (i * 7919) % n);
        put_bytes(path, "", 0);
    }
}

static void test_names_come_in_order_through_a_small_window(void **state)
{
    oras_names names = {.n = 0};
    oras_error err = ORAS_ERROR_INIT;
    char last[300] = "";
    int n = 0, n_reads = 0, dir;

    (void)state;
    put_numbered("t", 1000, 20);
    dir = open("t", O_RDONLY | O_DIRECTORY);
    do {
        const oras_name *name;

        assert_int_equal(oras_names_read(&names, dir, last, 3000, &never, "t", &err), ORAS_OK);
        assert_true(names.bytes.size <= 3000);
        n_reads++;
        while ((name = oras_names_next(&names)) != NULL) {
            assert_int_equal(atoi(name->text), n++);
            snprintf(last, sizeof last, "%s", name->text);
        }
    } while (!names.complete);
    assert_int_equal(n, 1000);
    assert_true(n_reads > 5);
    oras_names_dispose(&names);
    close(dir);
}

/* More names than are held: of one directory, and of two within each other. */
static void test_trees_with_more_names_than_are_held(void **state)
{
    const int n_outer = 17000, n_inner = 8400;
    char last[600] = "";
    walked w;
    int n = 0;

    (void)state;
    put_numbered("t", n_outer, 250);
    put_numbered("t/00/in", n_inner, 250);
    w = start("t");
    while (step(&w) == ORAS_OK && !w.ended) {
        assert_true(strcmp(last, w.entry.name) < 0);
        snprintf(last, sizeof last, "%s", w.entry.name);
        n++;
    }
    assert_int_equal(n, n_outer + n_inner + 3);
    expect_end(&w);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, tree_set_up, tree_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_depth_first_by_bytes_parents_first),
        TEST(test_names_in_the_archive),
        TEST(test_a_link_that_was_named_is_followed),
        TEST(test_names_that_cannot_be),
        TEST(test_again_from_the_start),
        TEST(test_hard_links_are_files_each),
        TEST(test_names_come_in_order_through_a_small_window),
        TEST(test_trees_with_more_names_than_are_held),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
