/* SPDX-License-Identifier: MIT
 * Layouts on disk, good and broken, and their blobs into sinks. */
#include "io/feed.h"
#include "io/layout.h"

#include <fcntl.h>
#include <semaphore.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define MARKER "{\"imageLayoutVersion\":\"1.0.0\"}"

static char place[] = "/tmp/oras-layout-XXXXXX";
static oras_digest hello, big;

static void write_bytes(const char *path, const void *data, size_t size)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, data, size), (ssize_t)size);
    close(fd);
}

static void write_file(const char *path, const char *text)
{
    write_bytes(path, text, strlen(text));
}

static void write_blob(const void *data, size_t size, oras_digest *digest)
{
    char path[256];

    assert_int_equal(oras_digest_of(ORAS_SHA256, data, size, digest, NULL), ORAS_OK);
    snprintf(path, sizeof path, "layout/blobs/sha256/%s", oras_digest_encoded(digest));
    write_bytes(path, data, size);
}

static int set_up(void **state)
{
    static char block[3 << 20];

    (void)state;
    for (size_t i = 0; i < sizeof block; i++)
        block[i] = (char)(i * i >> 7);
    assert_non_null(mkdtemp(place));
    assert_int_equal(chdir(place), 0);
    assert_int_equal(mkdir("layout", 0700) | mkdir("layout/blobs", 0700), 0);
    assert_int_equal(mkdir("layout/blobs/sha256", 0700), 0);
    write_file("layout/oci-layout", MARKER "\n");
    write_file("layout/index.json", "{\"manifests\":[]}");
    write_blob("hello", 5, &hello);
    write_blob(block, sizeof block, &big);
    return 0;
}

static int tear_down(void **state)
{
    char command[128];

    (void)state;
    snprintf(command, sizeof command, "rm -rf '%s'", place);
    return system(command);
}

static oras_layout *open_layout(void)
{
    oras_layout *layout = NULL;
    oras_error err = ORAS_ERROR_INIT;

    if (oras_layout_open("layout", &layout, &err))
        fail_msg("%s", err.message);
    return layout;
}

static void test_index(void **state)
{
    oras_layout *layout = open_layout();
    oras_buf buf = ORAS_BUF_INIT(1000);
    oras_error err = ORAS_ERROR_INIT;

    (void)state;
    assert_int_equal(oras_layout_index(layout, &buf, &err), ORAS_OK);
    assert_string_equal(oras_buf_text(&buf), "{\"manifests\":[]}");
    oras_buf_dispose(&buf);
    oras_buf_init(&buf, 15);
    assert_int_equal(oras_layout_index(layout, &buf, &err), ORAS_EINVALID);
    assert_string_equal(err.class_name, "limit");
    oras_buf_dispose(&buf);
    oras_layout_free(layout);
}

static void expect_marker_refused(const char *text, const char *words)
{
    oras_layout *layout = NULL;
    oras_error err = ORAS_ERROR_INIT;

    write_file("layout/oci-layout", text);
    assert_int_equal(oras_layout_open("layout", &layout, &err), ORAS_EINVALID);
    assert_string_equal(err.class_name, "content");
    if (!strstr(err.message, words) || !strstr(err.message, "'layout'"))
        fail_msg("'%s' has no '%s' or no path in it", err.message, words);
    assert_null(layout);
}

static void test_marker(void **state)
{
    oras_layout *layout = NULL;
    oras_error err = ORAS_ERROR_INIT;

    (void)state;
    expect_marker_refused("", "oci-layout");
    expect_marker_refused("not json", "oci-layout");
    expect_marker_refused("{}", "no imageLayoutVersion");
    expect_marker_refused("[]", "no imageLayoutVersion");
    expect_marker_refused("{\"imageLayoutVersion\":1}", "no imageLayoutVersion");
    expect_marker_refused("{\"imageLayoutVersion\":\"2.0.0\"}", "expected '1.0.0'");
    assert_int_equal(unlink("layout/oci-layout"), 0);
    assert_int_equal(oras_layout_open("layout", &layout, &err), ORAS_EINVALID);
    assert_string_equal(err.class_name, "content");
    assert_non_null(strstr(err.message, "no file 'oci-layout'"));
    write_file("marker", MARKER);
    assert_int_equal(symlink("../marker", "layout/oci-layout"), 0);
    assert_int_equal(oras_layout_open("layout", &layout, &err), ORAS_EINVALID);
    assert_string_equal(err.class_name, "path");
    assert_int_equal(unlink("layout/oci-layout"), 0);
    write_file("layout/oci-layout", MARKER);
    assert_int_equal(oras_layout_open("missing", &layout, &err), ORAS_ENOTFOUND);
    assert_string_equal(err.class_name, "not_found");
    assert_null(layout);
}

