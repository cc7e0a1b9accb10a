/* SPDX-License-Identifier: MIT */
#include "io/inflate.h"

#include "base/alloc.h"
#include "io/codecs.h"

#include <limits.h>

typedef struct bzip2 {
    oras_inflate base;
    const oras_bzip2 *lib;
    bool in_stream;    /* the library holds memory for one */
    int64_t n_streams; /* complete ones */
    bz_stream stream;
} bzip2;

static void *bzip2_alloc(void *opaque, int count, int size)
{
    (void)opaque;
    return oras_alloc_zero((size_t)count, (size_t)size);
}

static void bzip2_dealloc(void *opaque, void *ptr)
{
    (void)opaque;
    oras_dealloc(ptr);
}

static unsigned clamp(size_t size)
{
    return size < UINT_MAX ? (unsigned)size : UINT_MAX;
}

static oras_code explain(const bzip2 *b, int rc, oras_error *err)
{
    if (rc == BZ_MEM_ERROR)
        return oras_fail_memory(err);
    if (rc == BZ_DATA_ERROR_MAGIC)
        return oras_fail(err, ORAS_C_CONTENT, "not bzip2%s",
                         b->n_streams ? ": there are other bytes behind it" : "");
    return oras_fail(err, ORAS_C_CONTENT, "bzip2 data is damaged");
}

static void bzip2_end(bzip2 *b)
{
    if (b->in_stream)
        b->lib->BZ2_bzDecompressEnd(&b->stream);
    b->in_stream = false;
}

static oras_code bzip2_begin(bzip2 *b, oras_error *err)
{
    b->stream = (bz_stream){.bzalloc = bzip2_alloc, .bzfree = bzip2_dealloc};
    if (b->lib->BZ2_bzDecompressInit(&b->stream, 0, 0) != BZ_OK)
        return oras_fail_memory(err);
    b->in_stream = true;
    return ORAS_OK;
}

static oras_code step_stream(bzip2 *b, oras_inflate_io *io, oras_error *err)
{
    unsigned in = clamp(io->n_in), out = clamp(io->n_out);
    int rc;

    b->stream.next_in = (char *)io->in; /* read only */
    b->stream.avail_in = in;
    b->stream.next_out = (char *)io->out;
    b->stream.avail_out = out;
    rc = b->lib->BZ2_bzDecompress(&b->stream);
    if (rc != BZ_OK && rc != BZ_STREAM_END)
        return explain(b, rc, err);
    if (in != b->stream.avail_in)
        io->in += in - b->stream.avail_in;
    io->n_in -= in - b->stream.avail_in;
    io->out += out - b->stream.avail_out;
    io->n_out -= out - b->stream.avail_out;
    if (rc == BZ_STREAM_END) {
        bzip2_end(b);
        b->n_streams++;
    }
    return ORAS_OK;
}

static oras_code bzip2_step(oras_inflate *self, oras_inflate_io *io, oras_error *err)
{
    bzip2 *b = (bzip2 *)self;
    oras_code code = ORAS_OK;

    do {
        if (!b->in_stream && io->n_in)
            code = bzip2_begin(b, err);
        if (!code && b->in_stream)
            code = step_stream(b, io, err);
    } while (!code && !b->in_stream && io->n_in && io->n_out);
    return code;
}

static oras_code bzip2_finish(const oras_inflate *self, oras_error *err)
{
    const bzip2 *b = (const bzip2 *)self;

    if (b->in_stream || b->n_streams == 0)
        return oras_fail(err, ORAS_C_CONTENT, "bzip2 data is cut off");
    return ORAS_OK;
}

static void bzip2_free(oras_inflate *self)
{
    bzip2_end((bzip2 *)self);
    oras_dealloc(self);
}

oras_code oras_bzip2_new(oras_inflate **out, oras_error *err)
{
    static const oras_inflate_ops ops = {bzip2_step, bzip2_finish, bzip2_free};
    const oras_bzip2 *lib = oras_bzip2_get(err);
    bzip2 *b;

    if (!lib)
        return oras_class_code(ORAS_C_UNSUPPORTED);
    b = oras_alloc_zero(1, sizeof *b);
    if (!b)
        return oras_fail_memory(err);
    b->base.ops = &ops;
    b->lib = lib;
    *out = &b->base;
    return ORAS_OK;
}
