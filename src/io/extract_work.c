/* SPDX-License-Identifier: MIT
 * The two jobs of an extraction. Each takes a turn under the lock, works without it, and ends
 * when there is nothing to take: whoever brings something submits it again. */
#include "io/extract_internal.h"

#include <string.h>

void oras_extract_release(oras_extract *x)
{
    oras_unpack_free(x->unpack);
    oras_entries_dispose(&x->entries);
    oras_hasher_free(x->hasher);
    oras_tree_free(x->tree);
    x->unpack = NULL;
    x->hasher = NULL;
    x->tree = NULL;
    x->in_block = x->in_entry = false;
}

/* --- under the lock ------------------------------------------------------------------------ */

/* Whoever stops it waits for one job after the other: none may come back behind that. */
static void submit(oras_extract *x, oras_extract_side *side)
{
    if (!x->stop)
        oras_pool_submit(x->pool, &side->job, NULL); /* cannot fail on a thread of the pool's */
}

/* What is wrong with an archive may be the wire's fault: its digest, seen to the end, says. */
static void fail(oras_extract *x, const oras_extract_side *side, const oras_error *err)
{
    bool may_be_the_wire = x->hooks.can_verify && x->state == ORAS_EXTRACT_RUNNING &&
                           strcmp(err->class_name, "content") == 0;

    if (x->state != ORAS_EXTRACT_RUNNING &&
        (x->state != ORAS_EXTRACT_DOUBTFUL || side == &x->writer))
        return; /* the first cause stays */
    x->failure = *err;
    x->state = may_be_the_wire ? ORAS_EXTRACT_DOUBTFUL : ORAS_EXTRACT_FAILING;
    submit(x, &x->reader);
}

static void tell(const oras_extract *x)
{
    x->hooks.news(x->hooks.ud);
}

static void leave(oras_extract *x, oras_extract_side *side)
{
    side->is_running = false;
    if (x->state != ORAS_EXTRACT_FAILING || x->reader.is_running || x->writer.is_running)
        return;
    x->state = ORAS_EXTRACT_CLEANING;
    pthread_mutex_unlock(&x->lock);
    oras_extract_release(x);
    oras_staging_discard(&x->staging);
    pthread_mutex_lock(&x->lock);
    x->state = ORAS_EXTRACT_FAILED;
    tell(x);
}

/* --- the reader ------------------------------------------------------------------------------ */

typedef struct turn {
    oras_block *in;  /* NULL: there are no more */
    oras_block *out; /* NULL: nothing is unpacked any more */
} turn;

/* May the reader do something, if there is something to do? */
static bool is_readers_turn(const oras_extract *x)
{
    if (x->stop)
        return false;
    return x->state == ORAS_EXTRACT_DOUBTFUL ||
           (x->state == ORAS_EXTRACT_RUNNING && !x->all_unpacked &&
            !oras_ring_is_full(&x->unpacked));
}

static bool take_turn(oras_extract *x, turn *t)
{
    if (!is_readers_turn(x) || !(x->in_block || x->packed.n > 0 || x->ended))
        return false;
    *t = (turn){.in = x->packed.n > 0 ? oras_ring_first(&x->packed) : NULL};
    if (x->state == ORAS_EXTRACT_DOUBTFUL)
        return true;
    t->out = oras_ring_to_fill(&x->unpacked);
    if (!t->out) {
        oras_error err = ORAS_ERROR_INIT;

        oras_fail_memory(&err);
        fail(x, &x->reader, &err);
    }
    return t->out != NULL;
}

static void pass_packed(oras_extract *x)
{
    x->in_block = false;
    oras_ring_pass(&x->packed);
    if (x->refused && x->packed.n <= x->packed.n_blocks / 2) {
        x->refused = false;
        tell(x);
    }
}

static void hand_over(oras_extract *x)
{
    oras_ring_hand_over(&x->unpacked);
    submit(x, &x->writer);
}

