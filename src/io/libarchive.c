/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "io/libarchive.h"

#include <pthread.h>

#define LIBRARY "libarchive.so.13"

static pthread_once_t once = PTHREAD_ONCE_INIT;
static oras_libarchive functions;
static bool is_loaded;

static void load(void)
{
    static const char *const names[] = {ORAS_LIBARCHIVE_FUNCTIONS(ORAS_LIBRARY_NAME) NULL};

    is_loaded = oras_library_load(LIBRARY, names, &functions);
    functions.utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
}

oras_code oras_libarchive_get(const oras_libarchive **out, oras_error *err)
{
    pthread_once(&once, load);
    if (!is_loaded)
        return oras_fail(err, ORAS_C_UNSUPPORTED, "reading zip needs '%s', which is not installed",
                         LIBRARY);
    *out = &functions;
    return ORAS_OK;
}

locale_t oras_libarchive_enter(const oras_libarchive *lib)
{
    return lib->utf8 ? uselocale(lib->utf8) : (locale_t)0;
}

void oras_libarchive_leave(const oras_libarchive *lib, locale_t before)
{
    if (lib->utf8)
        uselocale(before);
}
