/* SPDX-License-Identifier: MIT
 * zstd frames (RFC 8878) with their size and a checksum. */
#include "base/alloc.h"
#include "io/codecs.h"
#include "io/compress_internal.h"

#define DEFAULT_LEVEL 3
#define MAX_LEVEL     15 /* a block takes 150 ms there: nobody can be stopped sooner */

typedef struct zstd_writer {
    oras_compressor base;
    const oras_zstd *lib;
    ZSTD_CCtx *context;
} zstd_writer;

static oras_code zstd_probe(oras_error *err)
{
    return oras_zstd_get(err) ? ORAS_OK : oras_class_code(ORAS_C_UNSUPPORTED);
}

static void zstd_free(oras_compressor *compressor)
{
    zstd_writer *w = (zstd_writer *)compressor;

    w->lib->ZSTD_freeCCtx(w->context);
    oras_dealloc(w);
}

static oras_code zstd_make(int level, oras_compressor **out, oras_error *err)
{
    const oras_zstd *lib = oras_zstd_get(err);
    zstd_writer *w = lib ? oras_alloc_zero(1, sizeof *w) : NULL;

    if (!lib)
        return oras_class_code(ORAS_C_UNSUPPORTED);
    if (!w)
        return oras_fail_memory(err);
    w->base.ops = &oras_zstd_compressor;
    w->lib = lib;
    w->context = lib->ZSTD_createCCtx();
    if (!w->context ||
        lib->ZSTD_isError(
            lib->ZSTD_CCtx_setParameter(w->context, ZSTD_c_compressionLevel, level)) ||
        lib->ZSTD_isError(lib->ZSTD_CCtx_setParameter(w->context, ZSTD_c_checksumFlag, 1))) {
        zstd_free(&w->base);
        return oras_fail_memory(err);
    }
    *out = &w->base;
    return ORAS_OK;
}

static size_t zstd_bound(oras_compressor *compressor, size_t size)
{
    return ((const zstd_writer *)compressor)->lib->ZSTD_compressBound(size);
}

static oras_code zstd_run(oras_compressor *compressor, const void *data, size_t size, void *out,
                          size_t capacity, size_t *n_out, oras_error *err)
{
    const zstd_writer *w = (const zstd_writer *)compressor;
    size_t n = w->lib->ZSTD_compress2(w->context, out, capacity, data, size);

    if (w->lib->ZSTD_isError(n)) /* with room for everything only memory can be missing */
        return oras_fail_memory(err);
    *n_out = n;
    return ORAS_OK;
}

const oras_compressor_ops oras_zstd_compressor = {
    .default_level = DEFAULT_LEVEL,
    .max_level = MAX_LEVEL,
    .probe = zstd_probe,
    .make = zstd_make,
    .bound = zstd_bound,
    .run = zstd_run,
    .free = zstd_free,
};
