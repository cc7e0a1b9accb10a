/* SPDX-License-Identifier: MIT */
#include "bind/progress.h"

/* the contract says at least every 100 ms */
#define EVERY_MS 50

void oras_reports_begin(oras_reports *reports)
{
    reports->digest[0] = reports->title[0] = '\0';
    reports->sum = reports->n_unknown = 0;
    reports->now = (oras_progress){
        .digest = reports->digest,
        .total = -1,
        .phase = "",
        .title = reports->title,
        .blob_total = -1,
        .blobs_total = -1,
    };
    reports->due_ms = oras_loop_now() + EVERY_MS;
}

void oras_reports_tell(oras_reports *reports)
{
    reports->due_ms = oras_loop_now() + EVERY_MS;
    reports->tell(reports->ud, &reports->now);
}

oras_code oras_reports_wait(const oras_context *context, oras_error *err)
{
    oras_reports *reports = context->reports;
    int64_t left;
    oras_code code;

    if (!reports)
        return oras_loop_wait(context->loop, -1, err);
    left = reports->due_ms - oras_loop_now();
    code = left > 0 ? oras_loop_wait(context->loop, (int)left, err) : ORAS_OK;
    if (!code && oras_loop_now() >= reports->due_ms)
        oras_reports_tell(reports);
    return code;
}
