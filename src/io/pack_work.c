/* SPDX-License-Identifier: MIT
 * The workers of a pack. All are alike: each takes whatever there is to do, the last stage
 * first, one piece a run, so that others who use the pool get their turn, and none ever waits
 * for the reader. */
#include "base/alloc.h"
#include "io/pack_internal.h"

#include <string.h>

typedef enum task { NOTHING, FILL, COMPRESS, HASH } task;

static oras_pack_block *block_of(oras_pack *pack, int64_t number)
{
    return &pack->blocks[number % pack->n_blocks];
}

/* --- the three stages, without the lock ------------------------------------------------------ */

static oras_code fill(oras_pack *pack, oras_pack_block *block, bool *ended, oras_error *err)
{
    if (!block->tar && !(block->tar = oras_alloc(ORAS_PACK_BLOCK)))
        return oras_fail_memory(err);
    return oras_pack_tar_read(&pack->tar, block->tar, ORAS_PACK_BLOCK, &block->n_tar, ended, err);
}

static oras_code make_compressor(oras_pack_worker *worker, oras_error *err)
{
    const oras_pack *pack = worker->pack;

    if (worker->compressor)
        return ORAS_OK;
    return oras_compressor_new(pack->compression, pack->level, &worker->compressor, err);
}

static oras_code compress(oras_pack_worker *worker, oras_pack_block *block, oras_error *err)
{
    oras_code code;
    size_t bound;

    block->n_packed = 0;
    if (worker->pack->compression == ORAS_COMPRESSION_NONE || block->n_tar == 0)
        return ORAS_OK;
    code = make_compressor(worker, err);
    if (code)
        return code;
    bound = oras_compressor_bound(worker->compressor, ORAS_PACK_BLOCK);
    if (!block->packed && !(block->packed = oras_alloc(bound)))
        return oras_fail_memory(err);
    return oras_compressor_run(worker->compressor, block->tar, block->n_tar, block->packed, bound,
                               &block->n_packed, err);
}

static oras_code add(oras_pack_sum *sum, oras_hasher *hasher, const char *data, size_t size,
                     oras_error *err)
{
    sum->size += (int64_t)size;
    return oras_hasher_update(hasher, data, size, err);
}

/* Who packs again has said already what will come. */
static oras_code check_known(const oras_pack *pack, bool last, oras_error *err)
{
    const oras_pack_sum *is = &pack->blob_sum, *was = &pack->known_blob;

    if (!pack->is_known ||
        (last ? oras_digest_equal(&is->digest, &was->digest) : is->size <= was->size))
        return ORAS_OK;
    return oras_fail(err, ORAS_C_CONTENT, "'%s' changed since it was packed before", pack->path);
}

static oras_code finish_hashes(oras_pack *pack, oras_error *err)
{
    oras_code code = oras_hasher_final(pack->blob_hasher, &pack->blob_sum.digest, err);

    if (!code && pack->tar_hasher)
        return oras_hasher_final(pack->tar_hasher, &pack->tar_sum.digest, err);
    pack->tar_sum = pack->blob_sum;
    return code;
}

static oras_code hash(oras_pack *pack, const oras_pack_block *block, bool last, oras_error *err)
{
    const char *data = pack->tar_hasher ? block->packed : block->tar;
    size_t size = pack->tar_hasher ? block->n_packed : block->n_tar;
    oras_code code = add(&pack->blob_sum, pack->blob_hasher, data, size, err);

    if (!code && pack->tar_hasher)
        code = add(&pack->tar_sum, pack->tar_hasher, block->tar, block->n_tar, err);
    if (!code && last)
        code = finish_hashes(pack, err);
    return code ? code : check_known(pack, last, err);
}

/* --- under the lock --------------------------------------------------------------------------- */

static bool can_fill(const oras_pack *pack)
{
    return !pack->filling && !pack->all_filled && pack->n_filled - pack->n_read < pack->n_blocks;
}

static bool can_hash(oras_pack *pack)
{
    return !pack->hashing && pack->n_hashed < pack->n_claimed &&
           block_of(pack, pack->n_hashed)->is_packed;
}

static int64_t n_tasks(oras_pack *pack)
{
    if (pack->stopping || pack->failure.code)
        return 0;
    return pack->n_filled - pack->n_claimed + can_fill(pack) + can_hash(pack);
}

static task pick(oras_pack *pack)
{
    if (n_tasks(pack) == 0)
        return NOTHING;
    if (can_hash(pack))
        return HASH;
    return pack->n_claimed < pack->n_filled ? COMPRESS : FILL;
}

