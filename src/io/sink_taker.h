/* SPDX-License-Identifier: MIT
 * A sink whose bytes go to a function, with backpressure. */
#ifndef ORAS_IO_SINK_TAKER_H
#define ORAS_IO_SINK_TAKER_H

#include "io/sink.h"

typedef struct oras_taker {
    /* Gives how many of the bytes it took, fewer (or none) when it is full: the rest comes after
     * oras_sink_taker_resume(). -1 with *err: it failed */
    int64_t (*take)(void *ud, const void *data, size_t size, oras_error *err);
    void (*verified)(void *ud); /* all were taken, and they were right; may be NULL */
    void (*gone)(void *ud);     /* the sink is freed; may be NULL */
    void *ud;
} oras_taker;

/** Make one; `taker` is copied. */
oras_code oras_sink_taker(const oras_taker *taker, const oras_expect *expect, oras_sink **out,
                          oras_error *err);

/** Was it made here? */
bool oras_sink_is_taker(const oras_sink *sink);

/** It takes bytes again. Loop's thread, not from inside take(). */
void oras_sink_taker_resume(oras_sink *sink);

/** The function is not there any more: what comes fails, class cancelled. */
void oras_sink_taker_leave(oras_sink *sink);

#endif