/* What a step came to, told to the others. */
static void account(oras_extract *x, const turn *t, oras_archive_step step)
{
    if (step == ORAS_STEP_MORE)
        pass_packed(x);
    if (step == ORAS_STEP_DATA && t->out->size == x->unpacked.block_size)
        hand_over(x);
    if (step != ORAS_STEP_END)
        return;
    x->all_unpacked = true;
    if (t->out->size)
        oras_ring_hand_over(&x->unpacked);
    submit(x, &x->writer);
}

/* Without the lock. The digest of what came is known to be right before the end is told. */
static oras_code begin_block(oras_extract *x, const turn *t, oras_error *err)
{
    oras_code code = t->in ? x->hooks.hash(x->hooks.ud, t->in->data, t->in->size, err)
                           : x->hooks.verify(x->hooks.ud, err);

    if (code)
        return code;
    if (x->unpack)
        oras_unpack_feed(x->unpack, t->in ? t->in->data : NULL, t->in ? t->in->size : 0);
    x->in_block = true;
    return ORAS_OK;
}

static oras_archive_step unpack(oras_extract *x, const turn *t, oras_error *err)
{
    char *window = t->out->data + t->out->size;
    const void *data = NULL;
    size_t size = 0;
    oras_archive_step step = oras_unpack_step(
        x->unpack, window, x->unpacked.block_size - t->out->size, &data, &size, err);

    if (step != ORAS_STEP_DATA)
        return step;
    if (data != window)
        memcpy(window, data, size);
    t->out->size += size;
    return step;
}

static oras_archive_step read_on(oras_extract *x, const turn *t, oras_error *err)
{
    if (!x->in_block && begin_block(x, t, err))
        return ORAS_STEP_FAILED;
    return unpack(x, t, err);
}

/* The archive is bad. Hash on; at the end it is known to be the one that was meant. */
static oras_archive_step hash_on(oras_extract *x, const turn *t, oras_error *err)
{
    if (!x->in_block && begin_block(x, t, err))
        return ORAS_STEP_FAILED;
    if (t->in)
        return ORAS_STEP_MORE;
    *err = x->failure;
    return ORAS_STEP_FAILED;
}

void oras_extract_read(oras_job *job)
{
    oras_extract_side *side = (oras_extract_side *)job;
    oras_extract *x = side->extract;
    turn t;

    pthread_mutex_lock(&x->lock);
    side->is_running = true;
    while (take_turn(x, &t)) {
        oras_error err = ORAS_ERROR_INIT;
        oras_archive_step step;

        pthread_mutex_unlock(&x->lock);
        step = t.out ? read_on(x, &t, &err) : hash_on(x, &t, &err);
        pthread_mutex_lock(&x->lock);
        if (step == ORAS_STEP_FAILED)
            fail(x, side, &err);
        else
            account(x, &t, step);
    }
    leave(x, side);
    pthread_mutex_unlock(&x->lock);
}

/* --- the writer ------------------------------------------------------------------------------ */

static oras_code make_step(oras_extract *x, oras_archive_step step, const oras_entry *entry,
                           oras_error *err)
{
    x->in_entry = step == ORAS_STEP_ENTRY;
    return x->in_entry ? oras_tree_entry(x->tree, entry, err) : ORAS_OK;
}

/* On with the current entry. MORE stands for: it is through, or needs more. */
static oras_archive_step copy_data(oras_extract *x, oras_error *err)
{
    const void *data = NULL;
    size_t size = 0;
    oras_archive_step step;

    while ((step = oras_entries_read(&x->entries, &data, &size, err)) == ORAS_STEP_DATA) {
        if (oras_tree_write(x->tree, data, size, err))
            return ORAS_STEP_FAILED;
    }
    if (step != ORAS_STEP_END)
        return step;
    x->in_entry = false;
    return oras_tree_end(x->tree, err) ? ORAS_STEP_FAILED : ORAS_STEP_END;
}

