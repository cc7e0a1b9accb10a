/* SPDX-License-Identifier: MIT
 * Streams: bytes of a blob to callbacks, bytes of callbacks into an upload; full, none now, end,
 * failure; in the host's own loop and blocking. The registry is a layout in the folder. */
#define _GNU_SOURCE
#include "host.h"

#include <ftw.h>
#include <poll.h>
#include <pthread.h>

#define SIZE ((size_t)1 << 20)
#define SOME 4096

static const char provider[] =
    "local oras = require 'oras'\n"
    "local core = require 'oras.core'\n"
    "local Streams = oras.Registry:extend 'Streams'\n"
    "local kept\n"
    "function Streams:store(ref, stream)\n"
    "  local d = self:upload_blob(ref, { reader = stream, size = stream.size })\n"
    "  return { digest = d.digest, size = d.size }\n"
    "end\n"
    "function Streams:read(n, stream)\n"
    "  local sizes = {}\n"
    "  for piece in function() return stream:read(n) end do sizes[#sizes + 1] = #piece end\n"
    "  assert(stream:read() == nil)\n"
    "  return core.json.array(sizes)\n"
    "end\n"
    "function Streams:fetch(ref, digest, size, stream)\n"
    "  local blob = size and { digest = digest, size = size, mediaType = 'a/b' } or digest\n"
    "  stream:begin { size = size }\n"
    "  self:get_blob(ref, blob, { sink = stream:sink(blob) })\n"
    "end\n"
    "function Streams:careless(ref, digest, size, stream)\n"
    "  pcall(self.fetch, self, ref, digest, size, stream)\n"
    "  return 'fine'\n"
    "end\n"
    "function Streams:again(ref, digest, size, stream)\n"
    "  pcall(self.fetch, self, ref, digest, size, stream)\n"
    "  return self:fetch(ref, digest, size, stream)\n"
    "end\n"
    "function Streams:write(stream, ...) for _, text in ipairs { 'ab', '', 'c' } do "
    "stream:write(text) end end\n"
    "function Streams:keep(stream) kept = stream end\n"
    "function Streams:kept() kept:write 'x' end\n"
    "function Streams:none(stream) return tostring(stream) end\n"
    "function Streams:wrong(what, stream) return stream[what](stream, 'x') end\n"
    "return Streams\n";

static oras_runtime *rt;
static char layout[300], digest[80], *bytes;

/* One side of a stream: what it got or has to give, and how it behaves. */
typedef struct side {
    oras_stream *stream;
    char *got;
    size_t n_got, take_most; /* of one write; 0: all */
    size_t n_given, n_most;  /* of a read */
    int stops;               /* says full or none at every other question */
    int n_asked, n_stopped, n_begun, n_ended;
    int64_t fails_at; /* -1: never */
    int refuses_begin, refuses_end;
    int frees_itself;
    const char *class_name;
    char head[64];
} side;

static int on_begin(void *ud, const char *head, oras_error *err)
{
    side *s = ud;

    (void)err;
    s->n_begun++;
    snprintf(s->head, sizeof s->head, "%s", head);
    return s->refuses_begin;
}

static int fails(const side *s, size_t at, oras_error *err)
{
    if (s->fails_at < 0 || (int64_t)at < s->fails_at)
        return 0;
    if (s->class_name)
        oras_error_set(err, s->class_name, "the host is tired");
    return 1;
}

static int64_t on_write(void *ud, const void *data, size_t size, oras_error *err)
{
    side *s = ud;

    assert_true(size > 0);
    assert_int_equal(oras_step(rt, NULL, NULL), ORAS_EINVALID);
    if (fails(s, s->n_got, err))
        return ORAS_FAILED;
    if (s->frees_itself) {
        oras_stream_free(s->stream);
        s->stream = NULL;
        return (int64_t)size;
    }
    if (s->stops && s->n_asked++ % 2 == 0) {
        s->n_stopped++;
        return 0;
    }
    if (s->take_most && size > s->take_most) {
        size = s->take_most;
        s->n_stopped++; /* a part says full, too */
    }
    assert_true(s->n_got + size <= SIZE);
    memcpy(s->got + s->n_got, data, size);
    s->n_got += size;
    return (int64_t)size;
}

static int on_end(void *ud, oras_error *err)
{
    side *s = ud;

    (void)err;
    s->n_ended++;
    return s->refuses_end;
}

