/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "source_help.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define KB   1024
#define RING (64 * KB)

typedef struct fixture {
    char dir[64], path[96];
    char bytes[3 * RING];
} fixture;

static int set_up(void **state)
{
    fixture *f = calloc(1, sizeof *f);

    snprintf(f->dir, sizeof f->dir, "/tmp/oras-source-XXXXXX");
    assert_non_null(mkdtemp(f->dir));
    snprintf(f->path, sizeof f->path, "%s/file", f->dir);
    for (size_t i = 0; i < sizeof f->bytes; i++)
        f->bytes[i] = (char)(i * 7 + i / 251);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    fixture *f = *state;

    unlink(f->path);
    rmdir(f->dir);
    free(f);
    return 0;
}

static void put_file(const char *path, const void *data, size_t size)
{
    FILE *file = fopen(path, "wb");

    assert_non_null(file);
    assert_int_equal(fwrite(data, 1, size, file), size);
    fclose(file);
}

/* --- memory and files ------------------------------------------------------------------- */

static void test_memory_is_read_and_sought(void **state)
{
    fixture *f = *state;
    oras_error err = ORAS_ERROR_INIT;
    oras_source *source;

    assert_int_equal(oras_source_memory(f->bytes, 1000, &source, NULL), ORAS_OK);
    assert_int_equal(oras_source_size(source), 1000);
    assert_true(oras_source_can_seek(source));
    assert_false(oras_source_digest(source, NULL, NULL));
    assert_gives(source, f->bytes, 1000, 7);
    assert_int_equal(oras_source_seek(source, 990, NULL), ORAS_OK);
    assert_gives(source, f->bytes + 990, 10, 100);
    assert_int_equal(oras_source_seek(source, 1000, NULL), ORAS_OK);
    assert_gives(source, "", 0, 100);
    assert_class(oras_source_seek(source, 1001, &err), ORAS_C_USAGE);
    assert_class(oras_source_seek(source, -1, &err), ORAS_C_USAGE);
    oras_source_free(source);
    oras_source_free(NULL);
}

static void test_file_is_read_and_sought(void **state)
{
    fixture *f = *state;
    oras_error err = ORAS_ERROR_INIT;
    oras_source *source;

    put_file(f->path, f->bytes, sizeof f->bytes);
    assert_int_equal(oras_source_file(f->path, &source, NULL), ORAS_OK);
    assert_int_equal(oras_source_size(source), sizeof f->bytes);
    assert_true(oras_source_can_seek(source));
    assert_gives(source, f->bytes, sizeof f->bytes, 1000);
    assert_int_equal(oras_source_seek(source, 0, NULL), ORAS_OK);
    assert_gives(source, f->bytes, sizeof f->bytes, sizeof f->bytes);
    assert_int_equal(oras_source_seek(source, 5, NULL), ORAS_OK);
    assert_gives(source, f->bytes + 5, sizeof f->bytes - 5, sizeof f->bytes * 2);
    assert_class(oras_source_seek(source, sizeof f->bytes + 1, &err), ORAS_C_USAGE);
    oras_source_free(source);
}

static void test_empty_file_ends_at_once(void **state)
{
    fixture *f = *state;
    oras_source *source;

    put_file(f->path, "", 0);
    assert_int_equal(oras_source_file(f->path, &source, NULL), ORAS_OK);
    assert_int_equal(oras_source_size(source), 0);
    assert_gives(source, "", 0, 10);
    oras_source_free(source);
}

/* A time stamp of the kernel's moves with its tick: wait until it has. */
static void let_time_pass(const char *dir, const struct stat *before)
{
    char path[128];
    struct stat now;

    snprintf(path, sizeof path, "%s/tick", dir);
    do {
        put_file(path, "", 0);
        assert_int_equal(stat(path, &now), 0);
        unlink(path);
    } while (now.st_mtim.tv_sec == before->st_mtim.tv_sec &&
             now.st_mtim.tv_nsec == before->st_mtim.tv_nsec);
}

typedef void change_fn(fixture *f);

static void grow(fixture *f)
{
    assert_int_equal(truncate(f->path, sizeof f->bytes + 1), 0);
}

static void shrink(fixture *f)
{
    assert_int_equal(truncate(f->path, sizeof f->bytes - 1), 0);
}

static void rewrite(fixture *f)
{
    put_file(f->path, f->bytes, sizeof f->bytes);
}

static void replace(fixture *f)
{
    char other[128];

    snprintf(other, sizeof other, "%s/other", f->dir);
    put_file(other, f->bytes, sizeof f->bytes);
    assert_int_equal(rename(other, f->path), 0);
}

