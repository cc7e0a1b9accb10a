/* SPDX-License-Identifier: MIT
 * The kinds of compressors. */
#ifndef ORAS_IO_COMPRESS_INTERNAL_H
#define ORAS_IO_COMPRESS_INTERNAL_H

#include "io/compress.h"

typedef struct oras_compressor_ops {
    int default_level, max_level;
    oras_code (*probe)(oras_error *err); /* is the library there? */
    oras_code (*make)(int level, oras_compressor **out, oras_error *err);
    size_t (*bound)(oras_compressor *compressor, size_t size);
    oras_code (*run)(oras_compressor *compressor, const void *data, size_t size, void *out,
                     size_t capacity, size_t *n_out, oras_error *err);
    void (*free)(oras_compressor *compressor);
} oras_compressor_ops;

/* A kind embeds it first. */
struct oras_compressor {
    const oras_compressor_ops *ops;
};

extern const oras_compressor_ops oras_gzip_compressor; /* deflate.c */
extern const oras_compressor_ops oras_zstd_compressor; /* zstd_write.c */

#endif
