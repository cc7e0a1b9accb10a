/* SPDX-License-Identifier: MIT
 * ISA-L, zstd and bzip2, each loaded when the first archive needs it. */
#ifndef ORAS_IO_CODECS_H
#define ORAS_IO_CODECS_H

#include "io/library.h"

#include <bzlib.h>
#include <isa-l/crc.h>
#include <isa-l/igzip_lib.h>
#include <zstd.h>
#include <zstd_errors.h>

#define ORAS_ISAL_FUNCTIONS(X)                                                                     \
    X(crc32_gzip_refl)                                                                             \
    X(isal_inflate)                                                                                \
    X(isal_inflate_init)                                                                           \
    X(isal_inflate_reset)

#define ORAS_ZSTD_FUNCTIONS(X)                                                                     \
    X(ZSTD_DCtx_setParameter)                                                                      \
    X(ZSTD_createDStream)                                                                          \
    X(ZSTD_decompressStream)                                                                       \
    X(ZSTD_freeDStream)                                                                            \
    X(ZSTD_getErrorCode)                                                                           \
    X(ZSTD_isError)

#define ORAS_BZIP2_FUNCTIONS(X)                                                                    \
    X(BZ2_bzDecompress)                                                                            \
    X(BZ2_bzDecompressEnd)                                                                         \
    X(BZ2_bzDecompressInit)

typedef struct oras_isal {
    ORAS_ISAL_FUNCTIONS(ORAS_LIBRARY_FIELD)
} oras_isal;

typedef struct oras_zstd {
    ORAS_ZSTD_FUNCTIONS(ORAS_LIBRARY_FIELD)
} oras_zstd;

typedef struct oras_bzip2 {
    ORAS_BZIP2_FUNCTIONS(ORAS_LIBRARY_FIELD)
} oras_bzip2;

/** NULL, and class unsupported in err, when the library is not there; what they give lives for
 * ever and is the same for all threads. */
const oras_isal *oras_isal_get(oras_error *err);
const oras_zstd *oras_zstd_get(oras_error *err);
const oras_bzip2 *oras_bzip2_get(oras_error *err);

#endif
