/* SPDX-License-Identifier: MIT
 * Layouts that are made, locked, written, staged and packed into a tar, also without memory. */
#include "io/feed.h"
#include "io/layout.h"
#include "io/layout_pack.h"

#include "failing_alloc.h"

#include <dirent.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define INDEX "{\"manifests\":[]}"

static failing_alloc memory = {.n_before_failure = -1};
static char place[] = "/tmp/oras-layout-write-XXXXXX";
static char data[700000];
static oras_digest hello, wide, big;

static void run(const char *command)
{
    assert_int_equal(system(command), 0);
}

static int set_up(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (char)(i * i >> 7);
    assert_int_equal(oras_digest_of(ORAS_SHA256, "hello", 5, &hello, NULL), ORAS_OK);
    assert_int_equal(oras_digest_of(ORAS_SHA512, "hello", 5, &wide, NULL), ORAS_OK);
    assert_int_equal(oras_digest_of(ORAS_SHA256, data, sizeof data, &big, NULL), ORAS_OK);
    assert_non_null(mkdtemp(place));
    return chdir(place);
}

static int tear_down(void **state)
{
    char command[128];

    (void)state;
    snprintf(command, sizeof command, "rm -rf '%s'", place);
    return system(command);
}

static int clear(void **state)
{
    (void)state;
    return system("rm -rf ./* ./.oras-*");
}

static oras_layout *open_layout(const char *path)
{
    oras_layout *layout = NULL;
    oras_error err = ORAS_ERROR_INIT;

    if (oras_layout_open(path, &layout, &err))
        fail_msg("%s", err.message);
    return layout;
}

static oras_layout *make_layout(void)
{
    oras_error err = ORAS_ERROR_INIT;

    if (oras_layout_create("layout", 022, &err))
        fail_msg("%s", err.message);
    return open_layout("layout");
}

static void put_hello(oras_layout *layout, const oras_digest *digest)
{
    assert_int_equal(oras_layout_put(layout, digest, "hello", 5, 022, NULL), ORAS_OK);
}

static void expect_index(oras_layout *layout, const char *text)
{
    oras_buf buf = ORAS_BUF_INIT(1000);

    assert_int_equal(oras_layout_index(layout, &buf, NULL), ORAS_OK);
    assert_string_equal(oras_buf_text(&buf), text);
    oras_buf_dispose(&buf);
}

static void expect_blob(oras_layout *layout, const oras_digest *digest, const void *bytes, size_t n)
{
    static char read_back[sizeof data];
    oras_extent extent;

    assert_int_equal(oras_layout_blob(layout, digest, &extent, NULL), ORAS_OK);
    assert_int_equal(extent.size, n);
    assert_int_equal(pread(extent.fd, read_back, n, extent.offset), n);
    assert_memory_equal(read_back, bytes, n);
    close(extent.fd);
}

static void expect_none(oras_layout *layout, const oras_digest *digest)
{
    oras_extent extent;

    assert_int_equal(oras_layout_blob(layout, digest, &extent, NULL), ORAS_ENOTFOUND);
}

/* --- directories ---------------------------------------------------------------------------- */

static void test_create(void **state)
{
    oras_layout *layout = make_layout();

    (void)state;
    expect_index(layout, "{\"schemaVersion\":2,\"mediaType\":"
                         "\"application/vnd.oci.image.index.v1+json\",\"manifests\":[]}");
    assert_int_equal(oras_layout_write_index(layout, INDEX, sizeof INDEX - 1, 022, NULL), ORAS_OK);
    assert_int_equal(oras_layout_create("layout", 022, NULL), ORAS_OK); /* changes nothing */
    expect_index(layout, INDEX);
    assert_false(oras_layout_is_tar(layout));
    assert_true(oras_layout_is_current(layout));
    run("mv layout old");
    assert_false(oras_layout_is_current(layout));
    oras_layout_free(layout);
}

