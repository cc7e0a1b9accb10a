/* SPDX-License-Identifier: MIT
 * gzip members (RFC 1952) by libdeflate. Random data costs it as much time as text, so a few
 * samples are tried first, and what does not shrink is stored. */
#include "base/alloc.h"
#include "io/codecs.h"
#include "io/compress_internal.h"

#define DEFAULT_LEVEL 6
#define MAX_LEVEL     9 /* gzip's; the higher ones take ten times as long for one per cent */
#define N_SAMPLES     4
#define SAMPLE_SIZE   ((size_t)16 * 1024)
#define SAMPLE_GOAL   (SAMPLE_SIZE - SAMPLE_SIZE * 3 / 100) /* worth it from here on */

typedef struct deflater {
    oras_compressor base;
    const oras_libdeflate *lib;
    struct libdeflate_compressor *packing, *sampling, *storing;
} deflater;

static oras_code deflater_probe(oras_error *err)
{
    return oras_libdeflate_get(err) ? ORAS_OK : oras_class_code(ORAS_C_UNSUPPORTED);
}

static void free_one(const deflater *d, struct libdeflate_compressor *compressor)
{
    if (compressor)
        d->lib->libdeflate_free_compressor(compressor);
}

static void deflater_free(oras_compressor *compressor)
{
    deflater *d = (deflater *)compressor;

    free_one(d, d->packing);
    free_one(d, d->sampling);
    free_one(d, d->storing);
    oras_dealloc(d);
}

static oras_code deflater_make(int level, oras_compressor **out, oras_error *err)
{
    const oras_libdeflate *lib = oras_libdeflate_get(err);
    deflater *d = lib ? oras_alloc_zero(1, sizeof *d) : NULL;

    if (!lib)
        return oras_class_code(ORAS_C_UNSUPPORTED);
    if (!d)
        return oras_fail_memory(err);
    d->base.ops = &oras_gzip_compressor;
    d->lib = lib;
    d->packing = lib->libdeflate_alloc_compressor(level);
    d->sampling = lib->libdeflate_alloc_compressor(1);
    d->storing = lib->libdeflate_alloc_compressor(0);
    if (!d->packing || !d->sampling || !d->storing) {
        deflater_free(&d->base);
        return oras_fail_memory(err);
    }
    *out = &d->base;
    return ORAS_OK;
}

/* Samples from all over the block; `scratch` has room for one. */
static bool shrinks(const deflater *d, const char *data, size_t size, void *scratch)
{
    size_t step = (size - SAMPLE_SIZE) / (N_SAMPLES - 1);

    for (size_t i = 0; i < N_SAMPLES; i++) {
        if (d->lib->libdeflate_deflate_compress(d->sampling, data + i * step, SAMPLE_SIZE, scratch,
                                                SAMPLE_GOAL))
            return true;
    }
    return false;
}

static size_t deflater_bound(oras_compressor *compressor, size_t size)
{
    const deflater *d = (const deflater *)compressor;
    size_t packed = d->lib->libdeflate_gzip_compress_bound(d->packing, size);
    size_t stored = d->lib->libdeflate_gzip_compress_bound(d->storing, size);

    return packed > stored ? packed : stored;
}

static oras_code deflater_run(oras_compressor *compressor, const void *data, size_t size, void *out,
                              size_t capacity, size_t *n_out, oras_error *err)
{
    const deflater *d = (const deflater *)compressor;
    bool store = size >= N_SAMPLES * SAMPLE_SIZE && !shrinks(d, data, size, out);

    *n_out = d->lib->libdeflate_gzip_compress(store ? d->storing : d->packing, data, size, out,
                                              capacity);
    return *n_out ? ORAS_OK : oras_fail(err, ORAS_C_CONTENT, "a block could not be compressed");
}

const oras_compressor_ops oras_gzip_compressor = {
    .default_level = DEFAULT_LEVEL,
    .max_level = MAX_LEVEL,
    .probe = deflater_probe,
    .make = deflater_make,
    .bound = deflater_bound,
    .run = deflater_run,
    .free = deflater_free,
};
