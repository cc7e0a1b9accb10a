/* SPDX-License-Identifier: MIT */
#include "source_help.h"

#include <stdlib.h>
#include <string.h>

#define RING (64 * 1024)

static char bytes[3 * RING];

static int set_up(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (char)(i * 7 + i / 251);
    return 0;
}

/* --- streams ------------------------------------------------------------------------------ */

static int n_reader, n_writer;

static void count(void *ud)
{
    ++*(int *)ud;
}

static oras_source *new_stream(size_t capacity, int64_t size)
{
    oras_source *source;

    n_reader = n_writer = 0;
    assert_int_equal(oras_source_stream(capacity, size, ORAS_SHA256, &source, NULL), ORAS_OK);
    oras_source_set_notify(source, (oras_notify){count, &n_reader});
    oras_source_set_producer(source, (oras_notify){count, &n_writer});
    return source;
}

static void test_stream_passes_bytes_on(void **state)
{
    char out[RING];
    oras_digest digest, expected;
    oras_source *source = new_stream(RING, -1);
    int64_t size;
    size_t n;

    (void)state;
    assert_int_equal(oras_source_size(source), -1);
    assert_int_equal(oras_source_read(source, out, RING, &n, NULL), ORAS_SOURCE_WAIT);
    assert_int_equal(oras_source_put(source, bytes, 10, NULL), ORAS_FLOW_OK);
    assert_int_equal(n_reader, 1); /* it waited */
    assert_int_equal(oras_source_put(source, bytes + 10, 10, NULL), ORAS_FLOW_OK);
    assert_int_equal(n_reader, 1); /* it did not */
    assert_int_equal(oras_source_read(source, out, RING, &n, NULL), ORAS_SOURCE_DATA);
    assert_int_equal(n, 20);
    assert_memory_equal(out, bytes, 20);
    assert_int_equal(oras_source_read(source, out, RING, &n, NULL), ORAS_SOURCE_WAIT);
    assert_false(oras_source_digest(source, &digest, &size));
    assert_int_equal(oras_source_end(source, NULL), ORAS_OK);
    assert_int_equal(n_reader, 2);
    assert_int_equal(oras_source_read(source, out, RING, &n, NULL), ORAS_SOURCE_END);
    assert_true(oras_source_digest(source, &digest, &size));
    assert_int_equal(oras_digest_of(ORAS_SHA256, bytes, 20, &expected, NULL), ORAS_OK);
    assert_string_equal(digest.text, expected.text);
    assert_int_equal(size, 20);
    assert_int_equal(oras_source_end(source, NULL), ORAS_OK); /* once more says nothing new */
    oras_source_free(source);
}

static void test_full_stream_waits_for_its_reader(void **state)
{
    char out[RING];
    oras_error err = ORAS_ERROR_INIT;
    oras_source *source = new_stream(RING, -1);
    size_t n;

    (void)state;
    assert_int_equal(oras_source_put(source, bytes, RING, NULL), ORAS_FLOW_OK);
    assert_int_equal(oras_source_put(source, bytes + RING, 1, NULL), ORAS_FLOW_FULL);
    assert_int_equal(oras_source_read(source, out, 10, &n, NULL), ORAS_SOURCE_DATA);
    assert_int_equal(n_writer, 0); /* too little to be worth it */
    assert_int_equal(oras_source_read(source, out + 10, RING / 2, &n, NULL), ORAS_SOURCE_DATA);
    assert_int_equal(n_writer, 1);
    assert_int_equal(oras_source_put(source, bytes + RING, RING / 2, NULL), ORAS_FLOW_OK);
    assert_int_equal(oras_source_end(source, NULL), ORAS_OK);
    assert_gives(source, bytes + 10 + RING / 2, RING - 10, 1000);
    assert_int_equal(oras_source_put(source, bytes, 1, &err), ORAS_FLOW_FAILED);
    assert_class(err.code, ORAS_C_USAGE); /* after the end */
    oras_source_free(source);
    source = new_stream(RING, -1);
    assert_int_equal(oras_source_put(source, bytes, RING + 1, &err), ORAS_FLOW_FAILED);
    assert_class(err.code, ORAS_C_USAGE); /* would never fit */
    oras_source_free(source);
}

