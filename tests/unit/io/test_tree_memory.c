/* SPDX-License-Identifier: MIT
 * Every allocation of an unpacking fails in turn: a memory error, and nothing is left, neither
 * of memory nor of files. */
#define _GNU_SOURCE
#include "cmocka_c11.h"
#include "failing_alloc.h"
#include "unpack_help.h"

#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

static failing_alloc counter = {-1, false, 0, NULL, false};
static pthread_mutex_t counter_lock = PTHREAD_MUTEX_INITIALIZER;

/* The jobs allocate, too. */
static void *locked_resize(void *ud, void *ptr, size_t size)
{
    void *block;

    pthread_mutex_lock(&counter_lock);
    block = failing_resize(ud, ptr, size);
    pthread_mutex_unlock(&counter_lock);
    return block;
}

static const oras_allocator ours = {locked_resize, &counter};

static void fail_from(long n)
{
    pthread_mutex_lock(&counter_lock);
    counter.n_before_failure = n;
    pthread_mutex_unlock(&counter_lock);
}

static oras_buf archive_of_all(void)
{
    static const item items[] = {
        {".", '5', NULL, 0755}, F("a/b/c/f"), F("a/g"), H("a/h", "a/b/c/f"),
        L("l", "a/g"),          E("d", '5'),  LAST};
    oras_buf tar = archive_of(items), packed = ORAS_BUF_INIT(SIZE_MAX - 1);

    pack_gzip(tar.data, tar.size, &packed);
    oras_buf_dispose(&tar);
    return packed;
}

/* All of it by a pool of its own; the code, and err. */
static oras_code run(const place *p, const oras_buf *archive, const char *path, oras_error *err)
{
    oras_tree_target target = {
        .root = p->root, .path = path, .prefix = "x", .links = true, .overwrite = true};
    oras_expect expect = {.has_digest = true, .size = -1};
    oras_sink *sink = NULL;
    bool pending = true;
    oras_code code;

    oras_digest_of(ORAS_SHA256, archive->data, archive->size, &expect.digest, NULL);
    code = oras_sink_tree(p->pool, &target, &expect, &sink, err);
    if (code)
        return code;
    ring_for(sink);
    code = oras_sink_begin(sink, 0, err);
    if (!code && oras_sink_write(sink, archive->data, archive->size, err) == ORAS_FLOW_FAILED)
        code = err->code;
    while (!code && pending) {
        code = oras_sink_finish(sink, &pending, err);
        if (!code && pending)
            await_bell();
    }
    oras_sink_free(sink);
    return code;
}

static void fail_each(const place *p, const char *path)
{
    oras_buf archive = archive_of_all();
    char *before = root_text(p);
    long n_alive = counter.n_alive;
    oras_error err = ORAS_ERROR_INIT;
    oras_code code;
    long n = 0;

    do {
        fail_from(n++);
        code = run(p, &archive, path, &err);
        fail_from(-1);
        assert_int_equal(counter.n_alive, n_alive);
        if (!code)
            break;
        assert_string_equal(err.class_name, "memory");
        expect_root(p, before);
    } while (n < 10000);
    assert_true(n > 10 && n < 10000);
    free(before);
    oras_buf_dispose(&archive);
}

static void test_L22_new(void **state)
{
    fail_each(*state, "new");
}

static void test_L22_merged(void **state)
{
    place *p = *state;

    put_at(p, "root/out/a/b/old", "old");
    put_at(p, "root/out/d/old", "old");
    fail_each(p, "out");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, place_set_up, place_tear_down)
    const struct CMUnitTest tests[] = {TEST(test_L22_new), TEST(test_L22_merged)};

    if (!oras_alloc_set(&ours))
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
