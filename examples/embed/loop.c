/* SPDX-License-Identifier: MIT
 * Inspect several conda packages at once in a loop of the program's own:
 * cc loop.c $(pkg-config --cflags --libs oras) */
#include <oras.h>
#include <poll.h>
#include <stdio.h>

#define MAX 16

static int print_result(oras_call *call)
{
    oras_error err = ORAS_ERROR_INIT;
    char *json = NULL;

    if (oras_call_result(call, &json, &err))
        fprintf(stderr, "%s: %s\n", err.class_name, err.message);
    else
        puts(json);
    oras_free(json);
    return err.code;
}

/* Other descriptors of the program's would stand beside the one of the runtime. */
static int turn(oras_runtime *rt, int *pending, oras_error *err)
{
    struct pollfd p = {oras_pollfd(rt), POLLIN, 0};

    poll(&p, 1, oras_timeout_ms(rt));
    return oras_step(rt, pending, err);
}

int main(int argc, char **argv)
{
    oras_error err = ORAS_ERROR_INIT;
    oras_runtime *rt = NULL;
    oras_call *calls[MAX];
    char args[1024];
    int n = 0, pending = 1, failed = 0;

    if (oras_runtime_new(NULL, &rt, &err))
        return fprintf(stderr, "%s\n", err.message), 1;
    for (int i = 1; i < argc && n < MAX; i++) {
        snprintf(args, sizeof args, "[\"%s\"]", argv[i]);
        if (!oras_call_start(rt, "conda", "inspect", args, &calls[n], &err))
            n++;
    }
    while (pending > 0 && !err.code)
        turn(rt, &pending, &err);
    for (int i = 0; i < n; i++) {
        failed |= print_result(calls[i]);
        oras_call_free(calls[i]);
    }
    oras_runtime_free(rt);
    return err.code || failed;
}
