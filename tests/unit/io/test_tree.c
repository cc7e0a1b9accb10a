/* SPDX-License-Identifier: MIT
 * Archives that are as they should be, become directories. */
#define _GNU_SOURCE
#include "cmocka_c11.h"
#include "io/remove.h"
#include "io/rename.h"
#include "io/root.h"
#include "unpack_help.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define ROOM 128

static void in_root(const place *p, const char *name, char path[ROOM])
{
    snprintf(path, ROOM, "%s/%s/%s", p->path, "root", name);
}

static oras_buf empty_buf(void)
{
    return (oras_buf)ORAS_BUF_INIT(SIZE_MAX - 1);
}

static void put_dir(oras_buf *tar, const char *name, unsigned mode)
{
    put_header(tar, &(tar_fields){.name = name, .type = '5', .mode = mode});
}

static void put_link(oras_buf *tar, const char *name, char type, const char *target)
{
    put_header(tar, &(tar_fields){.name = name, .type = type, .linkname = target});
}

/* A small tree of all that is made by default. */
static oras_buf small_tree(void)
{
    oras_buf tar = empty_buf();

    put_dir(&tar, "a/", 0755);
    put_file(&tar, "a/one", "1");
    put_file(&tar, "a/b/c/deep", "deep"); /* no entries of their own for a/b and a/b/c */
    put_file(&tar, "top", "top");
    put_link(&tar, "a/hard", '1', "a/one");
    put_dir(&tar, "empty", 0700);
    put_file(&tar, "a/two", "");
    put_end(&tar);
    return tar;
}

#define SMALL                                                                                      \
    "d 755 out\nd 755 out/a\nd 755 out/a/b\nd 755 out/a/b/c\nf 644 out/a/b/c/deep = deep\n"        \
    "f 644 out/a/hard (2) = 1\nf 644 out/a/one (2) = 1\nf 644 out/a/two = \nd 700 out/empty\n"     \
    "f 644 out/top = top\n"

static void test_tree_is_made(void **state)
{
    oras_buf tar = small_tree();

    expect_unpacked(*state, &tar, SMALL);
    oras_buf_dispose(&tar);
}

static void test_every_packing(void **state)
{
    void (*const pack[])(const void *, size_t, oras_buf *) = {pack_gzip, pack_zstd, pack_bzip2};
    oras_packing packings[] = {ORAS_PACKING_GZIP, ORAS_PACKING_ZSTD, ORAS_PACKING_BZIP2};
    oras_buf tar = small_tree();

    for (int i = 0; i < 3; i++) {
        oras_buf packed = empty_buf();
        char path[8];
        unpacking how = {.target = {.path = path, .packing = packings[i]}};

        snprintf(path, sizeof path, "p%d", i);
        pack[i](tar.data, tar.size, &packed);
        for (how.chunk = 1; how.chunk < 40000; how.chunk *= 199) {
            oras_error err = ORAS_ERROR_INIT;

            how.target.overwrite = how.chunk > 1;
            if (unpack(*state, &packed, &how, &err))
                fail_msg("%s", err.message);
        }
        oras_buf_dispose(&packed);
    }
    oras_buf_dispose(&tar);
}

/* More than all blocks of both rings hold, with files across their borders. */
static void test_big_tree(void **state)
{
    place *p = *state;
    oras_buf tar = empty_buf(), packed = empty_buf();
    size_t size = 3 * 1024 * 1024 + 7;
    char *bytes = malloc(size);
    unpacking how = {.check_content = false};
    oras_error err = ORAS_ERROR_INIT;
    struct stat st;

    for (size_t i = 0; i < size; i++)
        bytes[i] = (char)(i * 31 + i / 251);
    for (int i = 0; i < 5; i++) {
        char name[16];

        snprintf(name, sizeof name, "f%d", i);
        put_header(&tar, &(tar_fields){.name = name, .size = (int64_t)size});
        put_data(&tar, bytes, size);
    }
    put_end(&tar);
    pack_gzip(tar.data, tar.size, &packed);
    assert_int_equal(unpack(p, &packed, &how, &err), ORAS_OK);
    how.check_content = true;
    how.target.overwrite = true;
    assert_int_equal(unpack(p, &tar, &how, &err), ORAS_OK);
    assert_int_equal(fstatat(p->root, "out/f4", &st, 0), 0);
    assert_int_equal(st.st_size, size);
    free(bytes);
    oras_buf_dispose(&packed);
    oras_buf_dispose(&tar);
}