static void test_create_where_something_is(void **state)
{
    oras_error err = ORAS_ERROR_INIT;

    (void)state;
    run("mkdir mine && touch mine/file && touch file");
    assert_int_equal(oras_layout_create("mine", 022, &err), ORAS_EINVALID);
    assert_string_equal(err.class_name, "content");
    assert_int_equal(oras_layout_create("file", 022, &err), ORAS_EIO);
    run("mkdir link && ln -s ../mine link/blobs");
    assert_int_equal(oras_layout_create("link", 022, &err), ORAS_EINVALID);
    assert_string_equal(err.class_name, "content");
    run("mkdir marked && ln -s ../mine marked/blobs && touch marked/oci-layout");
    assert_int_equal(oras_layout_create("marked", 022, &err), ORAS_EINVALID);
    assert_string_equal(err.class_name, "path");
    run("test \"$(ls mine)\" = file");
}

static void expect_create(const char *path, oras_code code, const char *words)
{
    oras_error err = ORAS_ERROR_INIT;

    if (oras_layout_create(path, 022, &err) != code || (words && !strstr(err.message, words)))
        fail_msg("'%s': '%s', expected '%s'", path, err.message, words ? words : "no error");
}

static void test_create_what_was_begun(void **state)
{
    oras_layout *layout = NULL;

    (void)state;
    run("mkdir -p empty blobs/blobs/sha256 both/blobs/sha256 both/blobs/sha512 && "
        "touch both/.oras-partial-own-1 both/blobs/sha512/.oras-partial-own-1");
    assert_int_equal(oras_layout_open("empty", &layout, NULL), ORAS_ENOTFOUND);
    assert_int_equal(oras_layout_open("both", &layout, NULL), ORAS_ENOTFOUND);
    expect_create("empty", ORAS_OK, NULL);
    expect_create("blobs", ORAS_OK, NULL);
    expect_create("both", ORAS_OK, NULL);
    run("mkdir -p marked && cp both/oci-layout marked && touch marked/mine");
    expect_create("marked", ORAS_OK, NULL);
    run("cmp both/index.json marked/index.json && test -d marked/blobs/sha256");
}

static void test_create_is_not_deceived(void **state)
{
    oras_layout *layout = NULL;

    (void)state;
    run("mkdir -p one/blobs/sha256/deeper two/blobs/other three four/blobs && touch three/blobs && "
        "touch four/index.json");
    expect_create("one", ORAS_EINVALID, "'deeper'");
    expect_create("two", ORAS_EINVALID, "'other'");
    expect_create("three", ORAS_EINVALID, "'blobs'");
    expect_create("four", ORAS_EINVALID, "'index.json'");
    assert_int_equal(oras_layout_open("four", &layout, NULL), ORAS_EINVALID);
    run("test -z \"$(find . -name oci-layout)\"");
}

static void test_lock(void **state)
{
    oras_layout *one = make_layout(), *two = open_layout("layout");
    int first, second;

    (void)state;
    assert_int_equal(oras_layout_try_lock(one, &first, NULL), ORAS_OK);
    assert_true(first >= 0);
    assert_int_equal(oras_layout_try_lock(two, &second, NULL), ORAS_OK);
    assert_int_equal(second, -1);
    assert_int_equal(oras_layout_try_lock(one, &second, NULL), ORAS_OK);
    assert_int_equal(second, -1);
    close(first);
    assert_int_equal(oras_layout_try_lock(two, &second, NULL), ORAS_OK);
    assert_true(second >= 0);
    close(second);
    run("rm layout/oci-layout");
    assert_int_equal(oras_layout_try_lock(one, &first, NULL), ORAS_EIO);
    oras_layout_free(one);
    oras_layout_free(two);
}

static void test_blobs(void **state)
{
    oras_layout *layout = make_layout();
    int64_t age = -1;

    (void)state;
    put_hello(layout, &hello);
    put_hello(layout, &wide);
    expect_blob(layout, &hello, "hello", 5);
    expect_blob(layout, &wide, "hello", 5);
    run("touch -d '2 hours ago' layout/blobs/sha256/*");
    assert_int_equal(oras_layout_age(layout, &hello, &age, NULL), ORAS_OK);
    assert_true(age >= 7199);
    assert_int_equal(oras_layout_touch(layout, &hello, NULL), ORAS_OK);
    assert_int_equal(oras_layout_age(layout, &hello, &age, NULL), ORAS_OK);
    assert_true(age < 7199);
    assert_int_equal(oras_layout_remove(layout, &hello, NULL), ORAS_OK);
    expect_none(layout, &hello);
    assert_int_equal(oras_layout_remove(layout, &hello, NULL), ORAS_ENOTFOUND);
    assert_int_equal(oras_layout_touch(layout, &hello, NULL), ORAS_ENOTFOUND);
    assert_int_equal(oras_layout_age(layout, &big, &age, NULL), ORAS_ENOTFOUND);
    oras_layout_free(layout);
}

