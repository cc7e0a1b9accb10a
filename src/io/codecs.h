/* SPDX-License-Identifier: MIT
 * ISA-L, libdeflate, zstd and bzip2, each loaded when the first archive needs it. */
#ifndef ORAS_IO_CODECS_H
#define ORAS_IO_CODECS_H

#include "io/library.h"

#include <bzlib.h>
#include <isa-l/crc.h>
#include <isa-l/igzip_lib.h>
#include <libdeflate.h>
#include <zstd.h>
#include <zstd_errors.h>

#define ORAS_ISAL_FUNCTIONS(X)                                                                     \
    X(crc32_gzip_refl)                                                                             \
    X(isal_inflate)                                                                                \
    X(isal_inflate_init)                                                                           \
    X(isal_inflate_reset)

#define ORAS_LIBDEFLATE_FUNCTIONS(X)                                                               \
    X(libdeflate_alloc_compressor)                                                                 \
    X(libdeflate_deflate_compress)                                                                 \
    X(libdeflate_free_compressor)                                                                  \
    X(libdeflate_gzip_compress)                                                                    \
    X(libdeflate_gzip_compress_bound)

#define ORAS_ZSTD_FUNCTIONS(X)                                                                     \
    X(ZSTD_CCtx_setParameter)                                                                      \
    X(ZSTD_DCtx_setParameter)                                                                      \
    X(ZSTD_compress2)                                                                              \
    X(ZSTD_compressBound)                                                                          \
    X(ZSTD_createCCtx)                                                                             \
    X(ZSTD_createDStream)                                                                          \
    X(ZSTD_decompressStream)                                                                       \
    X(ZSTD_freeCCtx)                                                                               \
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

typedef struct oras_libdeflate {
    ORAS_LIBDEFLATE_FUNCTIONS(ORAS_LIBRARY_FIELD)
} oras_libdeflate;

typedef struct oras_zstd {
    ORAS_ZSTD_FUNCTIONS(ORAS_LIBRARY_FIELD)
} oras_zstd;

typedef struct oras_bzip2 {
    ORAS_BZIP2_FUNCTIONS(ORAS_LIBRARY_FIELD)
} oras_bzip2;

/** NULL, and class unsupported in err, when the library is not there; what they give lives for
 * ever and is the same for all threads. */
const oras_isal *oras_isal_get(oras_error *err);
const oras_libdeflate *oras_libdeflate_get(oras_error *err);
const oras_zstd *oras_zstd_get(oras_error *err);
const oras_bzip2 *oras_bzip2_get(oras_error *err);

#endif