static int64_t on_read(void *ud, void *data, size_t capacity, oras_error *err)
{
    side *s = ud;
    size_t n = SIZE - s->n_given;

    if (fails(s, s->n_given, err))
        return ORAS_FAILED;
    if (n == 0)
        return ORAS_END;
    if (s->stops && s->n_asked++ % 2 == 0) {
        s->n_stopped++;
        return 0;
    }
    n = n < capacity ? n : capacity;
    if (s->n_most && n > s->n_most)
        n = s->n_most;
    memcpy(data, bytes + s->n_given, n);
    s->n_given += n;
    return (int64_t)n;
}

static void open_side(side *s)
{
    oras_stream_functions functions = ORAS_STREAM_INIT;
    oras_error err = ORAS_ERROR_INIT;

    if (!s->got)
        s->got = malloc(SIZE);
    assert_non_null(s->got);
    functions.ud = s;
    functions.begin = on_begin;
    functions.write = on_write;
    functions.end = on_end;
    functions.read = on_read;
    if (oras_stream_new(rt, &functions, &s->stream, &err))
        fail_msg("%s", err.message);
}

static void close_side(side *s)
{
    oras_stream_free(s->stream);
    free(s->got);
    s->stream = NULL;
    s->got = NULL;
}

static const side plain = {.fails_at = -1};

static const char *reference_args(char *args, size_t size, const char *which, int64_t n)
{
    if (n >= 0)
        snprintf(args, size, "[\"oci:%s\", \"%s\", %lld]", layout, which, (long long)n);
    else
        snprintf(args, size, "[\"oci:%s\", \"%s\", null]", layout, which);
    return args;
}

static oras_call *start(side *s, const char *method, const char *args)
{
    oras_error err = ORAS_ERROR_INIT;
    oras_call *call = NULL;

    if (oras_stream_start(s->stream, "echo", method, args, &call, &err))
        fail_msg("%s: %s", method, err.message);
    return call;
}

static void turn(void)
{
    struct pollfd p = {oras_pollfd(rt), POLLIN, 0};
    oras_error err = ORAS_ERROR_INIT;

    poll(&p, 1, oras_timeout_ms(rt));
    if (oras_step(rt, NULL, &err))
        fail_msg("%s", err.message);
}

/* To its end; whenever the other side has said stop, it is resumed after a while. */
static oras_code finish(side *s, oras_call *call, char **json, oras_error *err)
{
    int seen = s->n_stopped;
    oras_code code;

    while (!oras_call_done(call)) {
        turn();
        if (s->n_stopped == seen)
            continue;
        for (int i = 0; i < 3; i++)
            assert_int_equal(oras_step(rt, NULL, NULL), ORAS_OK);
        assert_int_equal(s->n_stopped, seen + 1); /* nobody asks before it is resumed */
        assert_false(oras_call_done(call));
        seen = s->n_stopped;
        oras_stream_resume(s->stream);
    }
    code = oras_call_result(call, json, err);
    oras_call_free(call);
    return code;
}

static void goes_well(side *s, const char *method, const char *args, const char *expected)
{
    oras_error err = ORAS_ERROR_INIT;
    char *json = NULL;

    if (finish(s, start(s, method, args), &json, &err))
        fail_msg("%s: %s", err.class_name, err.message);
    assert_string_equal(json, expected);
    oras_free(json);
}

static void ends(side *s, const char *method, const char *args, oras_code code,
                 const char *class_name)
{
    oras_error err = ORAS_ERROR_INIT;
    char *json = NULL;
    int n_ended = s->n_ended;

    assert_int_equal(finish(s, start(s, method, args), &json, &err), code);
    assert_string_equal(err.class_name, class_name);
    assert_null(json);
    assert_int_equal(s->n_ended, n_ended);
}

/* --- setup ------------------------------------------------------------------------------------ */

static int make_all(void **state)
{
    unsigned x = 1;

    (void)state;
    if (make_folder(state))
        return -1;
    bytes = malloc(SIZE);
    for (size_t i = 0; bytes && i < SIZE; i++)
        bytes[i] = (char)((x = x * 1103515245u + 12345u) >> 16);
    snprintf(layout, sizeof layout, "%s/layout", folder);
    return bytes ? 0 : -1;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
    (void)st;
    (void)type;
    (void)at;
    return remove(path);
}