static void test_nothing_through_links(void **state)
{
    oras_layout *layout = make_layout();
    oras_error err = ORAS_ERROR_INIT;

    (void)state;
    run("mkdir out && rm -r layout/blobs/sha256 && ln -s ../../out layout/blobs/sha256");
    assert_int_equal(oras_layout_put(layout, &hello, "hello", 5, 022, &err), ORAS_EINVALID);
    assert_string_equal(err.class_name, "path");
    assert_int_equal(oras_layout_remove(layout, &hello, &err), ORAS_EINVALID);
    assert_int_equal(oras_layout_touch(layout, &hello, &err), ORAS_EINVALID);
    run("test -z \"$(ls -A out)\"");
    oras_layout_sweep(layout);
    oras_layout_free(layout);
}

static void test_sweep(void **state)
{
    oras_layout *layout = make_layout();

    (void)state;
    run("touch layout/.oras-partial-own-1 layout/blobs/sha256/.oras-partial-own-2 "
        "layout/blobs/sha256/other");
    oras_layout_sweep(layout);
    run("test -z \"$(find layout -name '.oras-*')\" && test -e layout/blobs/sha256/other");
    oras_layout_free(layout);
}

/* --- sources into blobs --------------------------------------------------------------------- */

static void count(void *ud)
{
    (void)ud;
}

/* The bytes through a feed; what it ends with. */
static oras_feed_step_result pour(oras_sink *sink, const void *bytes, size_t size, oras_error *err)
{
    oras_source *source = NULL;
    oras_feed *feed = NULL;
    oras_feed_step_result result;

    assert_int_equal(oras_source_memory(bytes, size, &source, NULL), ORAS_OK);
    assert_int_equal(oras_feed_new(source, sink, &feed, NULL), ORAS_OK);
    oras_sink_set_notify(sink, (oras_notify){count, NULL});
    do {
        result = oras_feed_step(feed, err);
    } while (result == ORAS_FEED_GO_ON || result == ORAS_FEED_WAIT);
    oras_feed_free(feed);
    oras_source_free(source);
    return result;
}

static void test_sink_finds_its_name(void **state)
{
    static const size_t sizes[] = {0, 5, sizeof data};
    oras_layout *layout = make_layout();
    oras_pool *pool = NULL;

    (void)state;
    assert_int_equal(oras_pool_new(2, &pool, NULL), ORAS_OK);
    for (size_t i = 0; i < 6; i++) {
        size_t size = sizes[i / 2];
        const oras_expect expect = {.size = i % 2 ? (int64_t)size : -1};
        oras_error err = ORAS_ERROR_INIT;
        oras_sink *sink = NULL;
        oras_digest digest;

        assert_int_equal(oras_digest_of(ORAS_SHA256, data, size, &digest, NULL), ORAS_OK);
        assert_int_equal(oras_layout_sink(layout, pool, &expect, true, &sink, NULL), ORAS_OK);
        if (pour(sink, data, size, &err) != ORAS_FEED_DONE)
            fail_msg("%s", err.message);
        assert_true(oras_digest_equal(&oras_sink_expected(sink)->digest, &digest));
        assert_int_equal(oras_sink_expected(sink)->size, size);
        oras_sink_free(sink);
        expect_blob(layout, &digest, data, size);
        assert_int_equal(oras_layout_remove(layout, &digest, NULL), ORAS_OK);
    }
    oras_pool_free(pool);
    oras_layout_free(layout);
}

