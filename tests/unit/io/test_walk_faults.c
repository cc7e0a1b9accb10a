/* SPDX-License-Identifier: MIT
 * Walks that must not go on: what is refused, and what others change meanwhile. */
#define _GNU_SOURCE
#include "walk_help.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

/* --- what is refused ------------------------------------------------------------------------- */

static void test_L07_what_is_no_file_is_refused_without_waiting(void **state)
{
    (void)state;
    put_fifo("t/fifo");
    put_socket("s/socket");
    put_link("d/zero", "/dev/zero");
    expect_failure_of("t", ORAS_C_PATH, "'t/fifo' is a FIFO");
    expect_failure_of("s", ORAS_C_PATH, "'s/socket' is a socket");
    expect_failure_of("d", ORAS_C_PATH, "'d/zero' points to '/dev/zero'");
}

static void test_L07_what_is_named_must_be_a_file_or_directory(void **state)
{
    (void)state;
    put_fifo("fifo");
    put_socket("socket");
    assert_string_equal(start_with("fifo", (oras_walk_options){0}).err.class_name, "path");
    assert_string_equal(start_with("socket", (oras_walk_options){0}).err.class_name, "path");
    assert_string_equal(start_with("/dev/zero", (oras_walk_options){0}).err.class_name, "path");
    assert_string_equal(start_with("nothing", (oras_walk_options){0}).err.class_name, "io");
    assert_string_equal(start_with("", (oras_walk_options){0}).err.class_name, "io");
}

static void test_links_stay_in_the_tree(void **state)
{
    static const char *const inside[] = {"f", "./f",  "..//a/f",  "sub/f",   "..",
                                         ".", "../a", "./../a/.", "nowhere", "..."};
    static const char *const outside[] = {
        "/",           "/etc/passwd", "../..",       "../../x",  "a/../../../b",
        "../../t/a/f", "..//../x",    "././../../x", "name/../f"}; /* "name" may be a link itself */

    (void)state;
    for (size_t i = 0; i < sizeof inside / sizeof inside[0]; i++) {
        put_link("t/a/l", inside[i]);
        expect_names("t", NULL, "t\nt/a\nt/a/l\n");
        put_away("t/a/l");
    }
    for (size_t i = 0; i < sizeof outside / sizeof outside[0]; i++) {
        put_link("t/a/l", outside[i]);
        expect_failure_of("t", ORAS_C_PATH, "symbolic link 't/a/l'");
        put_away("t/a/l");
    }
}

static void test_limits(void **state)
{
    char path[2 * ORAS_WALK_MAX_DEPTH + 8] = "t";
    walked w;

    (void)state;
    put("few/a", "");
    put("few/b", "");
    w = start_with("few", (oras_walk_options){.max_entries = 2});
    expect_step(&w, "few");
    expect_step(&w, "few/a");
    expect_failed_step(&w, ORAS_C_LIMIT, "more than 2 entries");
    for (int i = 1; i < ORAS_WALK_MAX_DEPTH; i++)
        strncat(path, "/d", 3);
    put_dir(path);
    w = start("t");
    while (step(&w) == ORAS_OK && !w.ended)
        ;
    expect_end(&w);
    strncat(path, "/f", 3);
    put(path, "");
    expect_failure_of("t", ORAS_C_LIMIT, "nested deeper");
}

static void test_what_may_not_be_read(void **state)
{
    (void)state;
    put("f/secret", "");
    put("d/dir/file", "");
    assert_int_equal(chmod("f/secret", 0), 0);
    assert_int_equal(chmod("d/dir", 0), 0);
    drop_root();
    expect_failure_of("f", ORAS_C_IO, "'f/secret': Permission denied");
    expect_failure_of("d", ORAS_C_IO, "'d/dir': Permission denied");
    assert_string_equal(start_with("d/dir", (oras_walk_options){0}).err.class_name, "io");
    regain_root();
}

static void test_L05_no_descriptor_is_left(void **state)
{
    struct rlimit old, low;
    walked w;

    (void)state;
    put("t/a/b/c/d/e/f", "");
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
    w = start("t");
    low = old;
    low.rlim_cur = (rlim_t)dup(0) + 3;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
    while (step(&w) == ORAS_OK)
        assert_false(w.ended);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
    assert_string_equal(w.err.class_name, "io");
    assert_non_null(strstr(w.err.message, "Too many open files"));
    oras_walk_free(w.walk);
}