/* As far as the bytes go that were fed; END only when the archive is complete. */
static oras_archive_step make_entries(oras_extract *x, oras_error *err)
{
    oras_archive_step step = ORAS_STEP_ENTRY;
    oras_entry entry;

    while (step == ORAS_STEP_ENTRY) {
        if (x->in_entry) {
            step = copy_data(x, err);
            if (step != ORAS_STEP_END)
                return step;
        }
        step = oras_entries_next(&x->entries, &entry, err);
        if (make_step(x, step, &entry, err))
            return ORAS_STEP_FAILED;
    }
    return step;
}

static oras_code know_entries(oras_extract *x, oras_error *err)
{
    if (oras_entries_are_known(&x->entries))
        return ORAS_OK;
    return oras_entries_init(&x->entries, oras_unpack_packing(x->unpack), &x->counts, err);
}

static oras_code make_block(oras_extract *x, const oras_block *block, oras_error *err)
{
    oras_code code = know_entries(x, err);

    if (!code && x->hasher)
        code = oras_hasher_update(x->hasher, block->data, block->size, err);
    x->counts.n_packed += (int64_t)block->size; /* what a zip unpacks to is held against it */
    if (!code)
        code = oras_entries_feed(&x->entries, block->data, block->size, err);
    if (code)
        return code;
    return make_entries(x, err) == ORAS_STEP_FAILED ? err->code : ORAS_OK;
}

static oras_code verify_content(oras_extract *x, oras_error *err)
{
    oras_digest got;
    oras_code code;

    if (!x->hasher)
        return ORAS_OK;
    code = oras_hasher_final(x->hasher, &got, err);
    if (!code && !oras_digest_equal(&got, &x->content))
        return oras_fail(err, ORAS_C_INTEGRITY,
                         "digest of the unpacked archive is '%s', expected '%s'", got.text,
                         x->content.text);
    return code;
}

static oras_code publish(oras_extract *x, oras_error *err)
{
    mode_t mode;
    oras_code code = know_entries(x, err);

    if (!code)
        code = oras_entries_feed(&x->entries, NULL, 0, err);
    if (!code && make_entries(x, err) == ORAS_STEP_FAILED)
        return err->code;
    if (!code)
        code = verify_content(x, err);
    if (code)
        return code;
    mode = oras_tree_mode(x->tree);
    if (!x->wanted.exact)
        mode &= ~oras_pool_umask(x->pool);
    oras_extract_release(x);
    return oras_staging_publish(&x->staging, mode, err);
}

static void pass_unpacked(oras_extract *x)
{
    bool was_full = oras_ring_is_full(&x->unpacked);

    oras_ring_pass(&x->unpacked);
    if (was_full)
        submit(x, &x->reader);
}

static bool has_work(const oras_extract *x)
{
    return !x->stop && x->state == ORAS_EXTRACT_RUNNING && (x->unpacked.n > 0 || x->all_unpacked);
}

void oras_extract_make(oras_job *job)
{
    oras_extract_side *side = (oras_extract_side *)job;
    oras_extract *x = side->extract;

    pthread_mutex_lock(&x->lock);
    side->is_running = true;
    while (has_work(x)) {
        const oras_block *block = x->unpacked.n > 0 ? oras_ring_first(&x->unpacked) : NULL;
        oras_error err = ORAS_ERROR_INIT;
        oras_code code;

        pthread_mutex_unlock(&x->lock);
        code = block ? make_block(x, block, &err) : publish(x, &err);
        pthread_mutex_lock(&x->lock);
        if (code)
            fail(x, side, &err);
        else if (block)
            pass_unpacked(x);
        else
            x->state = ORAS_EXTRACT_DONE;
    }
    if (x->state == ORAS_EXTRACT_DONE)
        tell(x);
    leave(x, side);
    pthread_mutex_unlock(&x->lock);
}
