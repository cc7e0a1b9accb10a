/* SPDX-License-Identifier: MIT
 * Where this library was installed: its own file says it, so that the prefix can move. */
#define _GNU_SOURCE
#include "host/modules.h"

#include <dlfcn.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The code is in lib/liboras.so or in bin/oras-lua; from either the way is another. */
int oras_host_provider_dir(char *buf, size_t size)
{
    static const char *const ways[] = {ORAS_DATA_FROM_BIN, ORAS_DATA_FROM_LIB};
    char file[PATH_MAX];
    Dl_info self;
    char *slash;

    if (!dladdr(ways, &self) || !self.dli_fname || !realpath(self.dli_fname, file))
        return 0;
    slash = strrchr(file, '/');
    if (!slash)
        return 0;
    *slash = '\0';
    for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++) {
        int used = snprintf(buf, size, "%s/%s/oras/providers", file, ways[i]);

        if (used > 0 && (size_t)used < size && access(buf, R_OK) == 0)
            return 1;
    }
    return 0;
}
