/* SPDX-License-Identifier: MIT
 * start PROVIDER: how long a runtime takes to make, and an empty call through JSON.
 * Prints "runtime_us call_us", medians. */
#include "times.h"

#include <oras.h>
#include <stdio.h>

#define N_RUNTIMES 101
#define N_CALLS    10001

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
