/* SPDX-License-Identifier: MIT
 * Inspect a conda package from C:  cc call.c $(pkg-config --cflags --libs oras) */
#include <oras.h>
#include <stdio.h>

int main(int argc, char **argv)
{
    oras_error err = ORAS_ERROR_INIT;
    oras_runtime *rt = NULL;
    char *json = NULL;
    char args[1024];

    snprintf(args, sizeof args, "[\"%s\"]", argc > 1 ? argv[1] : "oci:examples/layout:1.0.0-0");
    if (oras_runtime_new(NULL, &rt, &err) ||
        oras_call_json(rt, "conda", "inspect", args, &json, &err))
        fprintf(stderr, "%s: %s\n", err.class_name, err.message);
    else
        puts(json);
    oras_free(json);
    oras_runtime_free(rt);
    return err.code;
}
