/* SPDX-License-Identifier: MIT
 * Blocks packed one by one: each gives a gzip member or a zstd frame of its own, whose bytes
 * depend on nothing else, so that any thread may take any block. */
#ifndef ORAS_IO_COMPRESS_H
#define ORAS_IO_COMPRESS_H

#include "io/pack.h"

/** One thread at a time. */
typedef struct oras_compressor oras_compressor;

/** Class usage for a level that is none (0 is the default); unsupported when the library is
 * not there. */
oras_code oras_compressor_check(oras_compression compression, int level, oras_error *err);

oras_code oras_compressor_new(oras_compression compression, int level, oras_compressor **out,
                              oras_error *err);
void oras_compressor_free(oras_compressor *compressor);

/** The most that `size` bytes become. */
size_t oras_compressor_bound(oras_compressor *compressor, size_t size);

/** Pack `size` > 0 bytes; `capacity` is at least their bound. */
oras_code oras_compressor_run(oras_compressor *compressor, const void *data, size_t size, void *out,
                              size_t capacity, size_t *n_out, oras_error *err);

#endif