/* --- what changes meanwhile ------------------------------------------------------------------ */

static walked start_at_a(void)
{
    walked w;

    put("t/a", "");
    put("t/b/x", "");
    put("t/c", "text");
    w = start("t");
    expect_step(&w, "t");
    expect_step(&w, "t/a");
    return w;
}

static void test_L06_a_directory_that_vanishes(void **state)
{
    walked w = start_at_a();

    (void)state;
    put_away("t/b");
    expect_failed_step(&w, ORAS_C_CONTENT, "'t/b' changed");
}

static void test_L06_a_directory_that_becomes_a_link(void **state)
{
    walked w = start_at_a();

    (void)state;
    put_away("t/b");
    put("outside/x", "secret");
    put_link("t/b", "../outside");
    expect_failed_step(&w, ORAS_C_CONTENT, "'t/b' changed");
}

static void test_a_directory_that_moves_is_walked_where_it_is(void **state)
{
    walked w = start_at_a();

    (void)state;
    expect_step(&w, "t/b");
    assert_int_equal(rename("t/b", "elsewhere"), 0);
    put("t/b/x", "another");
    expect_step(&w, "t/b/x");
    assert_int_equal(w.entry.st.st_size, 0);
    expect_step(&w, "t/c");
    expect_failed_step(&w, ORAS_C_CONTENT, "'t' changed");
}

static void test_L06_files_that_become_something_else(void **state)
{
    static void (*const makers[])(const char *) = {put_fifo, put_socket, put_dir};
    walked w;

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        w = start_at_a();
        expect_step(&w, "t/b");
        expect_step(&w, "t/b/x");
        put_away("t/c");
        makers[i]("t/c");
        expect_failed_step(&w, ORAS_C_CONTENT, "'t/c' changed");
        put_away("t");
    }
    w = start_at_a();
    expect_step(&w, "t/b");
    expect_step(&w, "t/b/x");
    put_away("t/c");
    put_link("t/c", "/etc/passwd");
    expect_failed_step(&w, ORAS_C_CONTENT, "'t/c' changed");
}

static void test_L06_a_directory_that_gets_another_entry(void **state)
{
    walked w = start_at_a();

    (void)state;
    expect_step(&w, "t/b");
    put("t/b/later", "");
    expect_step(&w, "t/b/later");
    expect_step(&w, "t/b/x");
    expect_failed_step(&w, ORAS_C_CONTENT, "'t/b' changed");
}

static void touch(const char *path)
{
    struct timespec times[2] = {{1, 0}, {1, 0}};

    assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
}

static void test_L06_files_are_looked_at_again(void **state)
{
    walked w = start_at_a();

    (void)state;
    expect_step(&w, "t/b");
    expect_step(&w, "t/b/x");
    expect_step(&w, "t/c");
    assert_int_equal(oras_walk_check_file(&w.entry, &w.err), ORAS_OK);
    touch("t/c");
    assert_int_equal(oras_walk_check_file(&w.entry, &w.err), oras_class_code(ORAS_C_CONTENT));
    assert_string_equal(w.err.message, "'t/c' changed while it was packed");
    oras_walk_free(w.walk);
}

static void test_stops_when_told(void **state)
{
    atomic_bool stop = true;
    walked w = {.err = ORAS_ERROR_INIT};

    (void)state;
    put("t/f", "");
    assert_int_equal(
        oras_walk_new("t", &(oras_walk_options){.prefix = "", .stop = &stop}, &w.walk, &w.err),
        ORAS_OK);
    expect_failed_step(&w, ORAS_C_CANCELLED, "cancelled");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, tree_set_up, tree_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_L07_what_is_no_file_is_refused_without_waiting),
        TEST(test_L07_what_is_named_must_be_a_file_or_directory),
        TEST(test_links_stay_in_the_tree),
        TEST(test_limits),
        TEST(test_what_may_not_be_read),
        TEST(test_L05_no_descriptor_is_left),
        TEST(test_L06_a_directory_that_vanishes),
        TEST(test_L06_a_directory_that_becomes_a_link),
        TEST(test_a_directory_that_moves_is_walked_where_it_is),
        TEST(test_L06_files_that_become_something_else),
        TEST(test_L06_a_directory_that_gets_another_entry),
        TEST(test_L06_files_are_looked_at_again),
        TEST(test_stops_when_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
