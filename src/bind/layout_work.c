/* SPDX-License-Identifier: MIT */
#include "bind/layout_work.h"

/* On a worker. The box settles the job before it goes, so the loop is still there. */
static void run(oras_job *job)
{
    oras_layout_work *work = (oras_layout_work *)job; /* its first member */
    oras_error err = ORAS_ERROR_INIT;

    if (work->run(work, &err))
        work->failure = err;
    oras_loop_post(work->context->loop, &work->post);
}

static void done(void *ud)
{
    oras_layout_work *work = ud;

    oras_signal_set(work->context, &work->signal);
}

oras_code oras_layout_work_start(oras_layout_work *work, oras_context *context, oras_error *err)
{
    oras_code code;

    work->job.run = run;
    work->post = (oras_post){.fn = done, .ud = work};
    work->context = context; /* first: the worker uses it */
    code = oras_pool_submit(context->pool, &work->job, err);
    if (code)
        work->context = NULL;
    return code;
}

bool oras_layout_work_settle(oras_layout_work *work)
{
    if (!work->context)
        return false;
    oras_pool_settle(work->context->pool, &work->job);
    oras_loop_unpost(work->context->loop, &work->post);
    work->context = NULL;
    return true;
}
