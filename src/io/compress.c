/* SPDX-License-Identifier: MIT */
#include "io/compress.h"

#include "io/compress_internal.h"

static const oras_compressor_ops *ops_of(oras_compression compression)
{
    return compression == ORAS_COMPRESSION_GZIP ? &oras_gzip_compressor : &oras_zstd_compressor;
}

oras_code oras_compressor_check(oras_compression compression, int level, oras_error *err)
{
    const oras_compressor_ops *ops = ops_of(compression);
    int max = compression == ORAS_COMPRESSION_NONE ? 0 : ops->max_level;

    if (level < 0 || level > max)
        return oras_fail(err, ORAS_C_USAGE, "compression level %d, expected at most %d", level,
                         max);
    return compression == ORAS_COMPRESSION_NONE ? ORAS_OK : ops->probe(err);
}

oras_code oras_compressor_new(oras_compression compression, int level, oras_compressor **out,
                              oras_error *err)
{
    const oras_compressor_ops *ops = ops_of(compression);

    return ops->make(level ? level : ops->default_level, out, err);
}

void oras_compressor_free(oras_compressor *compressor)
{
    if (compressor)
        compressor->ops->free(compressor);
}

size_t oras_compressor_bound(oras_compressor *compressor, size_t size)
{
    return compressor->ops->bound(compressor, size);
}

oras_code oras_compressor_run(oras_compressor *compressor, const void *data, size_t size, void *out,
                              size_t capacity, size_t *n_out, oras_error *err)
{
    return compressor->ops->run(compressor, data, size, out, capacity, n_out, err);
}
