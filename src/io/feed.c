/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "io/feed.h"

#include "base/alloc.h"
#include "base/cleanup.h"

#include <errno.h>

#define BLOCK (256u << 10)
#define PIECE (16u << 10) /* what curl writes at most: a bounded queue has room for that */
#define MOVES 256         /* a step, so that one big blob does not hold up the loop */

typedef enum feed_state { FEED_OPENING, FEED_RUNNING, FEED_FINISHING, FEED_OVER } feed_state;

struct oras_feed {
    oras_extent from;
    int64_t at; /* bytes of it that were read */
    oras_sink *sink;
    feed_state state;
    size_t n_block, n_used; /* bytes of the block, and of those what the sink has */
    char block[BLOCK];
};

oras_code oras_feed_new(oras_extent extent, oras_sink *sink, oras_feed **out, oras_error *err)
{
    oras_feed *feed = oras_alloc(sizeof *feed);

    if (!feed) {
        oras_close_fd(&extent.fd);
        return oras_fail_memory(err);
    }
    feed->from = extent;
    feed->at = 0;
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
    oras_close_fd(&feed->from.fd);
    oras_dealloc(feed);
}

static oras_feed_step_result failed(oras_feed *feed)
{
    oras_sink_abort(feed->sink);
    feed->state = FEED_OVER;
    return ORAS_FEED_FAILED;
}

/* A partial file may be taken up; the sink says how much of it is right. */
static oras_feed_step_result step_opening(oras_feed *feed, oras_error *err)
{
    int64_t offset = 0;
    bool pending = false;

    if (oras_sink_offset(feed->sink, &offset, &pending, err))
        return failed(feed);
    if (pending)
        return ORAS_FEED_WAIT;
    if (offset > feed->from.size)
        offset = 0;
    feed->at = offset;
    if (oras_sink_begin(feed->sink, offset, err))
        return failed(feed);
    feed->state = FEED_RUNNING;
    return ORAS_FEED_GO_ON;
}

/* A blob that ends too early is told by the sink, which knows its size. */
static oras_feed_step_result fill(oras_feed *feed, oras_error *err)
{
    int64_t left = feed->from.size - feed->at;
    size_t most = left < (int64_t)BLOCK ? (size_t)left : BLOCK;
    ssize_t n;

    do {
        n = pread(feed->from.fd, feed->block, most, (off_t)(feed->from.offset + feed->at));
    } while (n < 0 && errno == EINTR);
    if (n < 0) {
        oras_fail_errno(err, errno, "read of a blob");
        return failed(feed);
    }
    feed->at += n;
    feed->n_block = (size_t)n;
    feed->n_used = 0;
    if (n == 0)
        feed->state = FEED_FINISHING;
    return ORAS_FEED_GO_ON;
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
        return failed(feed);
    if (flow == ORAS_FLOW_FULL)
        return ORAS_FEED_WAIT;
    feed->n_used += n;
    return ORAS_FEED_GO_ON;
}

static oras_feed_step_result step_finishing(oras_feed *feed, oras_error *err)
{
    bool pending = false;

    if (oras_sink_finish(feed->sink, &pending, err))
        return failed(feed);
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
