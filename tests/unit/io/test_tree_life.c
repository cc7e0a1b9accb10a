/* SPDX-License-Identifier: MIT
 * Unpacking that is broken off, fails, meets others or dead processes' leavings. */
#define _GNU_SOURCE
#include "cmocka_c11.h"
#include "io/names.h"
#include "io/partial.h"
#include "io/remove.h"
#include "io/tree_link.h"
#include "unpack_help.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

/* `n` files in `n_dirs` directories, each of `size` bytes. */
static oras_buf many_files(int n_dirs, int n, size_t size)
{
    oras_buf tar = ORAS_BUF_INIT(SIZE_MAX - 1);
    char *bytes = malloc(size + 1);
    char name[32];

    for (size_t i = 0; i < size; i++)
        bytes[i] = (char)(i * 7 + i / 253);
    for (int i = 0; i < n; i++) {
        snprintf(name, sizeof name, "d%d/f%d", i % n_dirs, i);
        put_header(&tar, &(tar_fields){.name = name, .size = (int64_t)size});
        put_data(&tar, bytes, size);
    }
    put_end(&tar);
    free(bytes);
    return tar;
}

static void begin_at(oras_sink *sink, int64_t offset)
{
    int64_t given = -1;
    bool pending = true;

    assert_int_equal(oras_sink_offset(sink, &given, &pending, NULL), ORAS_OK);
    assert_false(pending);
    assert_int_equal(given, offset);
    assert_int_equal(oras_sink_begin(sink, offset, NULL), ORAS_OK);
}

static void test_N03_goes_on_behind_a_break(void **state)
{
    place *p = *state;
    oras_buf tar = many_files(3, 40, 50000);
    unpacking how = {.check_content = true};
    oras_sink *sink = tree_sink(p, &tar, &how);
    size_t first = 777777, second = 300001;

    begin_at(sink, 0);
    assert_int_equal(write_all(sink, tar.data, first, 0, NULL), ORAS_FLOW_OK);
    oras_sink_abort(sink);
    begin_at(sink, (int64_t)first);
    assert_int_equal(write_all(sink, tar.data + first, second, 0, NULL), ORAS_FLOW_OK);
    oras_sink_abort(sink);
    /* N39: the whole again where a part was asked for */
    assert_int_equal(oras_sink_begin(sink, 0, NULL), ORAS_OK);
    assert_int_equal(write_all(sink, tar.data, tar.size, 0, NULL), ORAS_FLOW_OK);
    assert_int_equal(finish_sink(sink, NULL), ORAS_OK);
    oras_sink_free(sink);
    assert_int_equal(faccessat(p->root, "out/d0/f39", F_OK, 0), 0);
    oras_buf_dispose(&tar);
}

/* Left at any point: nothing stays. */
static void test_abandoned_leaves_nothing(void **state)
{
    place *p = *state;
    oras_buf tar = many_files(7, 100, 9000);

    for (size_t size = 0; size < tar.size; size += 77777) {
        oras_sink *sink = tree_sink(p, &tar, NULL);

        begin_at(sink, 0);
        assert_int_equal(write_all(sink, tar.data, size, 0, NULL), ORAS_FLOW_OK);
        if (size % 2)
            oras_sink_remove_partial(sink);
        oras_sink_free(sink);
        expect_root(p, "");
    }
    oras_buf_dispose(&tar);
}

/* So many that they are removed while others go on; the end of the pool waits for it. */
static void test_many_are_removed_later(void **state)
{
    place *p = *state;
    oras_buf tar = many_files(5, 6000, 1);
    oras_sink *sink = tree_sink(p, &tar, NULL);
    oras_error err = ORAS_ERROR_INIT;

    begin_at(sink, 0);
    assert_int_equal(write_all(sink, tar.data, tar.size - 1024, 0, &err), ORAS_FLOW_OK);
    oras_sink_free(sink);
    oras_pool_free(p->pool);
    expect_root(p, "");
    assert_int_equal(oras_pool_new(2, &p->pool, NULL), ORAS_OK);
    oras_buf_dispose(&tar);
}