static void test_prefix_is_dropped(void **state)
{
    place *p = *state;
    unpacking how = {.target = {.prefix = "x/y"}};
    oras_error err = ORAS_ERROR_INIT;
    oras_buf tar = empty_buf(), other = empty_buf();

    put_dir(&tar, "x/y", 0711);
    put_file(&tar, "./x/y/f", "f");
    put_link(&tar, "x/y/h", '1', "x/y/f");
    put_end(&tar);
    assert_int_equal(unpack(p, &tar, &how, &err), ORAS_OK);
    expect_root(p, "d 711 out\nf 644 out/f (2) = f\nf 644 out/h (2) = f\n");

    /* an archive that begins elsewhere has no such name: all of it is the tree */
    put_file(&other, "z", "z");
    put_file(&other, "x/y/f", "f");
    put_end(&other);
    how.target.path = "o2";
    assert_int_equal(unpack(p, &other, &how, &err), ORAS_OK);
    expect_root(p, "d 755 o2\nd 755 o2/x\nd 755 o2/x/y\nf 644 o2/x/y/f = f\nf 644 o2/z = z\n"
                   "d 711 out\nf 644 out/f (2) = f\nf 644 out/h (2) = f\n");
    oras_buf_dispose(&tar);
    oras_buf_dispose(&other);
}

static void test_prefix_is_for_all_or_none(void **state)
{
    unpacking how = {.target = {.prefix = "x"}};
    oras_buf tar = empty_buf(), hard = empty_buf();

    put_file(&tar, "x/f", "f");
    put_file(&tar, "xx", "f");
    put_end(&tar);
    expect_refused(*state, &tar, &how, "path", "outside 'x'");
    put_file(&hard, "x/f", "f");
    put_link(&hard, "x/g", '1', "f");
    put_end(&hard);
    expect_refused(*state, &hard, &how, "path", "outside the archive's tree");
    oras_buf_dispose(&tar);
    oras_buf_dispose(&hard);
}

static void test_C26_modes(void **state)
{
    oras_buf tar = empty_buf();

    put_dir(&tar, ".", 02777);
    put_header(&tar, &(tar_fields){.name = "setid", .mode = 07777});
    put_header(&tar, &(tar_fields){.name = "all", .mode = 0777});
    put_header(&tar, &(tar_fields){.name = "private", .mode = 0600, .mtime = INT64_C(1) << 32});
    put_header(&tar, &(tar_fields){.name = "read", .mode = 0444});
    put_file(&tar, "sticky/f", "f");
    put_dir(&tar, "sticky", 01777); /* its entry comes behind */
    put_dir(&tar, "closed", 0100);
    put_file(&tar, "closed/f", "f");
    put_end(&tar);
    expect_unpacked(*state, &tar,
                    "d 755 out\nf 755 out/all = \nd 700 out/closed\nf 644 out/closed/f = f\n"
                    "f 600 out/private = \nf 444 out/read = \nf 755 out/setid = \n"
                    "d 755 out/sticky\nf 644 out/sticky/f = f\n");
    oras_buf_dispose(&tar);
}

