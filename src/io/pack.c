/* SPDX-License-Identifier: MIT
 * The reader's side of a pack: starts the work, takes finished blocks out of the ring. */
#include "io/pack.h"

#include "base/alloc.h"
#include "io/pack_internal.h"

#include <string.h>

static bool is_started(const oras_pack *pack)
{
    return pack->blob_hasher != NULL;
}

static oras_code start(oras_pack *pack, oras_error *err)
{
    oras_hasher *tar_hasher = NULL;
    oras_code code = ORAS_OK;

    if (pack->compression != ORAS_COMPRESSION_NONE)
        code = oras_hasher_new(ORAS_SHA256, &tar_hasher, err);
    if (!code)
        code = oras_hasher_new(ORAS_SHA256, &pack->blob_hasher, err);
    if (code)
        oras_hasher_free(tar_hasher);
    else
        pack->tar_hasher = tar_hasher;
    return code;
}

/* Back to before the start. */
static void reset(oras_pack *pack)
{
    oras_pack_halt(pack);
    oras_hasher_free(pack->tar_hasher);
    oras_hasher_free(pack->blob_hasher);
    pack->tar_hasher = pack->blob_hasher = NULL;
    pack->tar_sum.size = pack->blob_sum.size = 0;
    pack->read_at = 0;
    pack->n_filled = pack->n_claimed = pack->n_hashed = pack->n_read = 0;
    pack->filling = pack->hashing = pack->all_filled = pack->all_hashed = false;
    pack->waiting = pack->stopping = pack->ended = false;
    pack->failure.code = ORAS_OK;
    atomic_store(&pack->stop, false);
    if (pack->tar.walk)
        oras_pack_tar_restart(&pack->tar);
}

static void pack_free(oras_source *source)
{
    oras_pack *pack = (oras_pack *)source;

    reset(pack);
    oras_pack_release(pack);
    oras_pack_tar_dispose(&pack->tar);
    oras_dealloc(pack->path);
    pthread_mutex_destroy(&pack->lock);
    oras_dealloc(pack);
}

static oras_code pack_seek(oras_source *source, int64_t offset, oras_error *err)
{
    oras_pack *pack = (oras_pack *)source;

    if (offset != 0)
        return oras_fail(err, ORAS_C_UNSUPPORTED,
                         "an archive being packed can only be read again from its start");
    if (is_started(pack))
        reset(pack);
    return ORAS_OK;
}

static void pack_set_notify(oras_source *source, oras_notify notify)
{
    oras_pack *pack = (oras_pack *)source;

    pthread_mutex_lock(&pack->lock);
    source->notify = notify;
    pthread_mutex_unlock(&pack->lock);
}

/* Is there a block to read from? */
static oras_source_step look(oras_pack *pack, oras_error *err)
{
    oras_source_step step = ORAS_SOURCE_DATA;

    pthread_mutex_lock(&pack->lock);
    if (pack->failure.code) {
        if (err)
            *err = pack->failure;
        step = ORAS_SOURCE_FAILED;
    } else if (pack->n_read == pack->n_hashed) {
        step = pack->all_hashed ? ORAS_SOURCE_END : ORAS_SOURCE_WAIT;
        pack->waiting = step == ORAS_SOURCE_WAIT;
        oras_pack_wake(pack);
    }
    pthread_mutex_unlock(&pack->lock);
    return step;
}

/* All is given: only what it was matters from now on. */
static void end(oras_pack *pack)
{
    pack->ended = pack->is_known = true;
    pack->known_tar = pack->tar_sum;
    pack->known_blob = pack->blob_sum;
    pack->base.size = pack->known_blob.size;
    oras_pack_halt(pack);
    oras_pack_release(pack);
}

static void give_back(oras_pack *pack)
{
    pack->read_at = 0;
    pthread_mutex_lock(&pack->lock);
    pack->n_read++;
    oras_pack_wake(pack);
    pthread_mutex_unlock(&pack->lock);
}

