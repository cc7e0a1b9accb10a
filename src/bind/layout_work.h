/* SPDX-License-Identifier: MIT
 * What a disk takes its time for: done on a worker, while whoever asked waits. */
#ifndef ORAS_BIND_LAYOUT_WORK_H
#define ORAS_BIND_LAYOUT_WORK_H

#include "bind/wait.h"

/** The first member of a box of its own. */
typedef struct oras_layout_work {
    oras_job job;
    oras_post post;
    oras_signal signal;    /* it is over */
    oras_context *context; /* NULL: nothing runs */
    oras_code (*run)(struct oras_layout_work *work, oras_error *err);
    oras_error failure; /* what run failed with */
} oras_layout_work;

/** Have `run` called on a worker; its signal tells when that is over. */
oras_code oras_layout_work_start(oras_layout_work *work, oras_context *context, oras_error *err);

/** Wait until it is over; afterwards the box may go. Nothing happens a second time: false then,
 * or when nothing was started. */
bool oras_layout_work_settle(oras_layout_work *work);

#endif
