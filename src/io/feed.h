/* SPDX-License-Identifier: MIT
 * A source into a sink, piece by piece: what a transfer is for a registry, for a layout. */
#ifndef ORAS_IO_FEED_H
#define ORAS_IO_FEED_H

#include "io/source.h"

typedef struct oras_feed oras_feed;

typedef enum oras_feed_step_result {
    ORAS_FEED_GO_ON, /* step again, as soon as others had their turn */
    ORAS_FEED_WAIT,  /* step again after a notification of either side */
    ORAS_FEED_DONE,  /* the sink has verified and published it */
    ORAS_FEED_FAILED
} oras_feed_step_result;

/** Both are borrowed and must outlive the feed. */
oras_code oras_feed_new(oras_source *source, oras_sink *sink, oras_feed **out, oras_error *err);

/** Aborts the sink unless the feed is done. NULL is fine. */
void oras_feed_free(oras_feed *feed);

/** Move some bytes (at most 4 MiB); what the source or the sink fails with. */
oras_feed_step_result oras_feed_step(oras_feed *feed, oras_error *err);

#endif