/* --- disks ---------------------------------------------------------------------------------------
 */

static void limit_file_size(rlim_t most)
{
    struct rlimit limit;

    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = most ? most : limit.rlim_max;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

/* What no disk has room for: class io, and nothing is left. */
static void test_L01_write_fails(void **state)
{
    place *p = *state;
    oras_buf tar = many_files(1, 3, 100000);
    oras_error err = ORAS_ERROR_INIT;

    signal(SIGXFSZ, SIG_IGN);
    limit_file_size(65536);
    assert_int_not_equal(unpack(p, &tar, NULL, &err), ORAS_OK);
    limit_file_size(0);
    signal(SIGXFSZ, SIG_DFL);
    assert_string_equal(err.class_name, "io");
    assert_int_equal(err.native, EFBIG);
    assert_non_null(strstr(err.message, "'d0/f0'"));
    expect_root(p, "");
    oras_buf_dispose(&tar);
}

/* --- leavings of the dead ------------------------------------------------------------------------
 */

static void test_L09_dead_trees_are_swept(void **state)
{
    place *p = *state;
    oras_buf tar = many_files(1, 1, 1);
    oras_error err = ORAS_ERROR_INIT;
    char name[ORAS_PARTIAL_NAME_MAX];
    int fd = -1;

    put_at(p, "root/.oras-partial-tree-1/a/b/c", "left");
    put_at(p, "root/.oras-partial-own-1", "left");
    put_at(p, "root/.oras-partial-tree-file", "no directory");
    put_at(p, "root/.oras-partially", "not ours");
    assert_int_equal(oras_partial_tree(p->root, "root", name, &fd, &err), ORAS_OK); /* in use */
    assert_int_equal(unpack(p, &tar, NULL, &err), ORAS_OK);
    assert_int_not_equal(faccessat(p->root, ".oras-partial-tree-1", F_OK, 0), 0);
    assert_int_not_equal(faccessat(p->root, ".oras-partial-own-1", F_OK, 0), 0);
    assert_int_equal(faccessat(p->root, ".oras-partially", F_OK, 0), 0);
    assert_int_equal(faccessat(p->root, name, F_OK, 0), 0);
    close(fd);
    oras_partial_sweep_at(p->root);
    assert_int_not_equal(faccessat(p->root, name, F_OK, 0), 0);
    oras_buf_dispose(&tar);
}

/* Deeper than descriptors or stack would reach, with links outward, unreadable ones, names that
 * removal itself gives. */
static void test_removal(void **state)
{
    place *p = *state;
    int dir;

    put_at(p, "root/t/0/x", "x");
    put_at(p, "root/t/1/0/x", "x");
    put_at(p, "root/t/1/1/0/y", "y");
    put_at(p, "root/t/2", "a file");
    dir = openat(p->root, "t", O_RDONLY | O_DIRECTORY);
    assert_true(dir >= 0);
    assert_int_equal(symlinkat("../../out", dir, "link"), 0);
    for (int i = 0; i < 3000; i++) {
        int next;

        assert_int_equal(mkdirat(dir, "deep", 0700), 0);
        next = openat(dir, "deep", O_RDONLY | O_DIRECTORY);
        assert_true(next >= 0);
        close(dir);
        dir = next;
    }
    assert_int_equal(symlinkat("../../../out", dir, "link"), 0);
    close(dir);
    assert_int_equal(oras_remove_tree(p->root, "t"), 0);
    expect_root(p, "");
    assert_int_equal(oras_remove_tree(p->root, "t"), -1);
    assert_int_equal(errno, ENOENT);
    assert_int_equal(symlinkat("../out", p->root, "l"), 0);
    assert_int_equal(oras_remove_tree(p->root, "l"), 0); /* the link, not what it leads to */
    expect_root(p, "");
}

/* --- others --------------------------------------------------------------------------------------
 */

static void test_L11_two_at_one_target(void **state)
{
    place *p = *state;
    oras_buf tar = many_files(2, 10, 100);
    unpacking how = {.target = {.overwrite = false}};
    oras_sink *one = tree_sink(p, &tar, &how), *two = tree_sink(p, &tar, &how);
    oras_error err = ORAS_ERROR_INIT;

    begin_at(one, 0);
    begin_at(two, 0);
    assert_int_equal(write_all(one, tar.data, tar.size, 0, NULL), ORAS_FLOW_OK);
    assert_int_equal(write_all(two, tar.data, tar.size, 0, NULL), ORAS_FLOW_OK);
    assert_int_equal(finish_sink(one, &err), ORAS_OK);
    assert_int_not_equal(finish_sink(two, &err), ORAS_OK);
    assert_string_equal(err.class_name, "exists");
    oras_sink_free(one);
    oras_sink_free(two);
    assert_int_equal(oras_remove_tree(p->root, "out"), 0);
    expect_root(p, "");
    oras_buf_dispose(&tar);
}

typedef struct racer {
    int root;
    atomic_bool stop;
    long n_swaps;
} racer;

/* Exchange a directory for a link to the canaries and back, wherever there is one named "d0". */
static void swap(int dir)
{
    if (renameat2(dir, "d0", dir, "aside", RENAME_NOREPLACE) != 0)
        return;
    if (symlinkat("../../out", dir, "d0") == 0)
        unlinkat(dir, "d0", 0);
    renameat2(dir, "aside", dir, "d0", RENAME_NOREPLACE);
}

static void swap_in_partials(racer *r)
{
    int fd = openat(r->root, ".", O_RDONLY | O_DIRECTORY);
    DIR *stream = fdopendir(fd);
    const struct dirent *entry;

    while ((entry = readdir(stream))) {
        int dir = openat(fd, entry->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);

        if (entry->d_name[0] == '.' && entry->d_name[1] == 'o' && dir >= 0)
            swap(dir);
        if (dir >= 0)
            close(dir);
    }
    closedir(stream);
}

static void *race(void *ud)
{
    racer *r = ud;

    while (!atomic_load(&r->stop)) {
        int dir = openat(r->root, "out", O_RDONLY | O_DIRECTORY | O_NOFOLLOW);

        if (dir >= 0) {
            swap(dir);
            close(dir);
        }
        swap_in_partials(r);
        r->n_swaps++;
    }
    return NULL;
}

/* The way to a file is exchanged for a link while it is walked.
 * Whatever the outcome, the canaries stay as they are. */
static void test_CVE_2020_27833_CVE_2025_47290_racer_swaps_directories(void **state)
{
    place *p = *state;
    const char *rounds = getenv("ORAS_RACES");
    oras_buf tar = many_files(2, 6, 10);
    racer r = {.root = p->root};
    pthread_t thread;
    int n_good = 0;

    atomic_init(&r.stop, false);
    assert_int_equal(pthread_create(&thread, NULL, race, &r), 0);
    for (int i = 0; i < (rounds ? (int)strtol(rounds, NULL, 10) : 500); i++) {
        unpacking how = {.target = {.overwrite = true}};
        oras_error err = ORAS_ERROR_INIT;

        n_good += unpack(p, &tar, &how, &err) == ORAS_OK;
        if (i % 5 == 0)
            oras_remove_tree(p->root, "out");
    }
    atomic_store(&r.stop, true);
    pthread_join(thread, NULL);
    assert_true(n_good > 0);
    assert_true(r.n_swaps > 0);
    oras_buf_dispose(&tar);
}

/* --- parts ---------------------------------------------------------------------------------------
 */

static void test_names(void **state)
{
    oras_names *names, *any;
    oras_name_kind before;
    char name[64];

    (void)state;
    assert_int_equal(oras_names_new(false, &names, NULL), ORAS_OK);
    assert_int_equal(oras_names_new(true, &any, NULL), ORAS_OK);
    for (int i = 0; i < 20000; i++) {
        int n =
            snprintf(name, sizeof name, "Dir%d/%.*s", i, i % 30, "abcdefghijklmnopqrstuvwxyz[@`{");

        assert_int_equal(oras_names_take(names, name, (size_t)n, ORAS_NAME_FILE, &before, NULL), 0);
        assert_int_equal(before, ORAS_NAME_FREE);
        assert_int_equal(oras_names_find(names, name, (size_t)n), ORAS_NAME_FILE);
        name[1] = 'I';
        assert_int_equal(oras_names_find(names, name, (size_t)n), ORAS_NAME_OTHER_CASE);
        assert_int_equal(oras_names_find(any, name, (size_t)n), ORAS_NAME_FREE);
    }
    assert_int_equal(oras_names_take(names, "D", 1, ORAS_NAME_DIRECTORY, &before, NULL), 0);
    assert_int_equal(oras_names_take(names, "D", 1, ORAS_NAME_LISTED, &before, NULL), 0);
    assert_int_equal(before, ORAS_NAME_DIRECTORY);
    assert_int_equal(oras_names_find(names, "D", 1), ORAS_NAME_LISTED);
    assert_int_equal(oras_names_take(names, "D", 1, ORAS_NAME_FILE, &before, NULL), 0);
    assert_int_equal(before, ORAS_NAME_LISTED);
    assert_int_equal(oras_names_find(names, "@", 1), ORAS_NAME_FREE);
    oras_names_free(names);
    oras_names_free(any);
}

/* Only letters fold: neighbours of theirs do not, nor do bytes of other alphabets. */
static void test_names_fold_letters_alone(void **state)
{
    oras_names *names;
    oras_name_kind before;
    char name[2] = {0};

    (void)state;
    assert_int_equal(oras_names_new(false, &names, NULL), ORAS_OK);
    for (int c = 1; c < 256; c++) {
        bool is_lower = c >= 'a' && c <= 'z';

        name[0] = (char)c;
        assert_int_equal(oras_names_take(names, name, 1, ORAS_NAME_FILE, &before, NULL), ORAS_OK);
        assert_int_equal(before, is_lower ? ORAS_NAME_OTHER_CASE : ORAS_NAME_FREE);
    }
    oras_names_free(names);
}

static void test_where_links_lead(void **state)
{
    (void)state;
    assert_true(oras_tree_link_stays_inside("l", "f"));
    assert_true(oras_tree_link_stays_inside("a/l", "../f"));
    assert_true(oras_tree_link_stays_inside("a/b/l", ".././/.././f/"));
    assert_true(oras_tree_link_stays_inside("l", "..."));
    assert_true(oras_tree_link_stays_inside("a/l", ".."));
    assert_false(oras_tree_link_stays_inside("l", ".."));
    assert_false(oras_tree_link_stays_inside("a/l", "../.."));
    assert_false(oras_tree_link_stays_inside("l", ""));
    assert_false(oras_tree_link_stays_inside("l", "/f"));
    assert_false(oras_tree_link_stays_inside("a/b/l", "c/../f"));
    assert_false(oras_tree_link_stays_inside("a/b/l", "../c/.."));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, place_set_up, place_tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_N03_goes_on_behind_a_break),
        TEST(test_abandoned_leaves_nothing),
        TEST(test_many_are_removed_later),
        TEST(test_L01_write_fails),
        TEST(test_L09_dead_trees_are_swept),
        TEST(test_removal),
        TEST(test_L11_two_at_one_target),
        TEST(test_CVE_2020_27833_CVE_2025_47290_racer_swaps_directories),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_names_fold_letters_alone),
        cmocka_unit_test(test_where_links_lead),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
