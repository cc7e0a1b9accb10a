/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "cmocka_c11.h"
#include "io/sink.h"
#include "io/target.h"

#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#define BIG (3 * 1024 * 1024 + 17)

typedef struct fixture {
    char dir[64];
    oras_pool *pool;
    char *bytes; /* BIG of them */
} fixture;

/* A notification that can be waited for, as the loop would. */
typedef struct bell {
    pthread_mutex_t lock;
    pthread_cond_t rung;
    int n;
} bell;

static bell the_bell = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0};

static void ring(void *ud)
{
    bell *b = ud;

    pthread_mutex_lock(&b->lock);
    b->n++;
    pthread_cond_broadcast(&b->rung);
    pthread_mutex_unlock(&b->lock);
}

static void await_bell(bell *b)
{
    pthread_mutex_lock(&b->lock);
    while (b->n == 0)
        pthread_cond_wait(&b->rung, &b->lock);
    b->n = 0;
    pthread_mutex_unlock(&b->lock);
}

static int set_up(void **state)
{
    fixture *f = calloc(1, sizeof *f);

    snprintf(f->dir, sizeof f->dir, "/tmp/oras-sink-XXXXXX");
    assert_non_null(mkdtemp(f->dir));
    assert_int_equal(oras_pool_new(2, &f->pool, NULL), ORAS_OK);
    f->bytes = malloc(BIG);
    for (size_t i = 0; i < BIG; i++)
        f->bytes[i] = (char)(i * 31 + i / 4096);
    the_bell.n = 0;
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    fixture *f = *state;
    char command[128];

    oras_pool_free(f->pool);
    snprintf(command, sizeof command, "rm -rf %s", f->dir);
    assert_int_equal(system(command), 0);
    free(f->bytes);
    free(f);
    return 0;
}

static oras_expect expect_of(const char *bytes, size_t size)
{
    oras_expect expect = {.has_digest = true, .size = (int64_t)size};

    assert_int_equal(oras_digest_of(ORAS_SHA256, bytes, size, &expect.digest, NULL), ORAS_OK);
    return expect;
}

static char *path_in(const fixture *f, const char *name)
{
    static char path[512];

    snprintf(path, sizeof path, "%s/%s", f->dir, name);
    return path;
}

/* How many entries are there beside . and ..? */
static int count_files(const fixture *f)
{
    DIR *dir = opendir(f->dir);
    int n = 0;

    while (readdir(dir))
        n++;
    closedir(dir);
    return n - 2;
}

static oras_sink *file_sink(fixture *f, const char *name, const oras_expect *expect, bool resume)
{
    oras_file_target target = {.path = path_in(f, name), .resume = resume, .overwrite = true};
    oras_sink *sink = NULL;

    assert_int_equal(oras_sink_file(f->pool, &target, expect, &sink, NULL), ORAS_OK);
    oras_sink_set_notify(sink, (oras_notify){ring, &the_bell});
    return sink;
}

/* Write all of it in pieces as curl does, waiting where the sink is full. */
static oras_flow write_bytes(oras_sink *sink, const char *bytes, size_t size, oras_error *err)
{
    while (size > 0) {
        size_t piece = size < 16384 ? size : 16384;
        oras_flow flow = oras_sink_write(sink, bytes, piece, err);

        if (flow == ORAS_FLOW_FAILED)
            return flow;
        if (flow == ORAS_FLOW_FULL) {
            await_bell(&the_bell);
            continue;
        }
        bytes += piece;
        size -= piece;
    }
    return ORAS_FLOW_OK;
}

static oras_code finish(oras_sink *sink, oras_error *err)
{
    bool pending;
    oras_code code = oras_sink_finish(sink, &pending, err);

    while (!code && pending) {
        await_bell(&the_bell);
        code = oras_sink_finish(sink, &pending, err);
    }
    return code;
}

static int64_t offset_of(oras_sink *sink)
{
    int64_t offset;
    bool pending;

    assert_int_equal(oras_sink_offset(sink, &offset, &pending, NULL), ORAS_OK);
    while (pending) {
        await_bell(&the_bell);
        assert_int_equal(oras_sink_offset(sink, &offset, &pending, NULL), ORAS_OK);
    }
    return offset;
}

