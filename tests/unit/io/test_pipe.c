/* SPDX-License-Identifier: MIT */
#include "source_help.h"

#include <semaphore.h>
#include <stdlib.h>
#include <string.h>

#define MIB   ((size_t)1024 * 1024)
#define SIZE  (10 * MIB + 4321)
#define PIECE ((size_t)16 * 1024)

static char *bytes, *out;
static oras_pool *pool;
static sem_t told;

static void tell(void *ud)
{
    sem_post(ud);
}

static int set_up(void **state)
{
    (void)state;
    bytes = malloc(SIZE);
    out = malloc(SIZE);
    for (size_t i = 0; i < SIZE; i++)
        bytes[i] = (char)(i * 31 + i / 4093);
    assert_int_equal(sem_init(&told, 0, 0), 0);
    return oras_pool_new(0, &pool, NULL);
}

static int tear_down(void **state)
{
    (void)state;
    oras_pool_free(pool);
    free(bytes);
    free(out);
    return 0;
}

static oras_expect expect_of(const char *data)
{
    oras_expect expect = {.has_digest = true, .size = SIZE};

    assert_int_equal(oras_digest_of(ORAS_SHA256, data, SIZE, &expect.digest, NULL), ORAS_OK);
    return expect;
}

static void new_pipe(const oras_expect *expect, oras_sink **sink, oras_source **source)
{
    assert_int_equal(oras_pipe_new(pool, MIB, expect, sink, source, NULL), ORAS_OK);
    oras_sink_set_notify(*sink, (oras_notify){tell, &told});
    oras_source_set_notify(*source, (oras_notify){tell, &told});
    assert_int_equal(oras_sink_begin(*sink, 0, NULL), ORAS_OK);
}

/* Write until the pipe is full or has all; true: all. */
static bool write_some(oras_sink *sink, size_t *written)
{
    while (*written < SIZE) {
        size_t n = SIZE - *written < PIECE ? SIZE - *written : PIECE;
        oras_flow flow = oras_sink_write(sink, bytes + *written, n, NULL);

        assert_int_not_equal(flow, ORAS_FLOW_FAILED);
        if (flow == ORAS_FLOW_FULL)
            return false;
        *written += n;
    }
    return true;
}

static oras_source_step read_some(oras_source *source, size_t *got, oras_error *err)
{
    oras_source_step step;
    size_t n;

    do {
        step = oras_source_read(source, out + *got, SIZE - *got + 1, &n, err);
        *got += n;
    } while (step == ORAS_SOURCE_DATA);
    return step;
}

/* Through the pipe, as the loop would; gives what finish said. */
static oras_code pass(oras_sink *sink, oras_source *source, size_t *got, oras_error *err)
{
    size_t written = 0;
    bool pending = true;
    oras_code code = ORAS_OK;

    while (!write_some(sink, &written)) {
        /* either the reader took something, or the worker will say so */
        if (read_some(source, got, NULL) == ORAS_SOURCE_WAIT)
            sem_wait(&told);
    }
    while (!code && pending) {
        code = oras_sink_finish(sink, &pending, err);
        if (!code && pending)
            sem_wait(&told);
    }
    return code;
}

static void test_big_pipe_is_verified_by_a_worker(void **state)
{
    oras_expect expect = expect_of(bytes), nothing = {.size = -1};
    oras_digest digest;
    oras_source *source;
    oras_sink *sink;
    int64_t size;

    (void)state;
    for (int i = 0; i < 2; i++) {
        size_t got = 0;

        new_pipe(i ? &nothing : &expect, &sink, &source);
        assert_int_equal(pass(sink, source, &got, NULL), ORAS_OK);
        assert_int_equal(read_some(source, &got, NULL), ORAS_SOURCE_END);
        assert_int_equal(got, SIZE);
        assert_memory_equal(out, bytes, SIZE);
        assert_true(oras_source_digest(source, &digest, &size));
        assert_string_equal(digest.text, expect.digest.text);
        oras_sink_free(sink);
        oras_source_free(source);
    }
}

static void test_wrong_bytes_of_a_big_pipe_never_leave_it(void **state)
{
    oras_expect expect;
    oras_error err = ORAS_ERROR_INIT;
    oras_source *source;
    oras_sink *sink;
    size_t got = 0;

    (void)state;
    bytes[SIZE / 2] ^= 1;
    expect = expect_of(bytes);
    bytes[SIZE / 2] ^= 1;
    new_pipe(&expect, &sink, &source);
    assert_class(pass(sink, source, &got, &err), ORAS_C_INTEGRITY);
    assert_int_equal(read_some(source, &got, &err), ORAS_SOURCE_FAILED);
    assert_class(err.code, ORAS_C_INTEGRITY);
    assert_true(got < SIZE);
    oras_source_free(source);
    oras_sink_free(sink);
}

static void test_either_end_may_go_while_the_worker_hashes(void **state)
{
    oras_expect expect = expect_of(bytes);
    oras_source *source;
    oras_sink *sink;

    (void)state;
    for (int i = 0; i < 2; i++) {
        size_t written = 0;

        new_pipe(&expect, &sink, &source);
        assert_false(write_some(sink, &written));
        if (i)
            oras_source_free(source);
        oras_sink_free(sink);
        if (!i)
            oras_source_free(source);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_big_pipe_is_verified_by_a_worker),
        cmocka_unit_test(test_wrong_bytes_of_a_big_pipe_never_leave_it),
        cmocka_unit_test(test_either_end_may_go_while_the_worker_hashes),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
