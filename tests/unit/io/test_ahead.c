/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "io/ahead.h"
#include "io/source.h"
#include "source_help.h"

#include <fcntl.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MIB  ((size_t)1024 * 1024)
#define SIZE (20 * MIB + 12345)

static char path[64];
static char *bytes;
static oras_pool *pool;
static sem_t told;

static void tell(void *ud)
{
    sem_post(ud);
}

static int set_up(void **state)
{
    int fd;

    (void)state;
    snprintf(path, sizeof path, "/tmp/oras-ahead-XXXXXX");
    fd = mkstemp(path);
    bytes = malloc(SIZE);
    for (size_t i = 0; i < SIZE; i++)
        bytes[i] = (char)(i * 31 + i / 4093);
    assert_int_equal(write(fd, bytes, SIZE), SIZE);
    close(fd);
    assert_int_equal(sem_init(&told, 0, 0), 0);
    return oras_pool_new(0, &pool, NULL);
}

static int tear_down(void **state)
{
    (void)state;
    oras_pool_free(pool);
    free(bytes);
    return unlink(path);
}

/* Out of the page cache, where the file system lets us. */
static void forget_pages(void)
{
    int fd = open(path, O_RDONLY);

    fdatasync(fd);
    posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
    close(fd);
}

static int64_t await_ready(oras_ahead *ahead, int64_t position)
{
    int64_t ready;

    while ((ready = oras_ahead_ready(ahead, position)) == 0)
        sem_wait(&told);
    return ready;
}

static void test_worker_goes_ahead_of_its_reader(void **state)
{
    int fd = open(path, O_RDONLY);
    int64_t position = 0, ready;
    oras_ahead *ahead;

    (void)state;
    assert_int_equal(oras_ahead_new(pool, fd, SIZE, &ahead, NULL), ORAS_OK);
    oras_ahead_set_notify(ahead, (oras_notify){tell, &told});
    while (position < (int64_t)SIZE) {
        ready = await_ready(ahead, position);
        assert_in_range(ready, 1, SIZE - (size_t)position);
        assert_in_range(ready, 1, 9 * MIB); /* it does not run away */
        position += ready;
    }
    assert_int_equal(position, SIZE);
    oras_ahead_restart(ahead, 5);
    assert_in_range(await_ready(ahead, 5), 1, SIZE);
    oras_ahead_free(ahead); /* while it works */
    oras_ahead_free(NULL);
    close(fd);
}

/* The reader gets the error, or the end, where the worker met it. */
static void test_what_fails_is_left_to_the_reader(void **state)
{
    oras_ahead *ahead;

    (void)state;
    assert_int_equal(oras_ahead_new(pool, -1, SIZE, &ahead, NULL), ORAS_OK);
    oras_ahead_set_notify(ahead, (oras_notify){tell, &told});
    assert_int_equal(await_ready(ahead, 0), SIZE);
    oras_ahead_free(ahead);
}

static void read_all(oras_source *source, int64_t from)
{
    char *out = malloc(SIZE), *at = out;
    oras_source_step step;
    size_t n;

    assert_int_equal(oras_source_seek(source, from, NULL), ORAS_OK);
    do {
        step = oras_source_read(source, at, MIB, &n, NULL);
        if (step == ORAS_SOURCE_WAIT)
            sem_wait(&told);
        at += n;
    } while (step == ORAS_SOURCE_DATA || step == ORAS_SOURCE_WAIT);
    assert_int_equal(step, ORAS_SOURCE_END);
    assert_int_equal(at - out, (int64_t)SIZE - from);
    assert_memory_equal(out, bytes + from, SIZE - (size_t)from);
    free(out);
}

static void test_file_gives_its_bytes_wherever_they_lie(void **state)
{
    oras_source *source;

    (void)state;
    forget_pages();
    assert_int_equal(oras_source_file(path, &source, NULL), ORAS_OK);
    oras_source_set_pool(source, pool);
    oras_source_set_notify(source, (oras_notify){tell, &told});
    read_all(source, 0);
    read_all(source, 3 * (int64_t)MIB + 1);
    forget_pages();
    read_all(source, 0);
    oras_source_set_pool(source, NULL);
    assert_gives(source, "", 0, 10);
    read_all(source, 77);
    oras_source_free(source);
}

static void test_small_file_is_read_at_once(void **state)
{
    oras_source *source;

    (void)state;
    assert_int_equal(truncate(path, 1000), 0);
    forget_pages();
    assert_int_equal(oras_source_file(path, &source, NULL), ORAS_OK);
    oras_source_set_pool(source, pool);
    assert_gives(source, bytes, 1000, 77);
    oras_source_free(source);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_worker_goes_ahead_of_its_reader),
        cmocka_unit_test(test_what_fails_is_left_to_the_reader),
        cmocka_unit_test(test_file_gives_its_bytes_wherever_they_lie),
        cmocka_unit_test(test_small_file_is_read_at_once),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