static void assert_file(fixture *f, const char *name, const char *bytes, size_t size)
{
    FILE *stream = fopen(path_in(f, name), "rb");
    char *found = malloc(size + 1);

    assert_non_null(stream);
    assert_int_equal(fread(found, 1, size + 1, stream), size);
    assert_memory_equal(found, bytes, size);
    fclose(stream);
    free(found);
}

static void roundtrip(fixture *f, size_t size)
{
    oras_expect expect = expect_of(f->bytes, size);
    oras_sink *sink = file_sink(f, "blob", &expect, true);

    assert_int_equal(offset_of(sink), 0);
    assert_int_equal(oras_sink_begin(sink, 0, NULL), ORAS_OK);
    assert_int_equal(write_bytes(sink, f->bytes, size, NULL), ORAS_FLOW_OK);
    assert_int_not_equal(access(path_in(f, "blob"), F_OK), 0);
    assert_int_equal(finish(sink, NULL), ORAS_OK);
    oras_sink_free(sink);
    assert_file(f, "blob", f->bytes, size);
    assert_int_equal(count_files(f), 1);
    assert_int_equal(unlink(path_in(f, "blob")), 0);
}

static void test_small_file_appears_when_verified(void **state)
{
    roundtrip(*state, 10240);
}

static void test_big_file_appears_when_verified(void **state)
{
    roundtrip(*state, BIG);
}

static void test_empty_file(void **state)
{
    roundtrip(*state, 0);
}

static void test_block_boundaries(void **state)
{
    roundtrip(*state, 256 * 1024);
    roundtrip(*state, 256 * 1024 - 1);
    roundtrip(*state, 8 * 256 * 1024);
}

static void wrong_bytes(fixture *f, size_t size)
{
    oras_expect expect = expect_of(f->bytes, size);
    oras_sink *sink = file_sink(f, "blob", &expect, true);
    oras_error err = ORAS_ERROR_INIT;

    f->bytes[size / 2] ^= 1;
    offset_of(sink);
    assert_int_equal(oras_sink_begin(sink, 0, NULL), ORAS_OK);
    assert_int_equal(write_bytes(sink, f->bytes, size, NULL), ORAS_FLOW_OK);
    assert_int_equal(finish(sink, &err), ORAS_EDIGEST);
    assert_string_equal(err.class_name, "integrity");
    assert_int_equal(count_files(f), 0);

    /* the same sink takes the right bytes afterwards */
    f->bytes[size / 2] ^= 1;
    assert_int_equal(offset_of(sink), 0);
    assert_int_equal(oras_sink_begin(sink, 0, NULL), ORAS_OK);
    assert_int_equal(write_bytes(sink, f->bytes, size, NULL), ORAS_FLOW_OK);
    assert_int_equal(finish(sink, NULL), ORAS_OK);
    oras_sink_free(sink);
    assert_file(f, "blob", f->bytes, size);
    assert_int_equal(count_files(f), 1);
}

static void test_C01_one_bit_wrong_small(void **state)
{
    wrong_bytes(*state, 5000);
}

static void test_C01_one_bit_wrong_big(void **state)
{
    wrong_bytes(*state, BIG);
}

static void test_C02_longer_than_expected(void **state)
{
    fixture *f = *state;
    oras_expect expect = expect_of(f->bytes, 1000);
    oras_sink *sink = file_sink(f, "blob", &expect, true);
    oras_error err = ORAS_ERROR_INIT;

    assert_int_equal(oras_sink_begin(sink, 0, NULL), ORAS_OK);
    assert_int_equal(write_bytes(sink, f->bytes, 1001, &err), ORAS_FLOW_FAILED);
    assert_string_equal(err.class_name, "integrity");
    oras_sink_free(sink);
}

static void test_C02_shorter_than_expected(void **state)
{
    fixture *f = *state;
    oras_expect expect = expect_of(f->bytes, BIG);
    oras_sink *sink = file_sink(f, "blob", &expect, true);
    oras_error err = ORAS_ERROR_INIT;

    assert_int_equal(oras_sink_begin(sink, 0, NULL), ORAS_OK);
    assert_int_equal(write_bytes(sink, f->bytes, BIG - 1, &err), ORAS_FLOW_OK);
    assert_int_equal(finish(sink, &err), ORAS_EDIGEST);
    oras_sink_free(sink);
    assert_int_equal(count_files(f), 0);
}