/* The end is part of the size: whoever passes all bytes on has said that they are right. */
static void test_last_byte_of_a_known_size_waits_for_the_end(void **state)
{
    char out[RING];
    oras_source *source = new_stream(RING, 100);
    size_t total;

    (void)state;
    assert_int_equal(oras_source_put(source, bytes, 100, NULL), ORAS_FLOW_OK);
    assert_int_equal(drain(source, out, RING, &total, NULL), ORAS_SOURCE_WAIT);
    assert_int_equal(total, 99);
    assert_int_equal(oras_source_end(source, NULL), ORAS_OK);
    assert_gives(source, bytes + 99, 1, RING);
    oras_source_free(source);
}

static void test_L06_stream_of_another_size_is_content(void **state)
{
    char out[RING];
    oras_error err = ORAS_ERROR_INIT;
    oras_source *source = new_stream(RING, 100);
    size_t total;

    (void)state;
    assert_int_equal(oras_source_put(source, bytes, 99, NULL), ORAS_FLOW_OK);
    assert_int_equal(oras_source_put(source, bytes, 2, &err), ORAS_FLOW_FAILED);
    assert_class(err.code, ORAS_C_CONTENT);
    assert_int_equal(drain(source, out, RING, &total, &err), ORAS_SOURCE_FAILED);
    assert_class(err.code, ORAS_C_CONTENT);
    oras_source_free(source);

    source = new_stream(RING, 100);
    assert_int_equal(oras_source_put(source, bytes, 99, NULL), ORAS_FLOW_OK);
    assert_class(oras_source_end(source, &err), ORAS_C_CONTENT);
    assert_int_equal(drain(source, out, RING, &total, &err), ORAS_SOURCE_FAILED);
    assert_class(err.code, ORAS_C_CONTENT);
    oras_source_free(source);
}

static void test_broken_stream_fails_with_the_first_cause(void **state)
{
    char out[RING];
    oras_error err = ORAS_ERROR_INIT, first = ORAS_ERROR_INIT, second = ORAS_ERROR_INIT;
    oras_source *source = new_stream(RING, -1);
    size_t n;

    (void)state;
    oras_fail(&first, ORAS_C_TLS, "the first");
    oras_fail(&second, ORAS_C_IO, "the second");
    assert_int_equal(oras_source_read(source, out, RING, &n, NULL), ORAS_SOURCE_WAIT);
    oras_source_break(source, &first);
    oras_source_break(source, &second);
    assert_int_equal(n_reader, 1);
    assert_int_equal(oras_source_read(source, out, RING, &n, &err), ORAS_SOURCE_FAILED);
    assert_class(err.code, ORAS_C_TLS);
    assert_int_equal(oras_source_put(source, "x", 1, &err), ORAS_FLOW_FAILED);
    assert_class(err.code, ORAS_C_TLS);
    oras_source_free(source);
}

/* What was read stays until it is written over. */
static void test_stream_goes_back_as_far_as_its_bytes_are_there(void **state)
{
    char out[RING];
    oras_error err = ORAS_ERROR_INIT;
    oras_source *source = new_stream(RING, RING);
    size_t n;

    (void)state;
    assert_true(oras_source_can_seek(source)); /* all of it fits */
    assert_int_equal(oras_source_put(source, bytes, RING, NULL), ORAS_FLOW_OK);
    assert_int_equal(oras_source_end(source, NULL), ORAS_OK);
    assert_gives(source, bytes, RING, 1000);
    assert_int_equal(oras_source_seek(source, 0, NULL), ORAS_OK);
    assert_gives(source, bytes, RING, RING);
    assert_class(oras_source_seek(source, RING + 1, &err), ORAS_C_UNSUPPORTED);
    oras_source_free(source);

    source = new_stream(RING, -1);
    assert_false(oras_source_can_seek(source));
    assert_int_equal(oras_source_seek(source, 0, NULL), ORAS_OK); /* nothing was read */
    assert_int_equal(oras_source_put(source, bytes, RING, NULL), ORAS_FLOW_OK);
    assert_int_equal(oras_source_read(source, out, RING, &n, NULL), ORAS_SOURCE_DATA);
    assert_int_equal(oras_source_seek(source, RING, NULL), ORAS_OK); /* where it stands */
    assert_int_equal(oras_source_put(source, bytes + RING, 10, NULL), ORAS_FLOW_OK);
    assert_class(oras_source_seek(source, 9, &err), ORAS_C_UNSUPPORTED);
    assert_int_equal(oras_source_seek(source, 10, NULL), ORAS_OK);
    assert_int_equal(oras_source_put(source, bytes, 1, NULL), ORAS_FLOW_FULL); /* kept */
    assert_int_equal(oras_source_end(source, NULL), ORAS_OK);
    assert_gives(source, bytes + 10, RING, 77);
    oras_source_free(source);
}

