/* SPDX-License-Identifier: MIT */
#include "io/library.h"

#include <dlfcn.h>
#include <string.h>

bool oras_library_load(const char *file, const char *const *names, void *slots)
{
    void *library = dlopen(file, RTLD_NOW | RTLD_LOCAL);
    char *slot = slots;

    if (!library)
        return false;
    for (; *names; names++, slot += sizeof(void (*)(void))) {
        void *symbol = dlsym(library, *names);

        /* ISO C has no cast from an object's pointer to a function's; POSIX promises that
         * their bytes are the same (dlsym) */
        memcpy(slot, &symbol, sizeof symbol);
        if (!symbol)
            return false;
    }
    return true;
}
