/* SPDX-License-Identifier: MIT
 * What all sinks have in common, and the two simplest: memory and discard. */
#include "io/sink.h"

#include "base/alloc.h"
#include "io/sink_internal.h"

#include <string.h>

oras_code oras_sink_init(oras_sink *sink, const oras_sink_ops *ops, const oras_expect *expect,
                         oras_error *err)
{
    sink->ops = ops;
    sink->expect.size = -1;
    if (expect)
        sink->expect = *expect;
    if (!sink->expect.has_digest)
        return ORAS_OK;
    return oras_hasher_new(sink->expect.digest.algorithm, &sink->hasher, err);
}

void oras_sink_dispose(oras_sink *sink)
{
    oras_hasher_free(sink->hasher);
}

oras_code oras_sink_restart(oras_sink *sink, oras_error *err)
{
    sink->count = 0;
    return sink->hasher ? oras_hasher_reset(sink->hasher, err) : ORAS_OK;
}

/* Is there room for `size` more below the expected size? */
static oras_code admit(const oras_sink *sink, size_t size, oras_error *err)
{
    if (sink->expect.size >= 0 && (int64_t)size > sink->expect.size - sink->count + sink->skip)
        return oras_fail(err, ORAS_C_INTEGRITY, "body is longer than the %lld bytes expected",
                         (long long)sink->expect.size);
    return ORAS_OK;
}

oras_code oras_sink_account(oras_sink *sink, const void *data, size_t size, oras_error *err)
{
    sink->count += (int64_t)size;
    return sink->hasher ? oras_hasher_update(sink->hasher, data, size, err) : ORAS_OK;
}

oras_code oras_sink_verify(oras_sink *sink, oras_error *err)
{
    oras_digest got;
    oras_code code;

    if (sink->expect.size >= 0 && sink->count != sink->expect.size)
        return oras_fail(err, ORAS_C_INTEGRITY, "body has %lld bytes, expected %lld",
                         (long long)sink->count, (long long)sink->expect.size);
    if (!sink->expect.has_digest)
        return ORAS_OK;
    code = oras_hasher_final(sink->hasher, &got, err);
    if (code)
        return code;
    if (!oras_digest_equal(&got, &sink->expect.digest))
        return oras_fail(err, ORAS_C_INTEGRITY, "digest is '%s', expected '%s'", got.text,
                         sink->expect.digest.text);
    return ORAS_OK;
}

void oras_sink_tell(const oras_sink *sink)
{
    if (sink->notify.fn)
        sink->notify.fn(sink->notify.ud);
}

const oras_expect *oras_sink_expected(const oras_sink *sink)
{
    return &sink->expect;
}

int64_t oras_sink_count(const oras_sink *sink)
{
    return sink->count;
}

void oras_sink_free(oras_sink *sink)
{
    if (sink)
        sink->ops->free(sink);
}

void oras_sink_set_notify(oras_sink *sink, oras_notify notify)
{
    if (sink->ops->set_notify)
        sink->ops->set_notify(sink, notify);
    else
        sink->notify = notify;
}

oras_code oras_sink_offset(oras_sink *sink, int64_t *offset, bool *pending, oras_error *err)
{
    *offset = 0;
    *pending = false;
    return sink->ops->offset ? sink->ops->offset(sink, offset, pending, err) : ORAS_OK;
}

oras_code oras_sink_begin(oras_sink *sink, int64_t offset, oras_error *err)
{
    return sink->ops->begin(sink, offset, err);
}

oras_flow oras_sink_write(oras_sink *sink, const void *data, size_t size, oras_error *err)
{
    if (admit(sink, size, err))
        return ORAS_FLOW_FAILED;
    return sink->ops->write(sink, data, size, err);
}

oras_code oras_sink_finish(oras_sink *sink, bool *pending, oras_error *err)
{
    *pending = false;
    return sink->ops->finish(sink, pending, err);
}

void oras_sink_abort(oras_sink *sink)
{
    if (sink->ops->abort)
        sink->ops->abort(sink);
}

void oras_sink_set_cause(oras_sink *sink, const oras_error *cause)
{
    if (sink->ops->set_cause)
        sink->ops->set_cause(sink, cause);
}

