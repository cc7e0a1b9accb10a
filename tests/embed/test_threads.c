/* SPDX-License-Identifier: MIT
 * Several runtimes in several threads share nothing but the allocator, the host's own here. */
#include "host.h"

#include <pthread.h>
#include <stdatomic.h>

enum { N_THREADS = 4, N_ROUNDS = 20 };

static atomic_size_t live;

static void *resize(void *ud, void *ptr, size_t size)
{
    assert_ptr_equal(ud, &live);
    if (size == 0) {
        free(ptr);
        atomic_fetch_sub(&live, 1);
        return NULL;
    }
    if (!ptr)
        atomic_fetch_add(&live, 1);
    return realloc(ptr, size);
}

/* Gives what went wrong, or NULL. */
static void *inspect_often(void *slot)
{
    static char problems[N_THREADS][600];
    char *problem = problems[(intptr_t)slot];

    for (int i = 0; i < N_ROUNDS; i++) {
        oras_error err = ORAS_ERROR_INIT;
        oras_runtime *rt = NULL;
        char *json = NULL;

        if (oras_runtime_new(NULL, &rt, &err) ||
            oras_call_json(rt, "conda", "inspect", "[\"oci:examples/layout:1.0.0-0\"]", &json,
                           &err))
            snprintf(problem, sizeof problems[0], "%s", err.message);
        oras_free(json);
        oras_runtime_free(rt);
        if (*problem)
            return problem;
    }
    return NULL;
}

static void test_s10_two_runtimes_in_two_threads(void **state)
{
    const oras_allocator allocator = {resize, &live};
    oras_error err = ORAS_ERROR_INIT;
    pthread_t threads[N_THREADS];

    (void)state;
    assert_int_equal(oras_global_init(&allocator, &err), ORAS_OK);
    for (intptr_t i = 0; i < N_THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, inspect_often, (void *)i), 0);
    for (int i = 0; i < N_THREADS; i++) {
        void *problem = NULL;

        pthread_join(threads[i], &problem);
        if (problem)
            fail_msg("%s", (char *)problem);
    }
    assert_int_equal(oras_global_init(NULL, &err), ORAS_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_s10_two_runtimes_in_two_threads)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