static void test_sink_checks(void **state)
{
    oras_layout *layout = make_layout();
    oras_pool *pool = NULL;
    oras_expect expects[] = {{.has_digest = true, .digest = hello, .size = -1},
                             {.has_digest = true, .digest = big, .size = sizeof data - 1},
                             {.size = sizeof data + 1}};

    (void)state;
    assert_int_equal(oras_pool_new(2, &pool, NULL), ORAS_OK);
    for (size_t i = 0; i < 3; i++) {
        oras_error err = ORAS_ERROR_INIT;
        oras_sink *sink = NULL;

        assert_int_equal(oras_layout_sink(layout, pool, &expects[i], false, &sink, NULL), ORAS_OK);
        assert_int_equal(pour(sink, data, sizeof data, &err), ORAS_FEED_FAILED);
        assert_string_equal(err.class_name, "integrity");
        oras_sink_free(sink);
        run("test -z \"$(ls -A layout/blobs/sha256)\"");
    }
    oras_pool_free(pool);
    oras_layout_free(layout);
}

/* --- tars ----------------------------------------------------------------------------------- */

static oras_code pack(oras_layout *from, bool replace, oras_error *err)
{
    oras_digest digests[] = {hello, wide};
    oras_layout_pack what = {.path = "a.tar",
                             .replace = replace,
                             .umask = 022,
                             .index = INDEX,
                             .index_size = sizeof INDEX - 1,
                             .layouts = {NULL, from},
                             .digests = digests,
                             .n_digests = 2};

    return oras_layout_pack_write(&what, err);
}

static void test_tar_round_trip(void **state)
{
    oras_layout *layout = make_layout(), *tar;
    oras_buf list = ORAS_BUF_INIT(1000);
    oras_error err = ORAS_ERROR_INIT;
    int lock;

    (void)state;
    put_hello(layout, &hello);
    put_hello(layout, &wide);
    assert_int_equal(pack(layout, false, &err), ORAS_OK);
    assert_int_equal(pack(layout, false, &err), ORAS_EINVALID);
    assert_string_equal(err.class_name, "exists");
    tar = open_layout("a.tar");
    assert_true(oras_layout_is_tar(tar));
    expect_index(tar, INDEX);
    expect_blob(tar, &hello, "hello", 5);
    expect_blob(tar, &wide, "hello", 5);
    expect_none(tar, &big);
    assert_int_equal(oras_layout_blobs(tar, &list, NULL), ORAS_OK);
    assert_int_equal(list.size, strlen(hello.text) + strlen(wide.text) + 2);
    oras_buf_dispose(&list);
    assert_int_equal(oras_layout_try_lock(tar, &lock, NULL), ORAS_OK);
    assert_true(lock >= 0);
    assert_int_equal(pack(tar, true, &err), ORAS_OK); /* out of itself */
    assert_false(oras_layout_is_current(tar));
    expect_blob(tar, &hello, "hello", 5);
    close(lock);
    oras_layout_free(tar);
    oras_layout_free(layout);
    run("mkdir x && tar -C x -xf a.tar && test \"$(cat x/blobs/sha256/*)\" = hello");
}

static void test_tar_is_not_written_in_part(void **state)
{
    oras_layout *layout = make_layout(), *tar;
    oras_error err = ORAS_ERROR_INIT;

    (void)state;
    put_hello(layout, &hello);
    assert_int_equal(pack(layout, false, &err), ORAS_ENOTFOUND); /* the other blob */
    run("test \"$(ls -A)\" = layout");
    put_hello(layout, &wide);
    assert_int_equal(pack(layout, false, &err), ORAS_OK);
    tar = open_layout("a.tar");
    assert_int_equal(oras_layout_put(tar, &hello, "hello", 5, 022, &err), ORAS_EINVALID);
    assert_int_equal(oras_layout_write_index(tar, INDEX, 2, 022, &err), ORAS_EINVALID);
    assert_int_equal(oras_layout_remove(tar, &hello, &err), ORAS_EINVALID);
    oras_layout_sweep(tar);
    oras_layout_free(tar);
    oras_layout_free(layout);
}

/* Cut off anywhere, it is no layout; nothing is read beyond its end. */
static void test_C30_tar_cut_off_anywhere(void **state)
{
    oras_layout *layout = make_layout(), *tar = NULL;
    struct stat st;

    (void)state;
    put_hello(layout, &hello);
    put_hello(layout, &wide);
    assert_int_equal(pack(layout, false, NULL), ORAS_OK);
    oras_layout_free(layout);
    assert_int_equal(stat("a.tar", &st), 0);
    for (off_t size = st.st_size - 1; size >= 0; size -= 127) {
        oras_error err = ORAS_ERROR_INIT;

        assert_int_equal(truncate("a.tar", size), 0);
        assert_int_equal(oras_layout_open("a.tar", &tar, &err), ORAS_EINVALID);
        assert_string_equal(err.class_name, "content");
        assert_null(tar);
    }
}

