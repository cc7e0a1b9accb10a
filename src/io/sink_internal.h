/* SPDX-License-Identifier: MIT
 * What the kinds of sinks share: counting, and the check against what is expected. */
#ifndef ORAS_IO_SINK_INTERNAL_H
#define ORAS_IO_SINK_INTERNAL_H

#include "io/sink.h"

typedef struct oras_sink_ops {
    oras_code (*offset)(oras_sink *sink, int64_t *offset, bool *pending, oras_error *err);
    oras_code (*begin)(oras_sink *sink, int64_t offset, oras_error *err);
    oras_flow (*write)(oras_sink *sink, const void *data, size_t size, oras_error *err);
    oras_code (*finish)(oras_sink *sink, bool *pending, oras_error *err);
    void (*abort)(oras_sink *sink);
    void (*remove_partial)(oras_sink *sink);
    bool (*settle)(oras_sink *sink); /* absent: nothing is left */
    void (*set_cause)(oras_sink *sink, const oras_error *cause);
    void (*set_notify)(oras_sink *sink, oras_notify notify);
    void (*free)(oras_sink *sink);
    bool rests; /* once it is full it waits for its reader */
} oras_sink_ops;

struct oras_sink {
    const oras_sink_ops *ops;
    oras_expect expect;
    oras_notify notify;
    oras_hasher *hasher; /* NULL when no digest is expected */
    int64_t count;       /* bytes taken, from byte 0 of the blob */
    int64_t skip;        /* bytes to come that were taken before (a body that began again) */
};

/** Set the common part up; `sink` is zeroed. On failure nothing is held. */
oras_code oras_sink_init(oras_sink *sink, const oras_sink_ops *ops, const oras_expect *expect,
                         oras_error *err);
void oras_sink_dispose(oras_sink *sink);

/** Back to byte 0. */
oras_code oras_sink_restart(oras_sink *sink, oras_error *err);

/** Count and hash. */
oras_code oras_sink_account(oras_sink *sink, const void *data, size_t size, oras_error *err);

/** Do size and digest agree? Class integrity. */
oras_code oras_sink_verify(oras_sink *sink, oras_error *err);

/** Call whoever oras_sink_set_notify() named. */
void oras_sink_tell(const oras_sink *sink);

#endif