/* The umask is looked up once a pool, so each has one of its own. */
static void with_umask(place *p, mode_t mask, const char *text)
{
    oras_buf tar = empty_buf();

    put_header(&tar, &(tar_fields){.name = "d/x", .mode = 0777});
    put_dir(&tar, "d", 0777);
    put_end(&tar);
    oras_pool_free(p->pool);
    assert_int_equal(oras_pool_new(2, &p->pool, NULL), ORAS_OK);
    umask(mask);
    expect_unpacked(p, &tar, text);
    umask(022);
    assert_int_equal(oras_remove_tree(p->root, "out"), 0);
    oras_buf_dispose(&tar);
}

static void test_L12_umask(void **state)
{
    with_umask(*state, 0, "d 755 out\nd 755 out/d\nf 755 out/d/x = \n");
    with_umask(*state, 077, "d 700 out\nd 700 out/d\nf 700 out/d/x = \n");
    with_umask(*state, 027, "d 750 out\nd 750 out/d\nf 750 out/d/x = \n");
}

static void test_W11_modes_exactly_as_the_archive_has_them(void **state)
{
    place *p = *state;
    unpacking how = {.target = {.exact = true}};
    oras_error err = ORAS_ERROR_INIT;
    oras_buf tar = empty_buf();

    put_dir(&tar, ".", 0777);
    put_header(&tar, &(tar_fields){.name = "d/x", .mode = 07777});
    put_dir(&tar, "d", 02775); /* its entry comes behind */
    put_dir(&tar, "e", 0477);
    put_header(&tar, &(tar_fields){.name = "e/read", .mode = 0462});
    put_end(&tar);
    oras_pool_free(p->pool);
    assert_int_equal(oras_pool_new(2, &p->pool, NULL), ORAS_OK);
    umask(077);
    assert_int_equal(unpack(p, &tar, &how, &err), ORAS_OK);
    umask(022);
    expect_root(p, "d 777 out\nd 775 out/d\nf 777 out/d/x = \nd 777 out/e\nf 462 out/e/read = \n");
    oras_buf_dispose(&tar);
}

static void test_links_by_option(void **state)
{
    place *p = *state;
    unpacking how = {.target = {.links = true}};
    oras_error err = ORAS_ERROR_INIT;
    oras_buf tar = empty_buf();

    put_file(&tar, "a/f", "f");
    put_link(&tar, "a/same", '2', "f");
    put_link(&tar, "up", '2', "a/./f");
    put_link(&tar, "a/b/back", '2', "../../a/f");
    put_link(&tar, "later", '2', "missing/");
    put_end(&tar);
    assert_int_equal(unpack(p, &tar, &how, &err), ORAS_OK);
    expect_root(p, "d 755 out\nd 755 out/a\nd 755 out/a/b\nl out/a/b/back -> ../../a/f\n"
                   "f 644 out/a/f = f\nl out/a/same -> f\nl out/later -> missing/\n"
                   "l out/up -> a/./f\n");
    oras_buf_dispose(&tar);
}

/* --- where something is already --- */

static void test_L08_merge(void **state)
{
    place *p = *state;
    unpacking how = {.target = {.overwrite = true}};
    oras_error err = ORAS_ERROR_INIT;
    oras_buf tar = small_tree();

    put_at(p, "root/out/a/one", "old");
    put_at(p, "root/out/a/kept", "kept");
    put_at(p, "root/out/other/kept", "kept");
    assert_int_equal(unpack(p, &tar, &how, &err), ORAS_OK);
    expect_root(p,
                "d 755 out\nd 755 out/a\nd 755 out/a/b\nd 755 out/a/b/c\n"
                "f 644 out/a/b/c/deep = deep\nf 644 out/a/hard (2) = 1\nf 644 out/a/kept = kept\n"
                "f 644 out/a/one (2) = 1\nf 644 out/a/two = \nd 700 out/empty\n"
                "d 755 out/other\nf 644 out/other/kept = kept\nf 644 out/top = top\n");
    assert_int_equal(unpack(p, &tar, &how, &err), ORAS_OK); /* once more: the same */
    how.target.overwrite = false;
    expect_refused(p, &tar, &how, "exists", "'out' exists already");
    oras_buf_dispose(&tar);
}

