/* SPDX-License-Identifier: MIT
 * calls PROVIDER REFERENCE: 100 calls of `digest` at once through this program's own loop, and one
 * call of `digests`, which does the same by oras.map; in turn.
 * Prints "loop_us map_us", medians. */
#include "times.h"

#include <oras.h>
#include <poll.h>
#include <stdio.h>

#define N_CALLS  100
#define N_ROUNDS 51

static const char *provider, *args;

static int run_loop(oras_runtime *rt, oras_error *err)
{
    int pending = N_CALLS;

    while (pending > 0) {
        struct pollfd p = {oras_pollfd(rt), POLLIN, 0};

        poll(&p, 1, oras_timeout_ms(rt));
        if (oras_step(rt, &pending, err))
            return fail(err);
    }
    return 0;
}

static int end_call(oras_call *call, oras_error *err)
{
    char *result = NULL;
    int failed = oras_call_result(call, &result, err) ? fail(err) : 0;

    oras_free(result);
    oras_call_free(call);
    return failed;
}

static int by_loop(oras_runtime *rt, oras_error *err)
{
    oras_call *calls[N_CALLS];

    for (int i = 0; i < N_CALLS; i++) {
        if (oras_call_start(rt, provider, "digest", args, &calls[i], err))
            return fail(err);
    }
    if (run_loop(rt, err))
        return 1;
    for (int i = 0; i < N_CALLS; i++) {
        if (end_call(calls[i], err))
            return 1;
    }
    return 0;
}

static int by_map(oras_runtime *rt, oras_error *err)
{
    char *result = NULL;

    if (oras_call_json(rt, provider, "digests", args, &result, err))
        return fail(err);
    oras_free(result);
    return 0;
}

/* The first round warms connections up. */
static int measure(oras_runtime *rt, oras_error *err)
{
    static double loop[N_ROUNDS + 1], map[N_ROUNDS + 1];

    for (int i = 0; i <= N_ROUNDS; i++) {
        double start = now_us();

        if (by_loop(rt, err))
            return 1;
        loop[i] = now_us() - start;
        start = now_us();
        if (by_map(rt, err))
            return 1;
        map[i] = now_us() - start;
    }
    printf("%.1f %.1f\n", median(loop + 1, N_ROUNDS), median(map + 1, N_ROUNDS));
    return 0;
}

int main(int argc, char **argv)
{
    oras_error err = ORAS_ERROR_INIT;
    oras_runtime *rt = NULL;
    char json[512];
    int failed;

    if (argc != 3)
        return 2;
    provider = argv[1];
    snprintf(json, sizeof json, "[\"%s\", %d]", argv[2], N_CALLS);
    args = json;
    failed = oras_runtime_new(NULL, &rt, &err) ? fail(&err) : measure(rt, &err);
    oras_runtime_free(rt);
    return failed;
}
