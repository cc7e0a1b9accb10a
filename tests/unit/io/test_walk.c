/* SPDX-License-Identifier: MIT
 * Trees as they are walked: in which order, what is refused, and what is noticed when others
 * change them meanwhile. */
#define _GNU_SOURCE
#include "tree_help.h"

#include "io/walk.h"
#include "io/walk_names.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

static atomic_bool never;

typedef struct walked {
    oras_walk *walk;
    oras_walk_entry entry;
    bool ended;
    oras_error err;
} walked;

static walked start_with(const char *path, oras_walk_options options)
{
    walked w = {.err = ORAS_ERROR_INIT};

    options.stop = &never;
    if (oras_walk_new(path, &options, &w.walk, &w.err))
        w.walk = NULL;
    return w;
}

static walked start(const char *path)
{
    walked w = start_with(path, (oras_walk_options){.prefix = NULL});

    assert_non_null(w.walk);
    return w;
}

static oras_code step(walked *w)
{
    return oras_walk_next(w->walk, &w->entry, &w->ended, &w->err);
}

static void expect_step(walked *w, const char *name)
{
    assert_int_equal(step(w), ORAS_OK);
    assert_false(w->ended);
    assert_string_equal(w->entry.name, name);
}

static void expect_end(walked *w)
{
    assert_int_equal(step(w), ORAS_OK);
    assert_true(w->ended);
    oras_walk_free(w->walk);
}

static void expect_failed_step(walked *w, oras_class class, const char *words)
{
    assert_int_equal(step(w), oras_class_code(class));
    assert_string_equal(w->err.class_name, oras_class_name(class));
    if (!strstr(w->err.message, words))
        fail_msg("'%s' is not in: %s", words, w->err.message);
    oras_walk_free(w->walk);
}

/* The names, one a line, of a walk that succeeds. */
static void expect_names(const char *path, const char *prefix, const char *names)
{
    walked w = start_with(path, (oras_walk_options){.prefix = prefix});
    char text[4096] = "";

    assert_non_null(w.walk);
    while (step(&w) == ORAS_OK && !w.ended) {
        strncat(text, w.entry.name, sizeof text - strlen(text) - 2);
        strncat(text, "\n", 2);
    }
    assert_string_equal(text, names);
    expect_end(&w);
}

/* Expect a walk that fails somewhere. */
static void expect_failure(const char *path, oras_class class, const char *words)
{
    walked w = start(path);

    while (step(&w) == ORAS_OK)
        assert_false(w.ended);
    assert_string_equal(w.err.class_name, oras_class_name(class));
    if (!strstr(w.err.message, words))
        fail_msg("'%s' is not in: %s", words, w.err.message);
    oras_walk_free(w.walk);
}

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

/* --- what is refused ------------------------------------------------------------------------- */

static void test_L07_what_is_no_file_is_refused_without_waiting(void **state)
{
    (void)state;
    put_fifo("t/fifo");
    put_socket("s/socket");
    put_link("d/zero", "/dev/zero");
    expect_failure("t", ORAS_C_PATH, "'t/fifo' is a FIFO");
    expect_failure("s", ORAS_C_PATH, "'s/socket' is a socket");
    expect_failure("d", ORAS_C_PATH, "'d/zero' points to '/dev/zero'");
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
    static const char *const inside[] = {"f", "./f",  "../t2/..//a/f", "sub/../f", "..",
                                         ".", "../a", "nowhere",       "..."};
    static const char *const outside[] = {"/",        "/etc/passwd",  "../..",
                                          "../../x",  "a/../../../b", "../../t/a/f",
                                          "..//../x", "././../../x"};

    (void)state;
    for (size_t i = 0; i < sizeof inside / sizeof inside[0]; i++) {
        put_link("t/a/l", inside[i]);
        expect_names("t", NULL, "t\nt/a\nt/a/l\n");
        put_away("t/a/l");
    }
    for (size_t i = 0; i < sizeof outside / sizeof outside[0]; i++) {
        put_link("t/a/l", outside[i]);
        expect_failure("t", ORAS_C_PATH, "symbolic link 't/a/l'");
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
    expect_failure("t", ORAS_C_LIMIT, "nested deeper");
}

static void test_what_may_not_be_read(void **state)
{
    (void)state;
    put("f/secret", "");
    put("d/dir/file", "");
    assert_int_equal(chmod("f/secret", 0), 0);
    assert_int_equal(chmod("d/dir", 0), 0);
    drop_root();
    expect_failure("f", ORAS_C_IO, "'f/secret': Permission denied");
    expect_failure("d", ORAS_C_IO, "'d/dir': Permission denied");
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
        TEST(test_names_come_in_order_through_a_small_window),
        TEST(test_trees_with_more_names_than_are_held),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