bool oras_sink_rests(const oras_sink *sink)
{
    return sink->ops->rests;
}

void oras_sink_remove_partial(oras_sink *sink)
{
    if (sink->ops->remove_partial)
        sink->ops->remove_partial(sink);
}

bool oras_sink_settle(oras_sink *sink)
{
    return sink->ops->settle && sink->ops->settle(sink);
}

/* --- memory ---------------------------------------------------------------------------- */

typedef struct memory_sink {
    oras_sink base;
    oras_buf bytes;
} memory_sink;

static oras_code memory_begin(oras_sink *sink, int64_t offset, oras_error *err)
{
    memory_sink *memory = (memory_sink *)sink;

    (void)offset;
    if (sink->expect.size > 0 && (uint64_t)sink->expect.size > memory->bytes.limit)
        return oras_fail(err, ORAS_C_LIMIT, "body of %lld bytes is larger than the limit of %zu",
                         (long long)sink->expect.size, memory->bytes.limit);
    oras_buf_clear(&memory->bytes);
    return oras_sink_restart(sink, err);
}

static oras_flow memory_write(oras_sink *sink, const void *data, size_t size, oras_error *err)
{
    memory_sink *memory = (memory_sink *)sink;

    if (!oras_buf_append(&memory->bytes, data, size)) {
        oras_buf_check(&memory->bytes, "body", err);
        return ORAS_FLOW_FAILED;
    }
    return oras_sink_account(sink, data, size, err) ? ORAS_FLOW_FAILED : ORAS_FLOW_OK;
}

static oras_code memory_finish(oras_sink *sink, bool *pending, oras_error *err)
{
    (void)pending;
    return oras_sink_verify(sink, err);
}

static void memory_free(oras_sink *sink)
{
    memory_sink *memory = (memory_sink *)sink;

    oras_buf_dispose(&memory->bytes);
    oras_sink_dispose(sink);
    oras_dealloc(memory);
}

static const oras_sink_ops memory_ops = {
    .begin = memory_begin, .write = memory_write, .finish = memory_finish, .free = memory_free};

oras_code oras_sink_memory(size_t limit, const oras_expect *expect, oras_sink **out,
                           oras_error *err)
{
    memory_sink *memory = oras_alloc_zero(1, sizeof *memory);
    oras_code code;

    if (!memory)
        return oras_fail_memory(err);
    oras_buf_init(&memory->bytes, limit);
    code = oras_sink_init(&memory->base, &memory_ops, expect, err);
    if (code) {
        oras_dealloc(memory);
        return code;
    }
    *out = &memory->base;
    return ORAS_OK;
}

bool oras_sink_is_memory(const oras_sink *sink)
{
    return sink->ops == &memory_ops;
}

oras_buf *oras_sink_bytes(oras_sink *sink)
{
    return oras_sink_is_memory(sink) ? &((memory_sink *)sink)->bytes : NULL;
}

/* --- discard --------------------------------------------------------------------------- */

static oras_code discard_begin(oras_sink *sink, int64_t offset, oras_error *err)
{
    (void)offset;
    return oras_sink_restart(sink, err);
}

static oras_flow discard_write(oras_sink *sink, const void *data, size_t size, oras_error *err)
{
    return oras_sink_account(sink, data, size, err) ? ORAS_FLOW_FAILED : ORAS_FLOW_OK;
}

static void discard_free(oras_sink *sink)
{
    oras_sink_dispose(sink);
    oras_dealloc(sink);
}

static const oras_sink_ops discard_ops = {
    .begin = discard_begin, .write = discard_write, .finish = memory_finish, .free = discard_free};

oras_code oras_sink_discard(const oras_expect *expect, oras_sink **out, oras_error *err)
{
    oras_sink *sink = oras_alloc_zero(1, sizeof *sink);
    oras_code code;

    if (!sink)
        return oras_fail_memory(err);
    code = oras_sink_init(sink, &discard_ops, expect, err);
    if (code) {
        oras_dealloc(sink);
        return code;
    }
    *out = sink;
    return ORAS_OK;
}