/* Broken off after `first` bytes and taken up by a new sink, as the next process would. */
static void take_up(fixture *f, size_t size, size_t first)
{
    oras_expect expect = expect_of(f->bytes, size);
    oras_sink *sink = file_sink(f, "blob", &expect, true);

    assert_int_equal(offset_of(sink), 0);
    assert_int_equal(oras_sink_begin(sink, 0, NULL), ORAS_OK);
    assert_int_equal(write_bytes(sink, f->bytes, first, NULL), ORAS_FLOW_OK);
    oras_sink_abort(sink);
    oras_sink_free(sink);
    assert_int_equal(count_files(f), 1);

    sink = file_sink(f, "blob", &expect, true);
    assert_int_equal(offset_of(sink), (int64_t)first);
    assert_int_equal(oras_sink_begin(sink, (int64_t)first, NULL), ORAS_OK);
    assert_int_equal(write_bytes(sink, f->bytes + first, size - first, NULL), ORAS_FLOW_OK);
    assert_int_equal(finish(sink, NULL), ORAS_OK);
    oras_sink_free(sink);
    assert_file(f, "blob", f->bytes, size);
    assert_int_equal(count_files(f), 1);
    unlink(path_in(f, "blob"));
}

static void test_L09_partial_file_is_taken_up(void **state)
{
    take_up(*state, 5000, 1234);
    take_up(*state, BIG, 100);
    take_up(*state, BIG, 2 * 1024 * 1024 + 5);
}

static void test_abort_keeps_position_in_the_same_sink(void **state)
{
    fixture *f = *state;
    oras_expect expect = expect_of(f->bytes, BIG);
    oras_sink *sink = file_sink(f, "blob", &expect, true);
    size_t first = 1000001;

    offset_of(sink);
    assert_int_equal(oras_sink_begin(sink, 0, NULL), ORAS_OK);
    assert_int_equal(write_bytes(sink, f->bytes, first, NULL), ORAS_FLOW_OK);
    oras_sink_abort(sink);
    assert_int_equal(offset_of(sink), (int64_t)first);
    assert_int_equal(oras_sink_begin(sink, (int64_t)first, NULL), ORAS_OK);
    assert_int_equal(write_bytes(sink, f->bytes + first, BIG - first, NULL), ORAS_FLOW_OK);
    assert_int_equal(finish(sink, NULL), ORAS_OK);
    oras_sink_free(sink);
    assert_file(f, "blob", f->bytes, BIG);
}

static void test_N39_begin_at_zero_restarts(void **state)
{
    fixture *f = *state;
    oras_expect expect = expect_of(f->bytes, BIG);
    oras_sink *sink = file_sink(f, "blob", &expect, true);

    offset_of(sink);
    assert_int_equal(oras_sink_begin(sink, 0, NULL), ORAS_OK);
    assert_int_equal(write_bytes(sink, f->bytes, 700000, NULL), ORAS_FLOW_OK);
    oras_sink_abort(sink);
    assert_int_equal(oras_sink_begin(sink, 0, NULL), ORAS_OK);
    assert_int_equal(write_bytes(sink, f->bytes, BIG, NULL), ORAS_FLOW_OK);
    assert_int_equal(finish(sink, NULL), ORAS_OK);
    oras_sink_free(sink);
    assert_file(f, "blob", f->bytes, BIG);
}

static void test_without_resume_nothing_stays(void **state)
{
    fixture *f = *state;
    oras_expect expect = expect_of(f->bytes, BIG);
    oras_sink *sink = file_sink(f, "blob", &expect, false);

    assert_int_equal(oras_sink_begin(sink, 0, NULL), ORAS_OK);
    assert_int_equal(write_bytes(sink, f->bytes, 700000, NULL), ORAS_FLOW_OK);
    oras_sink_free(sink);
    assert_int_equal(count_files(f), 0);
}

static void test_remove_partial(void **state)
{
    fixture *f = *state;
    oras_expect expect = expect_of(f->bytes, BIG);
    oras_sink *sink = file_sink(f, "blob", &expect, true);

    offset_of(sink);
    assert_int_equal(oras_sink_begin(sink, 0, NULL), ORAS_OK);
    assert_int_equal(write_bytes(sink, f->bytes, 700000, NULL), ORAS_FLOW_OK);
    oras_sink_remove_partial(sink);
    oras_sink_free(sink);
    assert_int_equal(count_files(f), 0);
}

