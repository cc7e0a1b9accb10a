/* SPDX-License-Identifier: MIT
 * A local file into a sink, piece by piece: what a transfer is for a registry, for a layout. */
#ifndef ORAS_IO_FEED_H
#define ORAS_IO_FEED_H

#include "io/layout.h"

typedef struct oras_feed oras_feed;

typedef enum oras_feed_step_result {
    ORAS_FEED_GO_ON, /* step again, as soon as others had their turn */
    ORAS_FEED_WAIT,  /* step again after the sink's notification */
    ORAS_FEED_DONE,  /* the sink has verified and published it */
    ORAS_FEED_FAILED
} oras_feed_step_result;

/** What lies at `extent`, whose descriptor is taken, also on failure; the sink is borrowed and
 * must outlive the feed. */
oras_code oras_feed_new(oras_extent extent, oras_sink *sink, oras_feed **out, oras_error *err);

/** Aborts the sink unless the feed is done. NULL is fine. */
void oras_feed_free(oras_feed *feed);

/** Move some bytes (at most 4 MiB); class io, or what the sink says. */
oras_feed_step_result oras_feed_step(oras_feed *feed, oras_error *err);

#endif
