/* SPDX-License-Identifier: MIT
 * A sink whose bytes go to a function at once, as much as it takes. What was handed over cannot
 * be taken back, so a transfer that begins anew goes on where the last one broke off; and where
 * the size is known the last byte waits until all of them are known to be right: whoever passes
 * them on would take the whole for complete. */
#include "io/sink_taker.h"
#include "base/alloc.h"
#include "io/sink_internal.h"

typedef struct taker_sink {
    oras_sink base;
    oras_taker taker; /* take NULL: nobody takes any more */
    bool waiting;     /* the function did not take all */
    bool verified, ended;
    bool has_last;
    char last;
} taker_sink;

static oras_code taker_offset(oras_sink *sink, int64_t *offset, bool *pending, oras_error *err)
{
    (void)pending;
    (void)err;
    *offset = sink->count;
    return ORAS_OK;
}

static oras_code taker_begin(oras_sink *sink, int64_t offset, oras_error *err)
{
    (void)err;
    sink->skip = sink->count - offset;
    ((taker_sink *)sink)->has_last = false;
    return ORAS_OK;
}

/* Hand over as much as is taken; FAILED with err. */
static oras_flow give(taker_sink *sink, const char *data, size_t size, size_t *taken,
                      oras_error *err)
{
    int64_t n = (int64_t)size;

    *taken = 0;
    if (size == 0)
        return ORAS_FLOW_OK;
    if (!sink->taker.take) {
        oras_fail(err, ORAS_C_CANCELLED, "nobody takes the bytes any more");
        return ORAS_FLOW_FAILED;
    }
    sink->waiting = false;
    n = sink->taker.take(sink->taker.ud, data, size, err);
    if (n < 0)
        return ORAS_FLOW_FAILED;
    *taken = (uint64_t)n < size ? (size_t)n : size;
    sink->waiting = *taken < size;
    return sink->waiting ? ORAS_FLOW_FULL : ORAS_FLOW_OK;
}

static bool completes(const oras_sink *sink, size_t size)
{
    return size > 0 && sink->expect.has_digest && sink->expect.size == sink->count + (int64_t)size;
}

static oras_flow taker_write(oras_sink *sink, const void *data, size_t size, oras_error *err)
{
    taker_sink *taker = (taker_sink *)sink;
    size_t seen = sink->skip < (int64_t)size ? (size_t)sink->skip : size;
    const char *bytes = (const char *)data + seen;
    size_t n = size - seen, taken;
    bool last = completes(sink, n);
    oras_flow flow = give(taker, bytes, last ? n - 1 : n, &taken, err);

    if (flow != ORAS_FLOW_FAILED && oras_sink_account(sink, bytes, taken, err))
        flow = ORAS_FLOW_FAILED;
    if (flow == ORAS_FLOW_FULL) { /* the same bytes come again */
        sink->skip += (int64_t)taken;
    } else if (flow == ORAS_FLOW_OK) {
        sink->skip -= (int64_t)seen;
        taker->has_last = last;
        taker->last = last ? bytes[n - 1] : '\0';
    }
    return flow;
}

static oras_code verify(taker_sink *taker, oras_error *err)
{
    oras_code code = ORAS_OK;

    if (taker->has_last)
        code = oras_sink_account(&taker->base, &taker->last, 1, err);
    if (!code)
        code = oras_sink_verify(&taker->base, err);
    taker->verified = !code;
    return code;
}

static oras_code taker_finish(oras_sink *sink, bool *pending, oras_error *err)
{
    taker_sink *taker = (taker_sink *)sink;
    oras_code code = taker->verified ? ORAS_OK : verify(taker, err);
    size_t taken;

    if (code)
        return code;
    if (taker->has_last) {
        oras_flow flow = give(taker, &taker->last, 1, &taken, err);

        if (flow == ORAS_FLOW_FAILED)
            return err->code;
        *pending = flow == ORAS_FLOW_FULL;
        if (*pending)
            return ORAS_OK;
        taker->has_last = false;
    }
    if (!taker->ended && taker->taker.verified)
        taker->taker.verified(taker->taker.ud);
    taker->ended = true;
    return ORAS_OK;
}

static void taker_free(oras_sink *sink)
{
    taker_sink *taker = (taker_sink *)sink;

    if (taker->taker.take && taker->taker.gone)
        taker->taker.gone(taker->taker.ud);
    oras_sink_dispose(sink);
    oras_dealloc(taker);
}

static const oras_sink_ops taker_ops = {.offset = taker_offset,
                                        .begin = taker_begin,
                                        .write = taker_write,
                                        .finish = taker_finish,
                                        .free = taker_free,
                                        .rests = true};

oras_code oras_sink_taker(const oras_taker *taker, const oras_expect *expect, oras_sink **out,
                          oras_error *err)
{
    taker_sink *sink = oras_alloc_zero(1, sizeof *sink);
    oras_code code;

    if (!sink)
        return oras_fail_memory(err);
    code = oras_sink_init(&sink->base, &taker_ops, expect, err);
    if (code) {
        oras_dealloc(sink);
        return code;
    }
    sink->taker = *taker;
    *out = &sink->base;
    return ORAS_OK;
}

bool oras_sink_is_taker(const oras_sink *sink)
{
    return sink->ops == &taker_ops;
}

void oras_sink_taker_resume(oras_sink *sink)
{
    taker_sink *taker = (taker_sink *)sink;

    if (!taker->waiting)
        return;
    taker->waiting = false;
    oras_sink_tell(sink);
}

void oras_sink_taker_leave(oras_sink *sink)
{
    taker_sink *taker = (taker_sink *)sink;

    taker->taker.take = NULL;
    taker->taker.verified = NULL;
    oras_sink_taker_resume(sink); /* so that whoever waits finds nobody there */
}
