/* SPDX-License-Identifier: MIT
 * gzip on ISA-L, one member at a time: it stops behind each, and its trailer check must be
 * read before its state (a wrong checksum comes together with "finished"). */
#include "io/gzip_header.h"
#include "io/inflate.h"

#include "base/alloc.h"
#include "io/codecs.h"

#include <string.h>

typedef struct gzip {
    oras_inflate base;
    bool in_member;    /* the header is through */
    int64_t n_members; /* complete ones */
    const oras_isal *isal;
    oras_gzip_header header;
    struct inflate_state inflate;
} gzip;

static uint32_t clamp(size_t size)
{
    return size < UINT32_MAX ? (uint32_t)size : UINT32_MAX;
}

static oras_code step_header(gzip *g, oras_inflate_io *io, oras_error *err)
{
    size_t taken;
    oras_code code = oras_gzip_header_take(&g->header, g->isal, io->in, io->n_in, &taken, err);

    if (code)
        return g->n_members ? oras_error_wrap(err, code, "behind a gzip member") : code;
    io->in += taken;
    io->n_in -= taken;
    if (g->header.part != ORAS_GZIP_DONE)
        return ORAS_OK;
    g->in_member = true;
    g->isal->isal_inflate_reset(&g->inflate);
    g->inflate.crc_flag = ISAL_GZIP_NO_HDR_VER;
    return ORAS_OK;
}

static oras_code explain(int rc, oras_error *err)
{
    if (rc == ISAL_INCORRECT_CHECKSUM)
        return oras_fail(err, ORAS_C_CONTENT, "gzip member has a wrong checksum or size");
    return oras_fail(err, ORAS_C_CONTENT, "gzip data is damaged");
}

static oras_code step_member(gzip *g, oras_inflate_io *io, oras_error *err)
{
    struct inflate_state *s = &g->inflate;
    uint32_t in = clamp(io->n_in), out = clamp(io->n_out);
    int rc;

    s->next_in = (uint8_t *)io->in; /* read only */
    s->avail_in = in;
    s->next_out = io->out;
    s->avail_out = out;
    rc = g->isal->isal_inflate(s);
    if (rc < 0)
        return explain(rc, err);
    if (in != s->avail_in)
        io->in += in - s->avail_in;
    io->n_in -= in - s->avail_in;
    io->out += out - s->avail_out;
    io->n_out -= out - s->avail_out;
    if (s->block_state == ISAL_BLOCK_FINISH) {
        g->in_member = false;
        g->n_members++;
        memset(&g->header, 0, sizeof g->header);
    }
    return ORAS_OK;
}

static oras_code gzip_step(oras_inflate *self, oras_inflate_io *io, oras_error *err)
{
    gzip *g = (gzip *)self;
    oras_code code = ORAS_OK;

    while (!code) {
        bool was_in_member = g->in_member;

        if (was_in_member)
            code = step_member(g, io, err);
        else if (io->n_in)
            code = step_header(g, io, err);
        if (g->in_member == was_in_member)
            break;
    }
    return code;
}

static oras_code gzip_finish(const oras_inflate *self, oras_error *err)
{
    const gzip *g = (const gzip *)self;

    if (g->in_member || g->header.n_total || g->n_members == 0)
        return oras_fail(err, ORAS_C_CONTENT, "gzip data is cut off");
    return ORAS_OK;
}

static void gzip_free(oras_inflate *self)
{
    oras_dealloc(self);
}

oras_code oras_gzip_new(oras_inflate **out, oras_error *err)
{
    static const oras_inflate_ops ops = {gzip_step, gzip_finish, gzip_free};
    const oras_isal *isal = oras_isal_get(err);
    gzip *g;

    if (!isal)
        return oras_class_code(ORAS_C_UNSUPPORTED);
    g = oras_alloc_zero(1, sizeof *g);
    if (!g)
        return oras_fail_memory(err);
    g->base.ops = &ops;
    g->isal = isal;
    isal->isal_inflate_init(&g->inflate);
    *out = &g->base;
    return ORAS_OK;
}
