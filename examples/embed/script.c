/* SPDX-License-Identifier: MIT
 * Run a Lua script that uses oras inside a C program:  ./script SCRIPT.lua [ARG...] */
#include <oras.h>
#include <stdio.h>

int main(int argc, char **argv)
{
    oras_error err = ORAS_ERROR_INIT;
    oras_runtime *rt = NULL;

    if (argc < 2) {
        fprintf(stderr, "usage: %s SCRIPT.lua [ARG...]\n", argv[0]);
        return 2;
    }
    if (oras_runtime_new(NULL, &rt, &err) || oras_run_file(rt, argv[1], argc - 2, argv + 2, &err))
        fprintf(stderr, "%s: %s\n", err.class_name, err.message);
    oras_runtime_free(rt);
    return err.exit_status ? err.exit_status : err.code != ORAS_OK;
}