/* The reader has something to see. */
static void tell(oras_pack *pack)
{
    if (!pack->waiting)
        return;
    pack->waiting = false;
    if (pack->base.notify.fn)
        pack->base.notify.fn(pack->base.notify.ud);
}

static void give_up(oras_pack *pack, const oras_error *err)
{
    if (!pack->failure.code)
        pack->failure = *err;
    atomic_store(&pack->stop, true);
    tell(pack);
}

void oras_pack_wake(oras_pack *pack)
{
    int64_t n = n_tasks(pack);

    for (int i = 0; i < pack->n_workers && n > 0; i++) {
        oras_pack_worker *worker = &pack->workers[i];
        oras_error err = ORAS_ERROR_INIT;

        if (worker->busy)
            continue;
        if (oras_pool_submit(pack->pool, &worker->job, &err)) {
            give_up(pack, &err);
            return;
        }
        worker->busy = true;
        n--;
    }
}

static void do_fill(oras_pack *pack)
{
    oras_pack_block *block = block_of(pack, pack->n_filled);
    oras_error err = ORAS_ERROR_INIT;
    bool ended = false;
    oras_code code;

    pack->filling = true;
    pthread_mutex_unlock(&pack->lock);
    code = fill(pack, block, &ended, &err);
    pthread_mutex_lock(&pack->lock);
    pack->filling = false;
    if (code) {
        give_up(pack, &err);
        return;
    }
    block->is_packed = false;
    pack->all_filled = ended;
    pack->n_filled++;
}

static void do_compress(oras_pack_worker *worker)
{
    oras_pack *pack = worker->pack;
    oras_pack_block *block = block_of(pack, pack->n_claimed++);
    oras_error err = ORAS_ERROR_INIT;
    oras_code code;

    pthread_mutex_unlock(&pack->lock);
    code = compress(worker, block, &err);
    pthread_mutex_lock(&pack->lock);
    block->is_packed = !code;
    if (code)
        give_up(pack, &err);
}

static void do_hash(oras_pack *pack)
{
    const oras_pack_block *block = block_of(pack, pack->n_hashed);
    bool last = pack->all_filled && pack->n_hashed + 1 == pack->n_filled;
    oras_error err = ORAS_ERROR_INIT;
    oras_code code;

    pack->hashing = true;
    pthread_mutex_unlock(&pack->lock);
    code = hash(pack, block, last, &err);
    pthread_mutex_lock(&pack->lock);
    pack->hashing = false;
    if (code) {
        give_up(pack, &err);
        return;
    }
    pack->n_hashed++;
    pack->all_hashed = last;
    tell(pack);
}

/* --- on a worker -------------------------------------------------------------------------------
 */

static void run(oras_job *job)
{
    oras_pack_worker *worker = (oras_pack_worker *)job;
    oras_pack *pack = worker->pack;

    pthread_mutex_lock(&pack->lock);
    switch (pick(pack)) {
    case HASH:
        do_hash(pack);
        break;
    case COMPRESS:
        do_compress(worker);
        break;
    case FILL:
        do_fill(pack);
        break;
    case NOTHING:
        break;
    }
    worker->busy = false;
    oras_pack_wake(pack);
    pthread_mutex_unlock(&pack->lock);
}

/* --- on the loop's thread ----------------------------------------------------------------------
 */

void oras_pack_workers_init(oras_pack *pack)
{
    for (int i = 0; i < pack->n_workers; i++)
        pack->workers[i] = (oras_pack_worker){.job.run = run, .pack = pack};
}

void oras_pack_halt(oras_pack *pack)
{
    pthread_mutex_lock(&pack->lock);
    pack->stopping = true;
    atomic_store(&pack->stop, true);
    pthread_mutex_unlock(&pack->lock);
    for (int i = 0; i < pack->n_workers; i++) {
        oras_pool_settle(pack->pool, &pack->workers[i].job);
        pack->workers[i].busy = false;
    }
}

void oras_pack_release(oras_pack *pack)
{
    for (int i = 0; i < pack->n_workers; i++) {
        oras_compressor_free(pack->workers[i].compressor);
        pack->workers[i].compressor = NULL;
    }
    for (int i = 0; i < pack->n_blocks; i++) {
        oras_dealloc(pack->blocks[i].tar);
        oras_dealloc(pack->blocks[i].packed);
        memset(&pack->blocks[i], 0, sizeof pack->blocks[i]);
    }
}
