/* SPDX-License-Identifier: MIT
 * 1000 runtimes, one after the other: memory, threads and descriptors stay as they are. */
#include "host.h"

#include <dirent.h>
#include <malloc.h>

#define N_RUNTIMES 1000
#define N_FIRST    100   /* until caches of the process are full */
#define MOST_KB    2048L /* what a heap may be larger by; a runtime is some hundred KiB */

static long count(const char *directory)
{
    DIR *stream = opendir(directory);
    long n = 0;

    assert_non_null(stream);
    while (readdir(stream))
        n++;
    closedir(stream);
    return n;
}

static long resident_kb(void)
{
    long pages = 0, resident = 0;
    FILE *file = fopen("/proc/self/statm", "r");

    malloc_trim(0);
    assert_non_null(file);
    assert_int_equal(fscanf(file, "%ld %ld", &pages, &resident), 2);
    fclose(file);
    return resident * (sysconf(_SC_PAGESIZE) / 1024);
}

static void make_and_free(int n)
{
    for (int i = 0; i < n; i++) {
        oras_runtime *rt = new_runtime();
        oras_error err = ORAS_ERROR_INIT;
        char *json = NULL;

        if (oras_call_json(rt, "echo", "echo", "[1]", &json, &err))
            fail_msg("%s", err.message);
        assert_string_equal(json, "1");
        oras_free(json);
        oras_runtime_free(rt);
    }
}

static void test_runtimes_leave_nothing(void **state)
{
    long memory, threads, descriptors, grown;

    (void)state;
    write_script("echo.lua", "local E = require 'oras'.Registry:extend 'E'\n"
                             "function E:echo(value) return value end\n"
                             "return E\n");
    make_and_free(N_FIRST);
    memory = resident_kb();
    threads = count("/proc/self/task");
    descriptors = count("/proc/self/fd");
    make_and_free(N_RUNTIMES);
    grown = resident_kb() - memory;
    print_message("%d runtimes: %ld KiB more than %ld; %ld threads, %ld descriptors\n", N_RUNTIMES,
                  grown, memory, threads - 2, descriptors - 3);
    assert_int_equal(count("/proc/self/task"), threads);
    assert_int_equal(count("/proc/self/fd"), descriptors);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__) /* they keep what is freed */
    assert_true(grown < MOST_KB);
#endif
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_runtimes_leave_nothing)};

    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