static void expect_blob(oras_layout *layout, const oras_digest *digest, const char *class_name)
{
    oras_error err = ORAS_ERROR_INIT;
    oras_extent extent = {-1, 0, -1};

    assert_int_not_equal(oras_layout_blob(layout, digest, &extent, &err), ORAS_OK);
    assert_string_equal(err.class_name, class_name);
    assert_non_null(strstr(err.message, oras_digest_encoded(digest)));
    assert_int_equal(extent.fd, -1);
}

static void test_blobs(void **state)
{
    oras_layout *layout = open_layout();
    oras_digest other;
    oras_extent extent;
    char path[256];

    (void)state;
    assert_int_equal(oras_layout_blob(layout, &hello, &extent, NULL), ORAS_OK);
    assert_int_equal(extent.offset, 0);
    assert_int_equal(extent.size, 5);
    close(extent.fd);
    assert_int_equal(oras_digest_of(ORAS_SHA512, "x", 1, &other, NULL), ORAS_OK);
    expect_blob(layout, &other, "not_found"); /* not even the directory */
    assert_int_equal(oras_digest_of(ORAS_SHA256, "x", 1, &other, NULL), ORAS_OK);
    expect_blob(layout, &other, "not_found");
    snprintf(path, sizeof path, "layout/blobs/sha256/%s", oras_digest_encoded(&other));
    assert_int_equal(symlink(oras_digest_encoded(&hello), path), 0);
    expect_blob(layout, &other, "path");
    assert_int_equal(unlink(path), 0);
    assert_int_equal(mkfifo(path, 0600), 0);
    expect_blob(layout, &other, "path"); /* and does not wait for a writer */
    assert_int_equal(unlink(path), 0);
    assert_int_equal(mkdir(path, 0700), 0);
    expect_blob(layout, &other, "path");
    assert_int_equal(rmdir(path), 0);
    oras_layout_free(layout);
}

/* --- feed ------------------------------------------------------------------------------------ */

static oras_source *source;
static sem_t told;

static void tell(void *ud)
{
    sem_post(ud);
}

static oras_feed *make_feed(const oras_digest *digest, oras_sink *sink)
{
    oras_layout *layout = open_layout();
    oras_feed *feed = NULL;

    assert_int_equal(oras_layout_source(layout, digest, &source, NULL), ORAS_OK);
    oras_layout_free(layout); /* the source does not need it */
    assert_int_equal(oras_feed_new(source, sink, &feed, NULL), ORAS_OK);
    return feed;
}

static void free_feed(oras_feed *feed)
{
    oras_feed_free(feed);
    oras_source_free(source);
    source = NULL;
}

static oras_expect expect_digest(const oras_digest *digest)
{
    return (oras_expect){.has_digest = true, .digest = *digest, .size = -1};
}

static void test_feed_memory(void **state)
{
    oras_expect expect = expect_digest(&big);
    oras_sink *sink = NULL;
    oras_feed *feed;
    oras_feed_step_result result;

    (void)state;
    assert_int_equal(oras_sink_memory(8 << 20, &expect, &sink, NULL), ORAS_OK);
    feed = make_feed(&big, sink);
    while ((result = oras_feed_step(feed, NULL)) == ORAS_FEED_GO_ON)
        continue;
    assert_int_equal(result, ORAS_FEED_DONE);
    assert_int_equal(oras_feed_step(feed, NULL), ORAS_FEED_DONE);
    assert_int_equal(oras_sink_bytes(sink)->size, 3 << 20);
    free_feed(feed);
    oras_sink_free(sink);
}

/* Another process finds the same blob wanted, and another writes it anew. */
static void test_blob_is_read_though_others_touch_it(void **state)
{
    static char part[64 << 10];
    oras_layout *layout = open_layout();
    int64_t total = 0;
    size_t size = 0;
    oras_error err = ORAS_ERROR_INIT;
    oras_source_step step;

    (void)state;
    assert_int_equal(oras_layout_source(layout, &big, &source, NULL), ORAS_OK);
    assert_int_equal(oras_layout_touch(layout, &big, NULL), ORAS_OK);
    while ((step = oras_source_read(source, part, sizeof part, &size, &err)) == ORAS_SOURCE_DATA)
        total += (int64_t)size;
    assert_int_equal(step, ORAS_SOURCE_END);
    assert_int_equal(total, 3 << 20);
    oras_source_free(source);
    source = NULL;
    oras_layout_free(layout);
}