/* --- pipes -------------------------------------------------------------------------------- */

static oras_expect expect_bytes(const char *data, size_t size)
{
    oras_expect expect = {.has_digest = true, .size = (int64_t)size};

    assert_int_equal(oras_digest_of(ORAS_SHA256, data, size, &expect.digest, NULL), ORAS_OK);
    return expect;
}

static void new_pipe(const oras_expect *expect, oras_sink **sink, oras_source **source)
{
    n_reader = n_writer = 0;
    assert_int_equal(oras_pipe_new(NULL, RING, expect, sink, source, NULL), ORAS_OK);
    oras_sink_set_notify(*sink, (oras_notify){count, &n_writer});
    oras_source_set_notify(*source, (oras_notify){count, &n_reader});
    assert_true(oras_sink_rests(*sink));
    assert_false(oras_sink_is_stream(*sink));
    assert_int_equal(oras_sink_begin(*sink, 0, NULL), ORAS_OK);
}

static void test_pipe_ends_when_its_bytes_are_right(void **state)
{
    char out[RING];
    oras_expect expect = expect_bytes(bytes, RING / 2);
    oras_digest digest;
    oras_sink *sink;
    oras_source *source;
    bool pending;
    int64_t size;
    size_t total;

    (void)state;
    new_pipe(&expect, &sink, &source);
    assert_int_equal(oras_source_size(source), RING / 2);
    assert_int_equal(oras_sink_write(sink, bytes, RING / 2, NULL), ORAS_FLOW_OK);
    assert_int_equal(drain(source, out, RING, &total, NULL), ORAS_SOURCE_WAIT);
    assert_int_equal(total, RING / 2 - 1);
    assert_int_equal(oras_sink_finish(sink, &pending, NULL), ORAS_OK);
    assert_int_equal(n_reader, 1);
    assert_gives(source, bytes + RING / 2 - 1, 1, RING);
    assert_true(oras_source_digest(source, &digest, &size));
    assert_string_equal(digest.text, expect.digest.text);
    assert_int_equal(size, RING / 2);
    oras_sink_free(sink);
    assert_int_equal(oras_source_seek(source, 0, NULL), ORAS_OK); /* the sink took nothing along */
    assert_gives(source, bytes, RING / 2, 1000);
    oras_source_free(source);
}

static void test_pipe_of_wrong_bytes_fails_on_both_sides(void **state)
{
    char out[RING];
    oras_expect expect = expect_bytes(bytes + 1, 100);
    oras_error err = ORAS_ERROR_INIT;
    oras_sink *sink;
    oras_source *source;
    bool pending;
    size_t total;

    (void)state;
    new_pipe(&expect, &sink, &source);
    assert_int_equal(oras_sink_write(sink, bytes, 100, NULL), ORAS_FLOW_OK);
    assert_class(oras_sink_finish(sink, &pending, &err), ORAS_C_INTEGRITY);
    assert_int_equal(drain(source, out, RING, &total, &err), ORAS_SOURCE_FAILED);
    assert_class(err.code, ORAS_C_INTEGRITY);
    oras_source_free(source);
    oras_sink_free(sink);
}

static void test_pipe_without_expectations_hashes(void **state)
{
    oras_expect nothing = {.size = -1}, expect = expect_bytes(bytes, 100);
    oras_digest digest;
    oras_sink *sink;
    oras_source *source;
    bool pending;
    int64_t size;

    (void)state;
    new_pipe(&nothing, &sink, &source);
    assert_int_equal(oras_sink_write(sink, bytes, 100, NULL), ORAS_FLOW_OK);
    assert_int_equal(oras_sink_finish(sink, &pending, NULL), ORAS_OK);
    assert_gives(source, bytes, 100, 10);
    assert_true(oras_source_digest(source, &digest, &size));
    assert_string_equal(digest.text, expect.digest.text);
    oras_source_free(source);
    oras_sink_free(sink);
}

/* A download that broke off is taken up; only when the sink goes the reader fails, with the
 * cause. */
