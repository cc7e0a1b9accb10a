/* SPDX-License-Identifier: MIT */
#include "io/feed.h"

#include "base/alloc.h"

#define BLOCK (256u << 10)
#define PIECE (16u << 10) /* what curl writes at most: a bounded queue has room for that */
#define MOVES 256         /* a step, so that one big blob does not hold up the loop */

typedef enum feed_state { FEED_OPENING, FEED_RUNNING, FEED_FINISHING, FEED_OVER } feed_state;

struct oras_feed {
    oras_source *source;
    oras_sink *sink;
    feed_state state;
    size_t n_block, n_used; /* bytes of the block, and of those what the sink has */
    char block[BLOCK];
};

oras_code oras_feed_new(oras_source *source, oras_sink *sink, oras_feed **out, oras_error *err)
{
    oras_feed *feed = oras_alloc(sizeof *feed);

    if (!feed)
        return oras_fail_memory(err);
    feed->source = source;
    feed->sink = sink;
    feed->state = FEED_OPENING;
    feed->n_block = feed->n_used = 0;
    *out = feed;
    return ORAS_OK;
}

void oras_feed_free(oras_feed *feed)
{
    if (!feed)
        return;
    if (feed->state != FEED_OVER)
        oras_sink_abort(feed->sink);
    oras_dealloc(feed);
}

static oras_feed_step_result failed(oras_feed *feed, const oras_error *err)
{
    if (err)
        oras_sink_set_cause(feed->sink, err);
    oras_sink_abort(feed->sink);
    feed->state = FEED_OVER;
    return ORAS_FEED_FAILED;
}

/* The source to where the sink goes on; false: it has to be taken from its beginning. */
static bool go_to(oras_source *source, int64_t offset)
{
    int64_t size = oras_source_size(source);

    if (!oras_source_can_seek(source) || (size >= 0 && offset > size))
        return false;
    return oras_source_seek(source, offset, NULL) == ORAS_OK;
}

/* A partial file may be taken up; the sink says how much of it is right. */
static oras_feed_step_result step_opening(oras_feed *feed, oras_error *err)
{
    int64_t offset = 0;
    bool pending = false;

    if (oras_sink_offset(feed->sink, &offset, &pending, err))
        return failed(feed, err);
    if (pending)
        return ORAS_FEED_WAIT;
    if (!go_to(feed->source, offset)) {
        offset = 0;
        if (oras_source_can_seek(feed->source) && oras_source_seek(feed->source, 0, err))
            return failed(feed, err);
    }
    if (oras_sink_begin(feed->sink, offset, err))
        return failed(feed, err);
    feed->state = FEED_RUNNING;
    return ORAS_FEED_GO_ON;
}

static oras_feed_step_result fill(oras_feed *feed, oras_error *err)
{
    feed->n_used = 0;
    switch (oras_source_read(feed->source, feed->block, BLOCK, &feed->n_block, err)) {
    case ORAS_SOURCE_DATA:
        return ORAS_FEED_GO_ON;
    case ORAS_SOURCE_WAIT:
        return ORAS_FEED_WAIT;
    case ORAS_SOURCE_END:
        feed->state = FEED_FINISHING;
        return ORAS_FEED_GO_ON;
    case ORAS_SOURCE_FAILED:
        break;
    }
    return failed(feed, err);
}

static oras_feed_step_result step_running(oras_feed *feed, oras_error *err)
{
    size_t n = feed->n_block - feed->n_used;
    oras_flow flow;

    if (n == 0)
        return fill(feed, err);
    if (n > PIECE)
        n = PIECE;
    flow = oras_sink_write(feed->sink, feed->block + feed->n_used, n, err);
    if (flow == ORAS_FLOW_FAILED)
        return failed(feed, err);
    if (flow == ORAS_FLOW_FULL)
        return ORAS_FEED_WAIT;
    feed->n_used += n;
    return ORAS_FEED_GO_ON;
}

static oras_feed_step_result step_finishing(oras_feed *feed, oras_error *err)
{
    bool pending = false;

    if (oras_sink_finish(feed->sink, &pending, err))
        return failed(feed, err);
    if (pending)
        return ORAS_FEED_WAIT;
    feed->state = FEED_OVER;
    return ORAS_FEED_DONE;
}

oras_feed_step_result oras_feed_step(oras_feed *feed, oras_error *err)
{
    oras_feed_step_result result = ORAS_FEED_GO_ON;

    for (int i = 0; i < MOVES && result == ORAS_FEED_GO_ON; i++) {
        if (feed->state == FEED_OPENING)
            result = step_opening(feed, err);
        else if (feed->state == FEED_RUNNING)
            result = step_running(feed, err);
        else if (feed->state == FEED_FINISHING)
            result = step_finishing(feed, err);
        else
            return ORAS_FEED_DONE;
    }
    return result;
}