static int remove_all(void **state)
{
    (void)state;
    free(bytes);
    return nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static int make_runtime(void **state)
{
    (void)state;
    write_script("echo.lua", provider);
    rt = new_runtime();
    return 0;
}

static int free_runtime(void **state)
{
    (void)state;
    oras_runtime_free(rt);
    rt = NULL;
    return 0;
}

/* --- from the host ------------------------------------------------------------------------------
 */

/* What the upload says of its bytes; the first test keeps the digest for the others. */
static void store(side *s)
{
    oras_error err = ORAS_ERROR_INIT;
    char args[400], *json = NULL, *at;

    snprintf(args, sizeof args, "[\"oci:%s\"]", layout);
    if (finish(s, start(s, "store", args), &json, &err))
        fail_msg("%s: %s", err.class_name, err.message);
    at = strstr(json, "sha256:");
    assert_non_null(at);
    assert_non_null(strstr(json, "\"size\":1048576"));
    snprintf(digest, sizeof digest, "%.71s", at);
    assert_int_equal(s->n_given, SIZE);
    oras_free(json);
}

static void test_an_upload_takes_what_the_host_gives(void **state)
{
    side s = plain;
    char first[sizeof digest];

    (void)state;
    open_side(&s);
    store(&s);
    close_side(&s);
    memcpy(first, digest, sizeof first);
    s = plain;
    s.n_most = 10000;
    s.stops = 1;
    open_side(&s);
    store(&s);
    assert_string_equal(digest, first);
    assert_in_range(s.n_stopped, 100, 110);
    assert_int_equal(s.n_ended, 1);
    close_side(&s);
}

static void test_pieces_are_as_the_host_gives_them(void **state)
{
    side s = plain;

    (void)state;
    s.n_most = SIZE / 4;
    open_side(&s);
    goes_well(&s, "read", "[10000000]", "[262144,262144,262144,262144]");
    close_side(&s);
    s = plain;
    open_side(&s);
    goes_well(&s, "read", "[10000000]", "[1048576]");
    ends(&s, "wrong", "[\"read\"]", ORAS_ESCRIPT, "script");
    close_side(&s);
}

static void test_a_failing_source_fails_the_upload(void **state)
{
    side s = plain;
    char args[400];

    (void)state;
    snprintf(args, sizeof args, "[\"oci:%s\"]", layout);
    s.fails_at = SOME;
    s.n_most = SOME;
    open_side(&s);
    ends(&s, "store", args, ORAS_ECANCELED, "cancelled");
    s.class_name = "io";
    s.n_given = 0;
    ends(&s, "store", args, ORAS_EIO, "io");
    close_side(&s);
}

/* --- to the host --------------------------------------------------------------------------------
 */

static void got_all(const side *s)
{
    assert_int_equal(s->n_got, SIZE);
    assert_memory_equal(s->got, bytes, SIZE);
    assert_int_equal(s->n_begun, 1);
    assert_int_equal(s->n_ended, 1);
}

static void test_a_blob_goes_to_the_host(void **state)
{
    side s = plain;
    char args[400];

    (void)state;
    open_side(&s);
    goes_well(&s, "fetch", reference_args(args, sizeof args, digest, SIZE), "null");
    got_all(&s);
    assert_string_equal(s.head, "{\"size\":1048576}");
    close_side(&s);
    s = plain;
    open_side(&s);
    goes_well(&s, "fetch", reference_args(args, sizeof args, digest, -1), "null");
    got_all(&s);
    close_side(&s);
}

static void test_nothing_comes_while_the_host_is_full(void **state)
{
    side s = plain;
    char args[400];

    (void)state;
    s.stops = 1;
    s.take_most = SOME - 1;
    open_side(&s);
    goes_well(&s, "fetch", reference_args(args, sizeof args, digest, SIZE), "null");
    got_all(&s);
    assert_true(s.n_stopped > 64);
    close_side(&s);
}

/* A byte in the middle of the blob's file is another one. */
static void spoil(long at)
{
    char path[500];
    FILE *file;
    int c;

    snprintf(path, sizeof path, "%s/blobs/sha256/%s", layout, digest + 7);
    file = fopen(path, "r+b");
    assert_non_null(file);
    fseek(file, at, SEEK_SET);
    c = fgetc(file);
    fseek(file, at, SEEK_SET);
    fputc(c ^ 1, file);
    fclose(file);
}

static void test_the_end_is_told_only_of_right_bytes(void **state)
{
    side s = plain;
    char args[400];

    (void)state;
    spoil(SIZE / 2);
    open_side(&s);
    reference_args(args, sizeof args, digest, SIZE);
    ends(&s, "fetch", args, ORAS_EDIGEST, "integrity");
    assert_int_equal(s.n_got, SIZE - 1); /* whoever passes it on does not pass on the whole */
    s.n_got = 0;
    ends(&s, "careless", args, ORAS_EDIGEST, "integrity");
    s.n_got = 0;
    ends(&s, "again", args, ORAS_EINVALID, "usage");
    close_side(&s);
    spoil(SIZE / 2);
    s = plain;
    open_side(&s);
    goes_well(&s, "fetch", args, "null");
    got_all(&s);
    close_side(&s);
}

static void test_a_host_that_fails_ends_the_transfer(void **state)
{
    side s = plain;
    char args[400];

    (void)state;
    reference_args(args, sizeof args, digest, SIZE);
    s.fails_at = SOME;
    open_side(&s);
    ends(&s, "fetch", args, ORAS_ECANCELED, "cancelled");
    assert_true(s.n_got >= SOME && s.n_got < SIZE);
    s.class_name = "not_found";
    s.n_got = 0;
    ends(&s, "fetch", args, ORAS_ENOTFOUND, "not_found");
    s.refuses_begin = 1;
    s.n_got = 0;
    ends(&s, "fetch", args, ORAS_ECANCELED, "cancelled");
    assert_int_equal(s.n_got, 0);
    close_side(&s);
    s = plain;
    s.refuses_end = 1;
    open_side(&s);
    finish(&s, start(&s, "fetch", args), NULL, NULL);
    assert_int_equal(s.n_got, SIZE);
    assert_int_equal(s.n_ended, 1);
    close_side(&s);
}

static void test_text_of_the_providers_own(void **state)
{
    side s = plain;

    (void)state;
    s.stops = 1;
    s.take_most = 1;
    open_side(&s);
    goes_well(&s, "write", NULL, "null");
    assert_int_equal(s.n_got, 3);
    assert_memory_equal(s.got, "abc", 3);
    goes_well(&s, "none", NULL, "\"oras.Stream\"");
    close_side(&s);
}

/* --- lives
 * ---------------------------------------------------------------------------------------- */

static void test_one_call_at_a_time(void **state)
{
    side s = plain;
    oras_error err = ORAS_ERROR_INIT;
    oras_call *call, *other = NULL;
    char args[400], *json = NULL;

    (void)state;
    s.stops = 1;
    open_side(&s);
    call = start(&s, "fetch", reference_args(args, sizeof args, digest, SIZE));
    assert_int_equal(oras_stream_start(s.stream, "echo", "none", NULL, &other, &err),
                     ORAS_EINVALID);
    assert_int_equal(oras_stream_call(s.stream, "echo", "none", NULL, &json, &err), ORAS_EINVALID);
    assert_null(other);
    oras_call_free(call);
    s.stops = 0;
    goes_well(&s, "none", NULL, "\"oras.Stream\"");
    close_side(&s);
}

static void test_nothing_is_asked_after_the_call(void **state)
{
    side s = plain;
    oras_error err = ORAS_ERROR_INIT;
    char *json = NULL;

    (void)state;
    open_side(&s);
    goes_well(&s, "keep", NULL, "null");
    assert_int_equal(oras_call_json(rt, "echo", "kept", NULL, &json, &err), ORAS_ECANCELED);
    assert_int_equal(s.n_got, 0);
    close_side(&s);
}

static void test_a_cancelled_call_asks_no_more(void **state)
{
    side s = plain;
    oras_call *call;
    char args[400], *json = NULL;
    int n_asked;

    (void)state;
    s.stops = 1;
    open_side(&s);
    call = start(&s, "fetch", reference_args(args, sizeof args, digest, SIZE));
    while (s.n_stopped == 0)
        turn();
    oras_call_cancel(call);
    while (!oras_call_done(call))
        turn();
    n_asked = s.n_asked;
    assert_int_equal(oras_call_result(call, &json, NULL), ORAS_ECANCELED);
    oras_stream_resume(s.stream);
    assert_int_equal(oras_step(rt, NULL, NULL), ORAS_OK);
    assert_int_equal(s.n_asked, n_asked);
    assert_int_equal(s.n_ended, 0);
    oras_call_free(call);
    close_side(&s);
}

static void test_streams_are_freed_whenever(void **state)
{
    side s = plain, t = plain;
    oras_error err = ORAS_ERROR_INIT;
    oras_call *call;
    char args[400], *json = NULL;

    (void)state;
    reference_args(args, sizeof args, digest, SIZE);
    s.stops = 1;
    open_side(&s);
    call = start(&s, "fetch", args);
    while (s.n_stopped == 0)
        turn();
    close_side(&s); /* while the call waits for it */
    while (!oras_call_done(call))
        turn();
    assert_int_equal(oras_call_result(call, &json, &err), ORAS_ECANCELED);
    oras_call_free(call);
    s = plain;
    s.frees_itself = 1;
    open_side(&s);
    ends(&s, "fetch", args, ORAS_ECANCELED, "cancelled");
    close_side(&s);
    open_side(&t);
    call = start(&t, "fetch", args); /* goes with the runtime */
    oras_runtime_free(rt);
    rt = NULL;
    assert_int_equal(oras_stream_call(t.stream, "echo", "none", NULL, &json, NULL), ORAS_EINVALID);
    oras_stream_resume(t.stream);
    close_side(&t);
    oras_stream_free(NULL);
    oras_stream_resume(NULL);
}

/* --- blocking
 * --------------------------------------------------------------------------------------- */

typedef struct resumer {
    side *side;
    volatile int over;
} resumer;

/* Another thread of the host's says again and again that there is room. */
static void *resume_on(void *ud)
{
    resumer *r = ud;

    while (!r->over) {
        oras_stream_resume(r->side->stream);
        usleep(100);
    }
    return NULL;
}

static void blocking(side *s, const char *method, const char *args)
{
    oras_error err = ORAS_ERROR_INIT;
    resumer r = {s, 0};
    pthread_t thread;
    char *json = NULL;

    assert_int_equal(pthread_create(&thread, NULL, resume_on, &r), 0);
    if (oras_stream_call(s->stream, "echo", method, args, &json, &err))
        fail_msg("%s: %s", err.class_name, err.message);
    r.over = 1;
    pthread_join(thread, NULL);
    assert_int_equal(s->n_ended, 1);
    oras_free(json);
}

static void test_calls_that_wait(void **state)
{
    side s = plain;
    char args[400];

    (void)state;
    s.stops = 1;
    s.take_most = 65536;
    open_side(&s);
    blocking(&s, "fetch", reference_args(args, sizeof args, digest, SIZE));
    got_all(&s);
    close_side(&s);
    s = plain;
    s.stops = 1;
    open_side(&s);
    snprintf(args, sizeof args, "[\"oci:%s\"]", layout);
    blocking(&s, "store", args);
    assert_int_equal(s.n_given, SIZE);
    close_side(&s);
}

static void test_functions_that_are_not_there(void **state)
{
    oras_stream_functions functions = ORAS_STREAM_INIT;
    side s = plain;
    oras_error err = ORAS_ERROR_INIT;
    char args[400], *json = NULL;

    (void)state;
    assert_int_equal(oras_stream_new(rt, &functions, &s.stream, &err), ORAS_OK);
    goes_well(&s, "none", NULL, "\"oras.Stream\"");
    ends(&s, "fetch", reference_args(args, sizeof args, digest, SIZE), ORAS_EINVALID, "usage");
    ends(&s, "read", "[1]", ORAS_EINVALID, "usage");
    assert_int_equal(oras_stream_call(s.stream, "nobody", "none", NULL, &json, &err),
                     ORAS_ENOTFOUND);
    oras_stream_free(s.stream);
    assert_int_equal(oras_stream_new(NULL, &functions, &s.stream, &err), ORAS_EINVALID);
    assert_int_equal(oras_stream_new(rt, NULL, &s.stream, &err), ORAS_EINVALID);
    assert_int_equal(oras_stream_call(NULL, "echo", "none", NULL, &json, &err), ORAS_EINVALID);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_runtime, free_runtime)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_an_upload_takes_what_the_host_gives), /* first: the others fetch that */
        TEST(test_pieces_are_as_the_host_gives_them),
        TEST(test_a_failing_source_fails_the_upload),
        TEST(test_a_blob_goes_to_the_host),
        TEST(test_nothing_comes_while_the_host_is_full),
        TEST(test_the_end_is_told_only_of_right_bytes),
        TEST(test_a_host_that_fails_ends_the_transfer),
        TEST(test_text_of_the_providers_own),
        TEST(test_one_call_at_a_time),
        TEST(test_nothing_is_asked_after_the_call),
        TEST(test_a_cancelled_call_asks_no_more),
        TEST(test_streams_are_freed_whenever),
        TEST(test_calls_that_wait),
        TEST(test_functions_that_are_not_there),
    };

    return cmocka_run_group_tests_name("stream", tests, make_all, remove_all);
}
