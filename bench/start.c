/* SPDX-License-Identifier: MIT
 * start PROVIDER: how long a runtime takes to make, and an empty call through JSON.
 * Prints "runtime_us call_us", medians. */
#include <oras.h>

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define N_RUNTIMES 101
#define N_CALLS    10001

static double now_us(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

static int compare(const void *a, const void *b)
{
    double left = *(const double *)a, right = *(const double *)b;

    return (left > right) - (left < right);
}

static double median(double *values, size_t n)
{
    qsort(values, n, sizeof *values, compare);
    return values[n / 2];
}

static int fail(const oras_error *err)
{
    fprintf(stderr, "start: %s\n", err->message);
    return 1;
}

static int time_runtimes(double *out, oras_error *err)
{
    static double times[N_RUNTIMES];

    for (int i = 0; i < N_RUNTIMES; i++) {
        double start = now_us();
        oras_runtime *rt = NULL;

        if (oras_runtime_new(NULL, &rt, err))
            return fail(err);
        times[i] = now_us() - start;
        oras_runtime_free(rt);
    }
    *out = median(times, N_RUNTIMES);
    return 0;
}

static int time_calls(oras_runtime *rt, const char *provider, double *out, oras_error *err)
{
    static double times[N_CALLS];

    for (int i = 0; i < N_CALLS; i++) {
        double start = now_us();
        char *result = NULL;

        if (oras_call_json(rt, provider, "nothing", NULL, &result, err))
            return fail(err);
        oras_free(result);
        times[i] = now_us() - start;
    }
    *out = median(times, N_CALLS);
    return 0;
}

int main(int argc, char **argv)
{
    oras_error err = ORAS_ERROR_INIT;
    oras_runtime *rt = NULL;
    double runtime = 0, call = 0;
    int failed;

    if (argc != 2)
        return 2;
    failed = time_runtimes(&runtime, &err);
    if (!failed && oras_runtime_new(NULL, &rt, &err))
        failed = fail(&err);
    if (!failed)
        failed = time_calls(rt, argv[1], &call, &err);
    oras_runtime_free(rt);
    if (!failed)
        printf("%.1f %.2f\n", runtime, call);
    return failed;
}