/* Bytes of the block at hand: 0 when it is used up. */
static size_t take(oras_pack *pack, char *data, size_t capacity)
{
    const oras_pack_block *block = &pack->blocks[pack->n_read % pack->n_blocks];
    bool is_packed = pack->compression != ORAS_COMPRESSION_NONE;
    size_t n = (is_packed ? block->n_packed : block->n_tar) - pack->read_at;

    if (n > capacity)
        n = capacity;
    memcpy(data, (is_packed ? block->packed : block->tar) + pack->read_at, n);
    pack->read_at += n;
    return n;
}

static oras_source_step pack_read(oras_source *source, void *data, size_t capacity, size_t *size,
                                  oras_error *err)
{
    oras_pack *pack = (oras_pack *)source;
    oras_source_step step = ORAS_SOURCE_DATA;
    size_t used = 0;

    if (!is_started(pack) && start(pack, err))
        return ORAS_SOURCE_FAILED;
    while (used < capacity && (step = look(pack, err)) == ORAS_SOURCE_DATA) {
        size_t n = take(pack, (char *)data + used, capacity - used);

        used += n;
        if (n == 0)
            give_back(pack);
    }
    *size = used;
    if (step == ORAS_SOURCE_END && !pack->ended)
        end(pack);
    if (step == ORAS_SOURCE_FAILED || used == 0)
        return step;
    return ORAS_SOURCE_DATA;
}

static bool give_known(const oras_pack *pack, const oras_pack_sum *sum, oras_digest *digest,
                       int64_t *size)
{
    if (!pack->is_known)
        return false;
    *digest = sum->digest;
    *size = sum->size;
    return true;
}

static bool pack_digest(const oras_source *source, oras_digest *digest, int64_t *size)
{
    const oras_pack *pack = (const oras_pack *)source;

    return give_known(pack, &pack->known_blob, digest, size);
}

static const oras_source_ops pack_ops = {
    .read = pack_read,
    .seek = pack_seek,
    .digest = pack_digest,
    .set_notify = pack_set_notify,
    .free = pack_free,
};

bool oras_pack_content(const oras_source *source, oras_digest *digest, int64_t *size)
{
    const oras_pack *pack = (const oras_pack *)source;

    return source->ops == &pack_ops && give_known(pack, &pack->known_tar, digest, size);
}

static void set_up(oras_pack *pack, oras_pool *pool, const oras_pack_options *options)
{
    pack->base.ops = &pack_ops;
    pack->base.size = -1;
    pack->pool = pool;
    pack->compression = options->compression;
    pack->level = options->level;
    pack->n_workers = oras_pool_size(pool);
    if (pack->n_workers > ORAS_PACK_MAX_WORKERS)
        pack->n_workers = ORAS_PACK_MAX_WORKERS;
    pack->n_blocks = 2 * pack->n_workers + 2;
    if (pack->n_blocks > ORAS_PACK_MAX_BLOCKS)
        pack->n_blocks = ORAS_PACK_MAX_BLOCKS;
    pthread_mutex_init(&pack->lock, NULL);
    oras_pack_workers_init(pack);
}

static oras_code open_tree(oras_pack *pack, const char *path, const oras_pack_options *options,
                           oras_error *err)
{
    oras_walk_options walk_options = {
        .prefix = options->prefix, .max_entries = options->max_entries, .stop = &pack->stop};
    oras_walk *walk = NULL;
    oras_code code = oras_walk_new(path, &walk_options, &walk, err);

    oras_pack_tar_init(&pack->tar, walk, options->mtime, &pack->stop);
    if (code)
        return code;
    pack->path = oras_strdup(path);
    return pack->path ? ORAS_OK : oras_fail_memory(err);
}

oras_code oras_pack_new(oras_pool *pool, const char *path, const oras_pack_options *options,
                        oras_source **out, oras_error *err)
{
    oras_code code = oras_compressor_check(options->compression, options->level, err);
    oras_pack *pack = code ? NULL : oras_alloc_zero(1, sizeof *pack);

    if (code)
        return code;
    if (!pack)
        return oras_fail_memory(err);
    set_up(pack, pool, options);
    code = open_tree(pack, path, options, err);
    if (code)
        pack_free(&pack->base);
    else
        *out = &pack->base;
    return code;
}
