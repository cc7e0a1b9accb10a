/* SPDX-License-Identifier: MIT
 * The loop's side of an extraction. */
#include "io/extract.h"

#include "base/alloc.h"
#include "io/extract_internal.h"

#include <string.h>

#define PACKED_BLOCK   ((size_t)128 * 1024)
#define N_PACKED       8
#define UNPACKED_BLOCK ((size_t)512 * 1024)
#define N_UNPACKED     6
#define FEW            4096 /* files and directories that are removed at once */

static oras_code take_over(oras_extract *x, const oras_tree_target *target, oras_error *err)
{
    oras_code code = oras_staging_init(&x->staging, target->root, target->path, target->overwrite,
                                       target->durable, err);

    x->wanted = *target;
    if (target->content)
        x->content = *target->content;
    if (!code && target->prefix && !(x->prefix = oras_strdup(target->prefix)))
        code = oras_fail_memory(err);
    x->wanted.prefix = x->prefix;
    return code;
}

oras_code oras_extract_new(oras_pool *pool, const oras_tree_target *target,
                           const oras_extract_hooks *hooks, oras_extract **out, oras_error *err)
{
    oras_extract *x = oras_alloc_zero(1, sizeof *x);
    oras_code code;

    if (!x)
        return oras_fail_memory(err);
    x->pool = pool;
    x->hooks = *hooks;
    x->reader = (oras_extract_side){.job.run = oras_extract_read, .extract = x};
    x->writer = (oras_extract_side){.job.run = oras_extract_make, .extract = x};
    oras_ring_init(&x->packed, N_PACKED, PACKED_BLOCK);
    oras_ring_init(&x->unpacked, N_UNPACKED, UNPACKED_BLOCK);
    pthread_mutex_init(&x->lock, NULL);
    code = take_over(x, target, err);
    if (code) {
        oras_extract_free(x);
        return code;
    }
    *out = x;
    return ORAS_OK;
}

static void discard_later(void *ud)
{
    oras_staging *staging = ud;

    oras_staging_discard(staging);
    oras_dealloc(staging);
}

/* Much of it goes while others go on: whoever cancels does not wait for a hundred thousand
 * files. The pool's end does. */
static void discard(oras_extract *x, int64_t n_made)
{
    oras_staging *staging = n_made > FEW ? oras_alloc(sizeof *staging) : NULL;

    if (!staging) {
        oras_staging_discard(&x->staging);
        return;
    }
    *staging = oras_staging_steal(&x->staging);
    if (oras_pool_leave(x->pool, discard_later, staging, NULL))
        discard_later(staging);
}

void oras_extract_drop(oras_extract *x)
{
    int64_t n_made;

    pthread_mutex_lock(&x->lock);
    x->stop = true;
    pthread_mutex_unlock(&x->lock);
    oras_pool_settle(x->pool, &x->reader.job);
    oras_pool_settle(x->pool, &x->writer.job);
    n_made = x->tree ? oras_tree_count(x->tree) : 0;
    oras_extract_release(x);
    discard(x, n_made);
    oras_ring_clear(&x->packed);
    oras_ring_clear(&x->unpacked);
    x->filling = NULL;
    x->ended = x->all_unpacked = x->refused = x->stop = false;
    x->state = ORAS_EXTRACT_CLOSED;
}

void oras_extract_free(oras_extract *x)
{
    if (!x)
        return;
    oras_extract_drop(x);
    oras_staging_dispose(&x->staging);
    oras_ring_dispose(&x->packed);
    oras_ring_dispose(&x->unpacked);
    pthread_mutex_destroy(&x->lock);
    oras_dealloc(x->prefix);
    oras_dealloc(x);
}

static oras_code set_up(oras_extract *x, oras_error *err)
{
    oras_tree_options options = {.prefix = x->prefix,
                                 .links = x->wanted.links,
                                 .any_case = x->wanted.any_case,
                                 .exact = x->wanted.exact,
                                 .umask = x->wanted.exact ? 0 : oras_pool_umask(x->pool)};
    oras_code code;

    oras_meter_init(&x->bytes, &x->wanted.limits);
    oras_meter_init(&x->counts, &x->wanted.limits);
    options.max_entries = x->counts.limits.max_entries;
    code = oras_unpack_new(x->wanted.packing, &x->bytes, &x->unpack, err);
    if (!code)
        code = oras_tree_new(x->staging.fd, &options, &x->tree, err);
    if (!code && x->wanted.content)
        code = oras_hasher_new(x->content.algorithm, &x->hasher, err);
    return code;
}

