/* SPDX-License-Identifier: MIT */
#include "io/codecs.h"

#include <pthread.h>

/* One library: its functions, whether they are there, and the look for them, once. */
#define LIBRARY(noun, use, FUNCTIONS, file)                                                        \
    static oras_##noun noun##_functions;                                                           \
    static bool noun##_is_there;                                                                   \
    static pthread_once_t noun##_once = PTHREAD_ONCE_INIT;                                         \
                                                                                                   \
    static void load_##noun(void)                                                                  \
    {                                                                                              \
        static const char *const names[] = {FUNCTIONS(ORAS_LIBRARY_NAME) NULL};                    \
                                                                                                   \
        noun##_is_there = oras_library_load(file, names, &noun##_functions);                       \
    }                                                                                              \
                                                                                                   \
    const oras_##noun *oras_##noun##_get(oras_error *err)                                          \
    {                                                                                              \
        pthread_once(&noun##_once, load_##noun);                                                   \
        if (noun##_is_there)                                                                       \
            return &noun##_functions;                                                              \
        oras_fail(err, ORAS_C_UNSUPPORTED, use " needs '%s', which is not installed", file);       \
        return NULL;                                                                               \
    }

LIBRARY(isal, "reading gzip", ORAS_ISAL_FUNCTIONS, "libisal.so.2")
LIBRARY(libdeflate, "writing gzip", ORAS_LIBDEFLATE_FUNCTIONS, "libdeflate.so.0")
LIBRARY(zstd, "zstd", ORAS_ZSTD_FUNCTIONS, "libzstd.so.1")
LIBRARY(bzip2, "reading bzip2", ORAS_BZIP2_FUNCTIONS, "libbz2.so.1.0")