/* A disk that is cold is a worker's business. */
static void test_blob_is_read_by_a_worker(void **state)
{
    oras_expect expect = expect_digest(&big);
    oras_error err = ORAS_ERROR_INIT;
    oras_sink *sink = NULL;
    oras_pool *pool = NULL;
    oras_layout *layout = open_layout();
    oras_feed *feed;
    oras_feed_step_result result;
    oras_extent extent;

    (void)state;
    assert_int_equal(oras_layout_blob(layout, &big, &extent, NULL), ORAS_OK);
    fdatasync(extent.fd);
    posix_fadvise(extent.fd, 0, 0, POSIX_FADV_DONTNEED);
    close(extent.fd);
    oras_layout_free(layout);
    assert_int_equal(oras_pool_new(1, &pool, NULL), ORAS_OK);
    assert_int_equal(oras_sink_memory(8 << 20, &expect, &sink, NULL), ORAS_OK);
    assert_int_equal(sem_init(&told, 0, 0), 0);
    feed = make_feed(&big, sink);
    oras_source_set_notify(source, (oras_notify){tell, &told});
    oras_source_set_pool(source, pool);
    while ((result = oras_feed_step(feed, &err)) == ORAS_FEED_GO_ON || result == ORAS_FEED_WAIT) {
        if (result == ORAS_FEED_WAIT)
            assert_int_equal(sem_wait(&told), 0);
    }
    assert_int_equal(result, ORAS_FEED_DONE);
    free_feed(feed);
    oras_sink_free(sink);
    oras_pool_free(pool);
    sem_destroy(&told);
}

static void test_feed_wrong_blob(void **state)
{
    oras_expect expect = expect_digest(&big);
    oras_error err = ORAS_ERROR_INIT;
    oras_sink *sink = NULL;
    oras_feed *feed;
    oras_feed_step_result result;

    (void)state;
    assert_int_equal(oras_sink_memory(8 << 20, &expect, &sink, NULL), ORAS_OK);
    feed = make_feed(&hello, sink);
    while ((result = oras_feed_step(feed, &err)) == ORAS_FEED_GO_ON)
        continue;
    assert_int_equal(result, ORAS_FEED_FAILED);
    assert_string_equal(err.class_name, "integrity");
    free_feed(feed);
    oras_sink_free(sink);
}

static void note(void *ud)
{
    ++*(int *)ud;
}

static void test_feed_stream(void **state)
{
    oras_expect expect = expect_digest(&big);
    oras_error err = ORAS_ERROR_INIT;
    oras_sink *sink = NULL;
    oras_feed *feed;
    size_t total = 0;
    int n_told = 0, n_waits = 0;
    bool ended = false;

    (void)state;
    assert_int_equal(oras_sink_stream(64 << 10, &expect, &sink, NULL), ORAS_OK);
    oras_sink_set_notify(sink, (oras_notify){note, &n_told});
    feed = make_feed(&big, sink);
    while (!ended) {
        const void *data;
        size_t size = 0;

        if (n_told == n_waits && oras_feed_step(feed, &err) == ORAS_FEED_WAIT)
            n_waits++;
        assert_int_equal(oras_sink_read(sink, &data, &size, &ended, &err), ORAS_OK);
        total += size;
    }
    assert_int_equal(total, 3 << 20);
    assert_true(n_waits > 10);
    free_feed(feed);
    oras_sink_free(sink);
}

static void test_feed_given_up(void **state)
{
    oras_sink *sink = NULL;
    oras_feed *feed;

    (void)state;
    assert_int_equal(oras_sink_stream(64 << 10, NULL, &sink, NULL), ORAS_OK);
    feed = make_feed(&big, sink);
    assert_int_equal(oras_feed_step(feed, NULL), ORAS_FEED_WAIT);
    free_feed(feed);
    oras_feed_free(NULL);
    oras_sink_free(sink);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_index),
        cmocka_unit_test(test_marker),
        cmocka_unit_test(test_blobs),
        cmocka_unit_test(test_feed_memory),
        cmocka_unit_test(test_feed_wrong_blob),
        cmocka_unit_test(test_feed_stream),
        cmocka_unit_test(test_feed_given_up),
        cmocka_unit_test(test_blob_is_read_by_a_worker),
        cmocka_unit_test(test_blob_is_read_though_others_touch_it),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
