/* SPDX-License-Identifier: MIT
 * A host for the tests: a folder of scripts and providers, and a runtime that looks there. */
#ifndef TESTS_EMBED_HOST_H
#define TESTS_EMBED_HOST_H

#include <oras.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* after the four above */
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char folder[] = "/tmp/oras-embed-XXXXXX";

/* The path of a file in the folder; lives until the next call. */
static inline const char *in_folder(const char *name)
{
    static char path[256];

    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

static inline const char *write_bytes(const char *name, const char *data, size_t size)
{
    const char *path = in_folder(name);
    FILE *file = fopen(path, "wb");

    assert_non_null(file);
    assert_int_equal(fwrite(data, 1, size, file), size);
    assert_int_equal(fclose(file), 0);
    return path;
}

static inline const char *write_script(const char *name, const char *text)
{
    return write_bytes(name, text, strlen(text));
}

static inline oras_runtime *new_runtime(void)
{
    oras_options opts = ORAS_OPTIONS_INIT;
    oras_error err = ORAS_ERROR_INIT;
    oras_runtime *rt = NULL;

    opts.provider_path = folder;
    if (oras_runtime_new(&opts, &rt, &err))
        fail_msg("%s", err.message);
    return rt;
}

static inline int make_folder(void **state)
{
    (void)state;
    return mkdtemp(folder) ? 0 : -1;
}

static inline int remove_folder(void **state)
{
    static const char *const names[] = {"script.lua", "other.lua", "echo.lua", "bad.lua",
                                        "none.lua"};

    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        unlink(in_folder(names[i]));
    return rmdir(folder);
}

#endif