static void test_corrupt_partial_ends_in_integrity_and_goes(void **state)
{
    fixture *f = *state;
    oras_expect expect = expect_of(f->bytes, 5000);
    char name[200];
    int fd;
    oras_sink *sink;

    snprintf(name, sizeof name, ".oras-partial-sha256-%s", oras_digest_encoded(&expect.digest));
    fd = open(path_in(f, name), O_WRONLY | O_CREAT, 0600);
    assert_int_equal(write(fd, "garbage", 7), 7);
    close(fd);
    sink = file_sink(f, "blob", &expect, true);
    assert_int_equal(offset_of(sink), 7);
    assert_int_equal(oras_sink_begin(sink, 7, NULL), ORAS_OK);
    assert_int_equal(write_bytes(sink, f->bytes + 7, 4993, NULL), ORAS_FLOW_OK);
    assert_int_equal(finish(sink, NULL), ORAS_EDIGEST);
    assert_int_equal(offset_of(sink), 0);
    oras_sink_free(sink);
    assert_int_equal(count_files(f), 0);
}

static void test_L11_two_sinks_of_one_digest(void **state)
{
    fixture *f = *state;
    oras_expect expect = expect_of(f->bytes, BIG);
    oras_sink *first = file_sink(f, "one", &expect, true);
    oras_sink *second = file_sink(f, "two", &expect, true);

    assert_int_equal(oras_sink_begin(first, 0, NULL), ORAS_OK);
    assert_int_equal(oras_sink_begin(second, 0, NULL), ORAS_OK);
    for (size_t at = 0; at < BIG; at += 65536) {
        size_t piece = BIG - at < 65536 ? BIG - at : 65536;

        assert_int_equal(write_bytes(first, f->bytes + at, piece, NULL), ORAS_FLOW_OK);
        assert_int_equal(write_bytes(second, f->bytes + at, piece, NULL), ORAS_FLOW_OK);
    }
    assert_int_equal(finish(first, NULL), ORAS_OK);
    assert_int_equal(finish(second, NULL), ORAS_OK);
    oras_sink_free(first);
    oras_sink_free(second);
    assert_file(f, "one", f->bytes, BIG);
    assert_file(f, "two", f->bytes, BIG);
    assert_int_equal(count_files(f), 2);
}

static void test_L08_target_is_a_directory(void **state)
{
    fixture *f = *state;
    oras_expect expect = expect_of(f->bytes, 10);
    oras_error err = ORAS_ERROR_INIT;
    int64_t offset;
    bool pending;
    oras_sink *sink;

    assert_int_equal(mkdir(path_in(f, "dir"), 0700), 0);
    sink = file_sink(f, "dir", &expect, true);
    assert_int_equal(oras_sink_offset(sink, &offset, &pending, &err), ORAS_EIO);
    assert_string_equal(err.class_name, "io");
    oras_sink_free(sink);
    assert_int_equal(count_files(f), 1);
}

static void test_L08_devices_and_fifos_are_not_replaced(void **state)
{
    fixture *f = *state;
    oras_expect expect = expect_of(f->bytes, 10);
    oras_error err = ORAS_ERROR_INIT;
    struct stat st;
    int64_t offset;
    bool pending;
    oras_sink *sink;

    assert_int_equal(mkfifo(path_in(f, "fifo"), 0600), 0);
    sink = file_sink(f, "fifo", &expect, true);
    assert_class(oras_sink_offset(sink, &offset, &pending, &err), ORAS_C_PATH);
    oras_sink_free(sink);
    assert_int_equal(stat(path_in(f, "fifo"), &st), 0);
    assert_true(S_ISFIFO(st.st_mode));
}

