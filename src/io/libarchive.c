/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "io/libarchive.h"

#include <dlfcn.h>
#include <pthread.h>
#include <string.h>

#define LIBRARY "libarchive.so.13"

static pthread_once_t once = PTHREAD_ONCE_INIT;
static oras_libarchive functions;
static bool is_loaded;

/* ISO C has no cast from an object's pointer to a function's; POSIX promises that their
 * bytes are the same (dlsym). */
static bool find(void *library, const char *name, void *slot)
{
    void *symbol = dlsym(library, name);

    memcpy(slot, &symbol, sizeof symbol);
    return symbol != NULL;
}

static void load(void)
{
    void *library = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL);

    if (!library)
        return;
    is_loaded = true;
#define FIND(name) is_loaded = find(library, #name, &functions.name) && is_loaded;
    ORAS_LIBARCHIVE_FUNCTIONS(FIND)
#undef FIND
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