static void test_L08_into_the_root_itself(void **state)
{
    place *p = *state;
    unpacking how = {.target = {.path = ".", .overwrite = false}};
    oras_error err = ORAS_ERROR_INIT;
    oras_buf tar = empty_buf();

    put_file(&tar, "a/f", "f");
    put_end(&tar);
    put_at(p, "root/a/old", "old");
    assert_int_equal(unpack(p, &tar, &how, &err), ORAS_OK);
    expect_root(p, "d 755 a\nf 644 a/f = f\nf 644 a/old = old\n");
    expect_refused(p, &tar, &how, "exists", "'./a/f' exists already");
    oras_buf_dispose(&tar);
}

/* Nothing moves when one thing cannot. */
static void test_L08_conflicts_of_kinds(void **state)
{
    place *p = *state;
    unpacking how = {.target = {.overwrite = true}};
    oras_buf tar = small_tree();
    char path[ROOM];

    put_at(p, "root/out/top/file", "in a directory");
    expect_refused(p, &tar, &how, "exists", "'out/top' exists and is no regular file");
    put_at(p, "root/o2/a/b", "a file");
    how.target.path = "o2";
    expect_refused(p, &tar, &how, "exists", "'o2/a/b' exists and is no directory");
    put_at(p, "root/o3", "a file");
    how.target.path = "o3";
    expect_refused(p, &tar, &how, "exists", "'o3' exists and is no directory");
    put_at(p, "root/o4/x", "x");
    in_root(p, "o4/top", path);
    assert_int_equal(mkfifo(path, 0600), 0);
    how.target.path = "o4";
    expect_refused(p, &tar, &how, "path", "'o4/top' is no regular file or directory");
    oras_buf_dispose(&tar);
}

static void test_C18_links_where_it_should_go(void **state)
{
    place *p = *state;
    unpacking how = {.target = {.overwrite = true}};
    oras_buf tar = small_tree();
    char path[ROOM];

    in_root(p, "out", path);
    assert_int_equal(symlink("../out", path), 0); /* to a canary */
    expect_refused(p, &tar, &how, "path", "'out' is a symbolic link");
    how.target.path = "out/below";
    expect_refused(p, &tar, &how, "path", "out");
    put_at(p, "root/o2/x", "x");
    in_root(p, "o2/a", path);
    assert_int_equal(symlink("../../out", path), 0);
    how.target.path = "o2";
    expect_refused(p, &tar, &how, "path", "'o2/a' is a symbolic link");
    in_root(p, "o3", path);
    assert_int_equal(mkdir(path, 0755), 0);
    in_root(p, "o3/top", path);
    assert_int_equal(symlink("../../canary", path), 0);
    how.target.path = "o3";
    expect_refused(p, &tar, &how, "path", "'o3/top' is a symbolic link");
    oras_buf_dispose(&tar);
}

/* As on an old kernel, or where a filter forbids the calls (L10). */
static int without_new_calls(void **state)
{
    (void)state;
    oras_root_force_walk(true);
    oras_rename_force_fallback(true);
    return 0;
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, place_set_up, place_tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_tree_is_made),
        TEST(test_every_packing),
        TEST(test_big_tree),
        TEST(test_prefix_is_dropped),
        TEST(test_prefix_is_for_all_or_none),
        TEST(test_C26_modes),
        TEST(test_L12_umask),
        TEST(test_W11_modes_exactly_as_the_archive_has_them),
        TEST(test_links_by_option),
        TEST(test_L08_merge),
        TEST(test_L08_into_the_root_itself),
        TEST(test_L08_conflicts_of_kinds),
        TEST(test_C18_links_where_it_should_go),
    };

    int failed = cmocka_run_group_tests(tests, NULL, NULL);

    return failed + cmocka_run_group_tests_name("L10 without openat2 and renameat2", tests,
                                                without_new_calls, NULL);
}