/* The last byte of a file that changed never leaves: who sends it cannot complete a request. */
static void changed(fixture *f, change_fn *change)
{
    char out[sizeof f->bytes + 1];
    oras_error err = ORAS_ERROR_INIT;
    oras_source *source;
    struct stat before;
    size_t total;

    put_file(f->path, f->bytes, sizeof f->bytes);
    assert_int_equal(oras_source_file(f->path, &source, NULL), ORAS_OK);
    assert_int_equal(stat(f->path, &before), 0);
    let_time_pass(f->dir, &before);
    assert_int_equal(oras_source_read(source, out, 100, &total, NULL), ORAS_SOURCE_DATA);
    change(f);
    assert_int_equal(drain(source, out, 1000, &total, &err), ORAS_SOURCE_FAILED);
    assert_class(err.code, ORAS_C_CONTENT);
    assert_non_null(strstr(err.message, f->path));
    assert_true(total < sizeof f->bytes - 100);
    oras_source_free(source);
}

static void test_L06_changed_file_is_content(void **state)
{
    changed(*state, grow);
    changed(*state, shrink);
    changed(*state, rewrite);
    changed(*state, replace);
}

static void refused(const char *path, oras_class class)
{
    oras_error err = ORAS_ERROR_INIT;
    oras_source *source;

    assert_class(oras_source_file(path, &source, &err), class);
    assert_non_null(strstr(err.message, path));
}

static void test_L07_what_is_no_regular_file_is_usage(void **state)
{
    fixture *f = *state;
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    refused(f->dir, ORAS_C_USAGE);
    refused("/dev/zero", ORAS_C_USAGE);
    refused("/nonexistent/file", ORAS_C_IO);
    assert_int_equal(mkfifo(f->path, 0600), 0);
    refused(f->path, ORAS_C_USAGE);
    unlink(f->path);
    snprintf(address.sun_path, sizeof address.sun_path, "%s", f->path);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    refused(f->path, ORAS_C_USAGE);
    close(fd);
}

static void test_L07_unreadable_file_is_io(void **state)
{
    fixture *f = *state;

    put_file(f->path, "x", 1);
    chmod(f->path, 0);
    if (geteuid() != 0)
        refused(f->path, ORAS_C_IO);
}

/* Its size is said to be 0. */
static void test_L07_file_of_the_kernel_is_read(void **state)
{
    char out[64 * KB];
    oras_source *source;
    size_t total, again;

    (void)state;
    assert_int_equal(oras_source_file("/proc/self/status", &source, NULL), ORAS_OK);
    assert_int_equal(oras_source_size(source), -1);
    assert_int_equal(drain(source, out, 100, &total, NULL), ORAS_SOURCE_END);
    assert_memory_equal(out, "Name:", 5);
    assert_int_equal(oras_source_seek(source, 0, NULL), ORAS_OK);
    assert_int_equal(drain(source, out, 4 * KB, &again, NULL), ORAS_SOURCE_END);
    assert_memory_equal(out, "Name:", 5);
    oras_source_free(source);
}

/* Reading it fails (EIO): nothing is mapped at address 0. */
static void test_L04_read_error_is_io(void **state)
{
    oras_error err = ORAS_ERROR_INIT;
    oras_source *source;
    size_t n;
    char out[8];

    (void)state;
    assert_int_equal(oras_source_file("/proc/self/mem", &source, NULL), ORAS_OK);
    assert_int_equal(oras_source_read(source, out, sizeof out, &n, &err), ORAS_SOURCE_FAILED);
    assert_class(err.code, ORAS_C_IO);
    oras_source_free(source);
}

static void test_L07_sparse_file_beyond_4_gib(void **state)
{
    const off_t size = ((off_t)5 << 30) + 3;
    fixture *f = *state;
    char zero[100] = "";
    oras_source *source;

    put_file(f->path, "", 0);
    assert_int_equal(truncate(f->path, size), 0);
    assert_int_equal(oras_source_file(f->path, &source, NULL), ORAS_OK);
    assert_int_equal(oras_source_size(source), size);
    assert_int_equal(oras_source_seek(source, size - 100, NULL), ORAS_OK);
    assert_gives(source, zero, 100, 64);
    oras_source_free(source);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_memory_is_read_and_sought),
        TEST(test_file_is_read_and_sought),
        TEST(test_empty_file_ends_at_once),
        TEST(test_L06_changed_file_is_content),
        TEST(test_L07_what_is_no_regular_file_is_usage),
        TEST(test_L07_unreadable_file_is_io),
        TEST(test_L07_file_of_the_kernel_is_read),
        TEST(test_L04_read_error_is_io),
        TEST(test_L07_sparse_file_beyond_4_gib),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