static void test_pipe_goes_on_after_a_break(void **state)
{
    char out[RING];
    oras_expect expect = expect_bytes(bytes, 100);
    oras_error err = ORAS_ERROR_INIT, cause = ORAS_ERROR_INIT;
    oras_sink *sink;
    oras_source *source;
    bool pending;
    int64_t offset;
    size_t total;

    (void)state;
    oras_fail(&cause, ORAS_C_NETWORK, "cut");
    new_pipe(&expect, &sink, &source);
    assert_int_equal(oras_sink_write(sink, bytes, 60, NULL), ORAS_FLOW_OK);
    oras_sink_set_cause(sink, &cause);
    oras_sink_abort(sink);
    assert_int_equal(drain(source, out, RING, &total, NULL), ORAS_SOURCE_WAIT);
    assert_int_equal(oras_sink_offset(sink, &offset, &pending, NULL), ORAS_OK);
    assert_int_equal(offset, 60);
    assert_int_equal(oras_sink_begin(sink, 0, NULL), ORAS_OK); /* the server sends it all again */
    assert_int_equal(oras_sink_write(sink, bytes, 50, NULL), ORAS_FLOW_OK);
    assert_int_equal(oras_sink_write(sink, bytes + 50, 20, NULL), ORAS_FLOW_OK);
    assert_int_equal(drain(source, out + 60, RING, &total, NULL), ORAS_SOURCE_WAIT);
    assert_int_equal(total, 10);
    assert_memory_equal(out, bytes, 70);
    oras_sink_set_cause(sink, &cause);
    oras_sink_abort(sink);
    oras_sink_free(sink);
    assert_int_equal(drain(source, out, RING, &total, &err), ORAS_SOURCE_FAILED);
    assert_class(err.code, ORAS_C_NETWORK);
    oras_source_free(source);
}

static void test_pipe_given_up_fails_its_reader(void **state)
{
    char out[8];
    oras_expect expect = {.size = -1};
    oras_error err = ORAS_ERROR_INIT;
    oras_sink *sink;
    oras_source *source;
    size_t total;

    (void)state;
    new_pipe(&expect, &sink, &source);
    assert_int_equal(drain(source, out, 8, &total, NULL), ORAS_SOURCE_WAIT);
    oras_sink_free(sink);
    assert_int_equal(n_reader, 1);
    assert_int_equal(drain(source, out, 8, &total, &err), ORAS_SOURCE_FAILED);
    assert_class(err.code, ORAS_C_CANCELLED);
    oras_source_free(source);
}

static void test_pipe_without_a_reader_stops_its_sink(void **state)
{
    oras_expect expect = {.size = -1};
    oras_error err = ORAS_ERROR_INIT;
    oras_sink *sink;
    oras_source *source;

    (void)state;
    new_pipe(&expect, &sink, &source);
    assert_int_equal(oras_sink_write(sink, bytes, RING, NULL), ORAS_FLOW_OK);
    assert_int_equal(oras_sink_write(sink, bytes, 1, NULL), ORAS_FLOW_FULL);
    oras_source_free(source);
    assert_int_equal(n_writer, 1); /* it waited, and learns that it need not */
    assert_int_equal(oras_sink_write(sink, bytes, 1, &err), ORAS_FLOW_FAILED);
    assert_class(err.code, ORAS_C_CANCELLED);
    oras_sink_abort(sink);
    oras_sink_free(sink);
}

int main(void)
{
#define TEST(name) cmocka_unit_test(name)
    const struct CMUnitTest tests[] = {
        TEST(test_stream_passes_bytes_on),
        TEST(test_full_stream_waits_for_its_reader),
        TEST(test_last_byte_of_a_known_size_waits_for_the_end),
        TEST(test_L06_stream_of_another_size_is_content),
        TEST(test_broken_stream_fails_with_the_first_cause),
        TEST(test_stream_goes_back_as_far_as_its_bytes_are_there),
        TEST(test_pipe_ends_when_its_bytes_are_right),
        TEST(test_pipe_of_wrong_bytes_fails_on_both_sides),
        TEST(test_pipe_without_expectations_hashes),
        TEST(test_pipe_goes_on_after_a_break),
        TEST(test_pipe_given_up_fails_its_reader),
        TEST(test_pipe_without_a_reader_stops_its_sink),
    };

    return cmocka_run_group_tests(tests, set_up, NULL);
}