static void test_stage(void **state)
{
    oras_layout *stage = NULL, *other = NULL;
    oras_error err = ORAS_ERROR_INIT;

    (void)state;
    assert_int_equal(oras_layout_stage("in/deep/a.tar", &stage, &err), ORAS_OK);
    put_hello(stage, &hello);
    expect_blob(stage, &hello, "hello", 5);
    assert_int_equal(oras_layout_stage("in/deep/a.tar", &other, &err), ORAS_OK); /* sweeps */
    expect_blob(stage, &hello, "hello", 5);
    oras_layout_free(stage);
    run("test \"$(ls -A in/deep | wc -l)\" = 1");
    oras_layout_free(other);
    run("test -z \"$(ls -A in/deep)\"");
    run("mkdir -p in/deep/.oras-partial-tree-dead/blobs");
    assert_int_equal(oras_layout_stage("in/deep/a.tar", &stage, &err), ORAS_OK);
    run("test ! -e in/deep/.oras-partial-tree-dead");
    oras_layout_free(stage);
}

/* --- without memory ------------------------------------------------------------------------- */

static oras_code do_all(oras_error *err)
{
    oras_layout *layout = NULL, *stage = NULL, *tar = NULL;
    oras_buf list = ORAS_BUF_INIT(1000);
    oras_code code = oras_layout_create("layout", 022, err);

    if (!code)
        code = oras_layout_open("layout", &layout, err);
    if (!code)
        code = oras_layout_put(layout, &hello, "hello", 5, 022, err);
    if (!code)
        code = oras_layout_put(layout, &wide, "hello", 5, 022, err);
    if (!code)
        code = oras_layout_write_index(layout, INDEX, sizeof INDEX - 1, 022, err);
    if (!code)
        code = oras_layout_stage("a.tar", &stage, err);
    if (!code)
        code = pack(layout, true, err);
    if (!code)
        code = oras_layout_open("a.tar", &tar, err);
    if (!code)
        code = oras_layout_blobs(tar, &list, err);
    oras_buf_dispose(&list);
    oras_layout_free(layout);
    oras_layout_free(stage);
    oras_layout_free(tar);
    return code;
}

static void test_L22_without_memory(void **state)
{
    long alive = memory.n_alive;
    oras_code code = ORAS_ENOMEM;

    (void)state;
    for (int once = 0; once < 2; once++) {
        code = ORAS_ENOMEM;
        for (long n = 0; code; n++) {
            oras_error err = ORAS_ERROR_INIT;

            memory.n_before_failure = n;
            memory.once = once;
            code = do_all(&err);
            memory.n_before_failure = -1;
            if (code && code != ORAS_ENOMEM)
                fail_msg("at %ld: %s", n, err.message);
            assert_int_equal(memory.n_alive, alive);
            run("test -z \"$(find . -name '.oras-*')\"");
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_create, clear),
        cmocka_unit_test_teardown(test_create_where_something_is, clear),
        cmocka_unit_test_teardown(test_create_what_was_begun, clear),
        cmocka_unit_test_teardown(test_create_is_not_deceived, clear),
        cmocka_unit_test_teardown(test_lock, clear),
        cmocka_unit_test_teardown(test_blobs, clear),
        cmocka_unit_test_teardown(test_nothing_through_links, clear),
        cmocka_unit_test_teardown(test_sweep, clear),
        cmocka_unit_test_teardown(test_sink_finds_its_name, clear),
        cmocka_unit_test_teardown(test_sink_checks, clear),
        cmocka_unit_test_teardown(test_tar_round_trip, clear),
        cmocka_unit_test_teardown(test_tar_is_not_written_in_part, clear),
        cmocka_unit_test_teardown(test_C30_tar_cut_off_anywhere, clear),
        cmocka_unit_test_teardown(test_stage, clear),
        cmocka_unit_test_teardown(test_L22_without_memory, clear),
    };
    const oras_allocator allocator = {failing_resize, &memory};

    assert_true(oras_alloc_set(&allocator));
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