oras_code oras_extract_open(oras_extract *x, oras_error *err)
{
    oras_code code;

    oras_extract_drop(x);
    code = oras_staging_open(&x->staging, err);
    if (!code)
        code = set_up(x, err);
    if (code) {
        oras_extract_drop(x);
        return code;
    }
    x->state = ORAS_EXTRACT_RUNNING;
    return ORAS_OK;
}

static oras_extract_state state_of(oras_extract *x, oras_error *err)
{
    oras_extract_state state;

    pthread_mutex_lock(&x->lock);
    state = x->state;
    if (state == ORAS_EXTRACT_FAILED && err)
        *err = x->failure;
    pthread_mutex_unlock(&x->lock);
    return state;
}

bool oras_extract_is_open(oras_extract *x)
{
    return state_of(x, NULL) != ORAS_EXTRACT_CLOSED;
}

bool oras_extract_has_failed(oras_extract *x)
{
    oras_extract_state state = state_of(x, NULL);

    return state == ORAS_EXTRACT_FAILING || state == ORAS_EXTRACT_CLEANING ||
           state == ORAS_EXTRACT_FAILED;
}

/* Is there room for all of it? A failure is told when nothing is left of what was made. */
static oras_flow admit(oras_extract *x, size_t size, oras_error *err)
{
    oras_flow flow = ORAS_FLOW_OK;
    size_t room;

    pthread_mutex_lock(&x->lock);
    room = (size_t)(x->packed.n_blocks - x->packed.n) * x->packed.block_size;
    room -= x->filling ? x->filling->size : 0;
    if (x->state == ORAS_EXTRACT_FAILED) {
        flow = ORAS_FLOW_FAILED;
        if (err)
            *err = x->failure;
    } else if (size > room || x->state == ORAS_EXTRACT_FAILING ||
               x->state == ORAS_EXTRACT_CLEANING) {
        flow = ORAS_FLOW_FULL;
        x->refused = true;
    }
    pthread_mutex_unlock(&x->lock);
    return flow;
}

static bool get_block(oras_extract *x)
{
    if (x->filling)
        return true;
    pthread_mutex_lock(&x->lock);
    x->filling = oras_ring_to_fill(&x->packed);
    pthread_mutex_unlock(&x->lock);
    return x->filling != NULL;
}

static void hand_over(oras_extract *x)
{
    pthread_mutex_lock(&x->lock);
    oras_ring_hand_over(&x->packed);
    pthread_mutex_unlock(&x->lock);
    x->filling = NULL;
}

oras_flow oras_extract_write(oras_extract *x, const char *data, size_t size, oras_error *err)
{
    oras_flow flow = admit(x, size, err);
    bool handed = false;

    while (flow == ORAS_FLOW_OK && size > 0) {
        size_t part;

        if (!get_block(x)) {
            oras_fail_memory(err);
            return ORAS_FLOW_FAILED;
        }
        part = PACKED_BLOCK - x->filling->size;
        part = part < size ? part : size;
        memcpy(x->filling->data + x->filling->size, data, part);
        x->filling->size += part;
        data += part;
        size -= part;
        if (x->filling->size == PACKED_BLOCK) {
            hand_over(x);
            handed = true;
        }
    }
    if (handed && oras_pool_submit(x->pool, &x->reader.job, err))
        return ORAS_FLOW_FAILED;
    return flow;
}

oras_code oras_extract_end(oras_extract *x, oras_error *err)
{
    if (x->filling && x->filling->size)
        hand_over(x);
    pthread_mutex_lock(&x->lock);
    x->ended = true;
    pthread_mutex_unlock(&x->lock);
    return oras_pool_submit(x->pool, &x->reader.job, err);
}

oras_code oras_extract_is_over(oras_extract *x, bool *over, oras_error *err)
{
    oras_error failure = ORAS_ERROR_INIT;
    oras_extract_state state = state_of(x, &failure);

    *over = state == ORAS_EXTRACT_DONE;
    if (state != ORAS_EXTRACT_FAILED)
        return ORAS_OK;
    if (err)
        *err = failure;
    return failure.code;
}

void oras_extract_lock(oras_extract *x)
{
    pthread_mutex_lock(&x->lock);
}

void oras_extract_unlock(oras_extract *x)
{
    pthread_mutex_unlock(&x->lock);
}
