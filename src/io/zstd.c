/* SPDX-License-Identifier: MIT */
#include "io/inflate.h"

#include "base/alloc.h"
#include "io/codecs.h"

#define WINDOW_LOG_MAX 27 /* 128 MiB, the most that decoders commonly take */
#define MAGIC_SIZE     4

typedef struct zstd {
    oras_inflate base;
    const oras_zstd *lib;
    ZSTD_DStream *stream;
    size_t n_magic;   /* bytes of the frame's magic number seen; 4 inside a frame */
    int64_t n_frames; /* complete ones */
} zstd;

/* The library also reads its formats from before RFC 8878, where Debian builds it so. */
static bool magic_is_right(size_t at, uint8_t byte)
{
    static const uint8_t frame[] = {0x28, 0xb5, 0x2f, 0xfd};
    static const uint8_t skippable[] = {0x50, 0x2a, 0x4d, 0x18};

    if (at == 0)
        return byte == frame[0] || (byte & 0xf0) == skippable[0];
    return byte == frame[at] || byte == skippable[at];
}

static oras_code check_magic(zstd *z, const oras_inflate_io *io, oras_error *err)
{
    for (size_t i = 0; i < io->n_in && z->n_magic < MAGIC_SIZE; i++) {
        if (!magic_is_right(z->n_magic++, io->in[i]))
            return oras_fail(err, ORAS_C_CONTENT, "not zstd%s",
                             z->n_frames ? ": there are other bytes behind it" : "");
    }
    return ORAS_OK;
}

static oras_code explain(const zstd *z, size_t rc, oras_error *err)
{
    switch (z->lib->ZSTD_getErrorCode(rc)) {
    case ZSTD_error_frameParameter_windowTooLarge:
        return oras_fail(err, ORAS_C_LIMIT, "zstd frame needs a window of more than %d MiB",
                         1 << (WINDOW_LOG_MAX - 20));
    case ZSTD_error_memory_allocation:
        return oras_fail_memory(err);
    case ZSTD_error_dictionary_wrong:
        return oras_fail(err, ORAS_C_CONTENT, "zstd frame needs a dictionary");
    case ZSTD_error_checksum_wrong:
        return oras_fail(err, ORAS_C_CONTENT, "zstd frame has a wrong checksum");
    default:
        return oras_fail(err, ORAS_C_CONTENT, "zstd data is damaged");
    }
}

static oras_code step_frame(zstd *z, oras_inflate_io *io, oras_error *err)
{
    ZSTD_inBuffer in = {io->in, io->n_in, 0};
    ZSTD_outBuffer out = {io->out, io->n_out, 0};
    size_t rc = z->lib->ZSTD_decompressStream(z->stream, &out, &in);

    if (z->lib->ZSTD_isError(rc))
        return explain(z, rc, err);
    if (in.pos)
        io->in += in.pos;
    io->n_in -= in.pos;
    io->out += out.pos;
    io->n_out -= out.pos;
    if (rc == 0) {
        z->n_magic = 0;
        z->n_frames++;
    }
    return ORAS_OK;
}

static oras_code zstd_step(oras_inflate *self, oras_inflate_io *io, oras_error *err)
{
    zstd *z = (zstd *)self;
    oras_code code = ORAS_OK;

    do {
        code = check_magic(z, io, err);
        if (!code && z->n_magic)
            code = step_frame(z, io, err);
    } while (!code && z->n_magic == 0 && io->n_in && io->n_out);
    return code;
}

static oras_code zstd_finish(const oras_inflate *self, oras_error *err)
{
    const zstd *z = (const zstd *)self;

    if (z->n_magic || z->n_frames == 0)
        return oras_fail(err, ORAS_C_CONTENT, "zstd data is cut off");
    return ORAS_OK;
}

static void zstd_free(oras_inflate *self)
{
    zstd *z = (zstd *)self;

    z->lib->ZSTD_freeDStream(z->stream);
    oras_dealloc(self);
}

oras_code oras_zstd_new(oras_inflate **out, oras_error *err)
{
    static const oras_inflate_ops ops = {zstd_step, zstd_finish, zstd_free};
    const oras_zstd *lib = oras_zstd_get(err);
    zstd *z;

    if (!lib)
        return oras_class_code(ORAS_C_UNSUPPORTED);
    z = oras_alloc_zero(1, sizeof *z);
    if (!z)
        return oras_fail_memory(err);
    z->base.ops = &ops;
    z->lib = lib;
    z->stream = lib->ZSTD_createDStream();
    if (!z->stream || lib->ZSTD_isError(lib->ZSTD_DCtx_setParameter(z->stream, ZSTD_d_windowLogMax,
                                                                    WINDOW_LOG_MAX))) {
        zstd_free(&z->base);
        return oras_fail_memory(err);
    }
    *out = &z->base;
    return ORAS_OK;
}