static void test_a_private_file_stays_private(void **state)
{
    fixture *f = *state;
    oras_expect expect = expect_of(f->bytes, 10);
    oras_sink *sink = file_sink(f, "blob", &expect, true);
    struct stat st;

    close(open(path_in(f, "blob"), O_CREAT | O_WRONLY, 0600));
    assert_int_equal(oras_sink_begin(sink, 0, NULL), ORAS_OK);
    assert_int_equal(write_bytes(sink, f->bytes, 10, NULL), ORAS_FLOW_OK);
    assert_int_equal(finish(sink, NULL), ORAS_OK);
    oras_sink_free(sink);
    assert_int_equal(stat(path_in(f, "blob"), &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
}

static void test_L08_exists_without_overwrite(void **state)
{
    fixture *f = *state;
    oras_expect expect = expect_of(f->bytes, 10);
    oras_file_target target = {.resume = true};
    oras_error err = ORAS_ERROR_INIT;
    int64_t offset;
    bool pending;
    oras_sink *sink;

    close(open(path_in(f, "there"), O_CREAT | O_WRONLY, 0644));
    target.path = path_in(f, "there");
    assert_int_equal(oras_sink_file(f->pool, &target, &expect, &sink, NULL), ORAS_OK);
    assert_int_equal(oras_sink_offset(sink, &offset, &pending, &err), ORAS_EINVALID);
    assert_string_equal(err.class_name, "exists");
    oras_sink_free(sink);
}

static void test_L08_symlink_is_replaced_not_followed(void **state)
{
    fixture *f = *state;
    oras_expect expect = expect_of(f->bytes, 10);
    char other[512];
    struct stat st;
    oras_sink *sink;

    snprintf(other, sizeof other, "%s", path_in(f, "other"));
    close(open(other, O_CREAT | O_WRONLY, 0644));
    assert_int_equal(symlink(other, path_in(f, "link")), 0);
    sink = file_sink(f, "link", &expect, true);
    assert_int_equal(oras_sink_begin(sink, 0, NULL), ORAS_OK);
    assert_int_equal(write_bytes(sink, f->bytes, 10, NULL), ORAS_FLOW_OK);
    assert_int_equal(finish(sink, NULL), ORAS_OK);
    oras_sink_free(sink);
    assert_int_equal(stat(other, &st), 0);
    assert_int_equal(st.st_size, 0);
    assert_file(f, "link", f->bytes, 10);
}

static void test_L12_temporary_is_private_and_mode_follows_umask(void **state)
{
    fixture *f = *state;
    oras_expect expect = expect_of(f->bytes, 10);
    oras_sink *sink = file_sink(f, "blob", &expect, true);
    mode_t mask = umask(0);
    char name[200];
    struct stat st;

    umask(mask);
    assert_int_equal(oras_sink_begin(sink, 0, NULL), ORAS_OK);
    snprintf(name, sizeof name, ".oras-partial-sha256-%s", oras_digest_encoded(&expect.digest));
    assert_int_equal(stat(path_in(f, name), &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_int_equal(write_bytes(sink, f->bytes, 10, NULL), ORAS_FLOW_OK);
    assert_int_equal(finish(sink, NULL), ORAS_OK);
    oras_sink_free(sink);
    assert_int_equal(stat(path_in(f, "blob"), &st), 0);
    assert_int_equal(st.st_mode & 0777, 0666 & ~mask);
}

/* The mode of a file that was put in place with that target. */
static mode_t mode_of_file(fixture *f, const oras_file_target *target)
{
    oras_expect expect = expect_of(f->bytes, 10);
    oras_sink *sink;
    struct stat st;

    assert_int_equal(oras_sink_file(f->pool, target, &expect, &sink, NULL), ORAS_OK);
    assert_int_equal(oras_sink_begin(sink, 0, NULL), ORAS_OK);
    assert_int_equal(write_bytes(sink, f->bytes, 10, NULL), ORAS_FLOW_OK);
    assert_int_equal(finish(sink, NULL), ORAS_OK);
    oras_sink_free(sink);
    assert_int_equal(stat(target->path, &st), 0);
    return st.st_mode & 07777;
}

static void test_W11_mode_is_asked_for(void **state)
{
    fixture *f = *state;
    oras_file_target target = {.path = path_in(f, "tool"), .overwrite = true, .mode = 04777};
    mode_t mask = umask(0);

    umask(mask);
    assert_int_equal(mode_of_file(f, &target), 0777 & ~mask);
    target.exact = true;
    assert_int_equal(mode_of_file(f, &target), 0777);
    target.mode = 0; /* that of the file that it replaces */
    assert_int_equal(mode_of_file(f, &target), 0777);
    target.mode = 0440;
    assert_int_equal(mode_of_file(f, &target), 0440);
}

static void test_missing_parents_are_made(void **state)
{
    fixture *f = *state;
    oras_expect expect = expect_of(f->bytes, 10);
    oras_sink *sink = file_sink(f, "a/b/c/blob", &expect, true);

    assert_int_equal(oras_sink_begin(sink, 0, NULL), ORAS_OK);
    assert_int_equal(write_bytes(sink, f->bytes, 10, NULL), ORAS_FLOW_OK);
    assert_int_equal(finish(sink, NULL), ORAS_OK);
    oras_sink_free(sink);
    assert_file(f, "a/b/c/blob", f->bytes, 10);
}

static void test_L01_disk_full(void **state)
{
    fixture *f = *state;
    oras_expect expect = expect_of(f->bytes, BIG);
    oras_error err = ORAS_ERROR_INIT;
    char command[160];
    oras_sink *sink;

    snprintf(command, sizeof command, "mount -t tmpfs -o size=1m none %s 2>/dev/null", f->dir);
    if (system(command) != 0) {
        print_message("[  SKIPPED ] needs the right to mount a small tmpfs\n");
        skip();
    }
    sink = file_sink(f, "blob", &expect, true);
    assert_int_equal(oras_sink_begin(sink, 0, NULL), ORAS_OK);
    if (write_bytes(sink, f->bytes, BIG, &err) == ORAS_FLOW_OK)
        assert_int_equal(finish(sink, &err), ORAS_EIO);
    assert_string_equal(err.class_name, "io");
    assert_non_null(strstr(err.message, "No space left"));
    oras_sink_free(sink);
    assert_int_equal(count_files(f), 0);
    snprintf(command, sizeof command, "umount %s", f->dir);
    assert_int_equal(system(command), 0);
}

/* The write failed while more was expected; the end of the body must not wait for it again. */
static void test_L01_a_write_that_failed_before_the_end_is_told_at_the_end(void **state)
{
    fixture *f = *state;
    oras_expect expect = expect_of(f->bytes, BIG);
    oras_sink *sink = file_sink(f, "blob", &expect, true);
    struct rlimit old, small;
    oras_error err = ORAS_ERROR_INIT;

    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
    small = (struct rlimit){.rlim_cur = 100000, .rlim_max = old.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    assert_int_equal(oras_sink_begin(sink, 0, NULL), ORAS_OK);
    assert_int_equal(write_bytes(sink, f->bytes, 256 * 1024, NULL), ORAS_FLOW_OK);
    await_bell(&the_bell);
    alarm(20);
    assert_int_equal(finish(sink, &err), ORAS_EIO);
    alarm(0);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
    assert_string_equal(err.class_name, "io");
    oras_sink_free(sink);
    assert_int_equal(count_files(f), 0);
}

static void touch_old(const fixture *f, const char *name)
{
    struct timespec times[2] = {{.tv_sec = 1000}, {.tv_sec = 1000}};

    close(open(path_in(f, name), O_CREAT | O_WRONLY, 0600));
    assert_int_equal(utimensat(AT_FDCWD, path_in(f, name), times, 0), 0);
}

static void test_L09_sweep_removes_stale_temporaries_only(void **state)
{
    fixture *f = *state;
    int locked;

    touch_old(f, ".oras-partial-sha256-old");
    touch_old(f, ".oras-partial-own-locked");
    close(open(path_in(f, ".oras-partial-own-fresh"), O_CREAT | O_WRONLY, 0600));
    close(open(path_in(f, ".oras-partial-sha256-fresh"), O_CREAT | O_WRONLY, 0600));
    close(open(path_in(f, "other"), O_CREAT | O_WRONLY, 0600));
    locked = open(path_in(f, ".oras-partial-own-locked"), O_RDWR);
    assert_int_equal(flock(locked, LOCK_EX), 0);
    oras_partial_sweep(f->dir);
    assert_int_not_equal(access(path_in(f, ".oras-partial-sha256-old"), F_OK), 0);
    assert_int_not_equal(access(path_in(f, ".oras-partial-own-fresh"), F_OK), 0);
    assert_int_equal(access(path_in(f, ".oras-partial-own-locked"), F_OK), 0);
    assert_int_equal(access(path_in(f, ".oras-partial-sha256-fresh"), F_OK), 0);
    assert_int_equal(access(path_in(f, "other"), F_OK), 0);
    close(locked);
}

static void test_memory_limit(void **state)
{
    oras_error err = ORAS_ERROR_INIT;
    oras_sink *sink;

    (void)state;
    assert_int_equal(oras_sink_memory(10, NULL, &sink, NULL), ORAS_OK);
    assert_int_equal(oras_sink_begin(sink, 0, NULL), ORAS_OK);
    assert_int_equal(oras_sink_write(sink, "0123456789", 10, &err), ORAS_FLOW_OK);
    assert_int_equal(oras_sink_write(sink, "x", 1, &err), ORAS_FLOW_FAILED);
    assert_string_equal(err.class_name, "limit");
    oras_sink_free(sink);
}

static void test_stream_is_bounded_and_goes_on(void **state)
{
    fixture *f = *state;
    oras_expect expect = expect_of(f->bytes, 300000);
    size_t written = 0, size, got = 0;
    bool ended = false, pending;
    const void *data;
    oras_sink *sink;

    assert_int_equal(oras_sink_stream(65536, &expect, &sink, NULL), ORAS_OK);
    oras_sink_set_notify(sink, (oras_notify){ring, &the_bell});
    assert_int_equal(oras_sink_begin(sink, 0, NULL), ORAS_OK);
    while (!ended) {
        size_t piece = 300000 - written < 16384 ? 300000 - written : 16384;

        if (piece > 0) {
            oras_flow flow = oras_sink_write(sink, f->bytes + written, piece, NULL);

            assert_int_not_equal(flow, ORAS_FLOW_FAILED);
            if (flow == ORAS_FLOW_OK)
                written += piece;
            if (written == 100 * 1024) { /* broken off and begun again from the start */
                oras_sink_abort(sink);
                assert_int_equal(oras_sink_begin(sink, 0, NULL), ORAS_OK);
                written = 0;
            }
            if (written == 300000)
                assert_int_equal(oras_sink_finish(sink, &pending, NULL), ORAS_OK);
            if (flow == ORAS_FLOW_OK && written < 300000)
                continue;
        }
        do {
            assert_int_equal(oras_sink_read(sink, &data, &size, &ended, NULL), ORAS_OK);
            assert_memory_equal(data, f->bytes + got, size);
            got += size;
        } while (size > 0);
    }
    assert_int_equal(got, 300000);
    oras_sink_free(sink);
}

static void test_stream_tells_a_wrong_digest_at_the_end(void **state)
{
    fixture *f = *state;
    oras_expect expect = expect_of(f->bytes, 100);
    oras_error err = ORAS_ERROR_INIT;
    bool ended, pending;
    const void *data;
    size_t size;
    oras_sink *sink;

    f->bytes[3] ^= 1;
    assert_int_equal(oras_sink_stream(65536, &expect, &sink, NULL), ORAS_OK);
    assert_int_equal(oras_sink_begin(sink, 0, NULL), ORAS_OK);
    assert_int_equal(oras_sink_write(sink, f->bytes, 100, NULL), ORAS_FLOW_OK);
    assert_int_equal(oras_sink_finish(sink, &pending, NULL), ORAS_EDIGEST);
    assert_int_equal(oras_sink_read(sink, &data, &size, &ended, &err), ORAS_OK);
    assert_int_equal(size, 100);
    assert_int_equal(oras_sink_read(sink, &data, &size, &ended, &err), ORAS_EDIGEST);
    assert_string_equal(err.class_name, "integrity");
    oras_sink_free(sink);
}

#define T(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(test_small_file_appears_when_verified),
        T(test_big_file_appears_when_verified),
        T(test_empty_file),
        T(test_block_boundaries),
        T(test_C01_one_bit_wrong_small),
        T(test_C01_one_bit_wrong_big),
        T(test_C02_longer_than_expected),
        T(test_C02_shorter_than_expected),
        T(test_L09_partial_file_is_taken_up),
        T(test_abort_keeps_position_in_the_same_sink),
        T(test_N39_begin_at_zero_restarts),
        T(test_without_resume_nothing_stays),
        T(test_remove_partial),
        T(test_corrupt_partial_ends_in_integrity_and_goes),
        T(test_L11_two_sinks_of_one_digest),
        T(test_L08_target_is_a_directory),
        T(test_L08_devices_and_fifos_are_not_replaced),
        T(test_a_private_file_stays_private),
        T(test_L08_exists_without_overwrite),
        T(test_L08_symlink_is_replaced_not_followed),
        T(test_L12_temporary_is_private_and_mode_follows_umask),
        T(test_W11_mode_is_asked_for),
        T(test_missing_parents_are_made),
        T(test_L01_disk_full),
        T(test_L01_a_write_that_failed_before_the_end_is_told_at_the_end),
        T(test_L09_sweep_removes_stale_temporaries_only),
        T(test_memory_limit),
        T(test_stream_is_bounded_and_goes_on),
        T(test_stream_tells_a_wrong_digest_at_the_end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
