/* SPDX-License-Identifier: MIT
 * sandbox PROVIDER: an empty call, the first of a runtime and the next ones, plain and sandboxed.
 * Prints "plain_first_us sandboxed_first_us plain_next_us sandboxed_next_us", medians. */
#include "times.h"

#include <oras.h>
#include <stdio.h>

#define N_RUNTIMES 31
#define N_CALLS    1001

static int time_call(oras_runtime *rt, const char *provider, double *out, oras_error *err)
{
    double start = now_us();
    char *result = NULL;

    if (oras_call_json(rt, provider, "nothing", NULL, &result, err))
        return fail(err);
    oras_free(result);
    *out = now_us() - start;
    return 0;
}

static int time_runtime(const char *provider, const char *policy, double *first, double *next)
{
    static double times[N_CALLS];
    oras_options options = ORAS_OPTIONS_INIT;
    oras_error err = ORAS_ERROR_INIT;
    oras_runtime *rt = NULL;
    int failed = 0;

    options.sandbox = policy;
    if (oras_runtime_new(&options, &rt, &err))
        return fail(&err);
    failed = time_call(rt, provider, first, &err);
    for (int i = 0; next && !failed && i < N_CALLS; i++)
        failed = time_call(rt, provider, &times[i], &err);
    if (next && !failed)
        *next = median(times, N_CALLS);
    oras_runtime_free(rt);
    return failed;
}

int main(int argc, char **argv)
{
    static double first[2][N_RUNTIMES];
    const char *policies[] = {NULL, "{}"};
    double next[2];

    if (argc != 2)
        return 2;
    for (int i = 0; i < N_RUNTIMES; i++) { /* in turn; the last are those that go on */
        for (int k = 0; k < 2; k++) {
            if (time_runtime(argv[1], policies[k], &first[k][i],
                             i == N_RUNTIMES - 1 ? &next[k] : NULL))
                return 1;
        }
    }
    printf("%.1f %.1f %.2f %.2f\n", median(first[0], N_RUNTIMES), median(first[1], N_RUNTIMES),
           next[0], next[1]);
    return 0;
}
