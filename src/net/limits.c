/* SPDX-License-Identifier: MIT
 * How long a transfer may take to answer, to go on and to end. */
#include "net/internal.h"

#define FIRST_BYTE_MS   60000
#define STALL_MS        30000
#define STALL_MIN_SPEED 1 /* bytes a second */

static int64_t limit_of(int64_t given, int64_t fallback)
{
    return given == 0 ? fallback : given;
}

static void time_out(oras_transfer *transfer, const char *what, int64_t ms)
{
    oras_error err;

    oras_fail(&err, ORAS_C_TIMEOUT, "'%s:%d': %s %.3g seconds", transfer->url.origin.host,
              transfer->url.origin.port, what, (double)ms / 1000);
    oras_transfer_fail(transfer, &err, true);
}

/* Speed is judged over windows, so that one byte now and then does not keep a transfer alive.
 * Whoever waits for its reader is not judged; for a source that gives nothing it is. */
static bool is_stalled(oras_transfer *transfer, int64_t now, int64_t stall)
{
    int64_t sent, moved;

    if (transfer->paused || stall < 0 || now - transfer->window_start < stall)
        return false;
    sent = oras_upload_sent(transfer);
    moved = transfer->window_bytes + sent - transfer->window_sent;
    transfer->window_start = now;
    transfer->window_bytes = 0;
    transfer->window_sent = sent;
    return moved < stall / 1000 * STALL_MIN_SPEED || moved == 0;
}

/* Whose fault it is; a server that answered long ago and lets us go on sending is none's. */
static void stop_stalled(oras_transfer *transfer, int64_t stall)
{
    if (oras_upload_is_answered(transfer))
        oras_transfer_ended(&transfer->owner, CURLE_SEND_ERROR);
    else if (transfer->upload.paused)
        time_out(transfer, "nothing to send for", stall);
    else
        time_out(transfer, "too slow for", stall);
}

/* While the body is on its way no answer is due. */
static bool is_sending(oras_transfer *transfer, int64_t now)
{
    oras_upload *upload = &transfer->upload;

    if (!oras_upload_exists(transfer) || upload->sent_at > 0)
        return false;
    if (!oras_upload_is_sent(transfer))
        return true;
    upload->sent_at = now;
    return false;
}

void oras_transfer_tick(oras_transfer *transfer, int64_t now)
{
    int64_t first = limit_of(transfer->timeouts.first_byte, FIRST_BYTE_MS);
    int64_t stall = limit_of(transfer->timeouts.stall, STALL_MS);
    int64_t total = limit_of(transfer->timeouts.total, -1);
    bool sending = is_sending(transfer, now);
    int64_t since = transfer->upload.sent_at > 0 ? transfer->upload.sent_at : transfer->started;

    transfer->fn(transfer->ud, ORAS_EVENT_PROGRESS);
    if (total > 0 && now - transfer->started >= total)
        time_out(transfer, "not done after", total);
    else if (!sending && !transfer->headers_done && first > 0 && now - since >= first)
        time_out(transfer, "no answer after", first);
    else if ((sending || transfer->headers_done) && is_stalled(transfer, now, stall))
        stop_stalled(transfer, stall);
}
