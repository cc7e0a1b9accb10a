/* SPDX-License-Identifier: MIT
 * What only reads (memory, a file) is hashed on a worker. What has threads of its own, or is
 * filled on the loop's thread, is read there, a few blocks a turn. */
#include "bind/source_hash.h"

#include "base/alloc.h"
#include "bind/box.h"
#include "bind/digest_file.h"
#include "bind/lua_error.h"
#include "bind/source.h"
#include "bind/wait.h"

#include <stdatomic.h>

#define BOX         "oras.source_hash"
#define BLOCK_SIZE  ((size_t)256 * 1024)
#define SMALL       ((int64_t)64 * 1024) /* is hashed at once: a worker's round trip takes longer */
#define BLOCKS_TURN 16
#define BLOCKS_JOB  128

typedef struct hash_box {
    oras_job job; /* first */
    oras_post post;
    oras_context *context;
    oras_signal signal;
    oras_source *source; /* NULL: it was taken away */
    atomic_bool abandoned;
    oras_algorithm algorithm;
    oras_hasher *hasher;
    char *block;
    int64_t size; /* the result: code, and size and digest or err */
    oras_digest digest;
    oras_error err;
    oras_code code;
    bool done;
    int n_results; /* of digest and size */
} hash_box;

/* What is packed is hashed on the way, by workers. */
static bool hashes_itself(const hash_box *box)
{
    return oras_source_hashes(box->source) && box->algorithm == ORAS_SHA256;
}

/* The bytes are all read: their digest, and back to the first. */
static void conclude(hash_box *box)
{
    if (!hashes_itself(box))
        box->code = oras_hasher_final(box->hasher, &box->digest, &box->err);
    else if (!oras_source_digest(box->source, &box->digest, &box->size))
        box->code = oras_fail(&box->err, ORAS_C_CONTENT, "the source ended without a digest");
    if (!box->code)
        box->code = oras_source_seek(box->source, 0, &box->err);
}

static oras_source_step hash_block(hash_box *box)
{
    size_t n;
    oras_source_step step = oras_source_read(box->source, box->block, BLOCK_SIZE, &n, &box->err);

    if (step == ORAS_SOURCE_DATA && !hashes_itself(box) &&
        oras_hasher_update(box->hasher, box->block, n, &box->err) != ORAS_OK)
        step = ORAS_SOURCE_FAILED;
    box->size += (int64_t)n;
    if (step == ORAS_SOURCE_FAILED)
        box->code = box->err.code;
    else if (step == ORAS_SOURCE_END)
        conclude(box);
    return step;
}

/* Is there more to do? */
static bool hash_blocks(hash_box *box, int n_blocks)
{
    oras_source_step step = ORAS_SOURCE_DATA;

    for (int i = 0; i < n_blocks && step == ORAS_SOURCE_DATA; i++)
        step = atomic_load(&box->abandoned) ? ORAS_SOURCE_FAILED : hash_block(box);
    return step == ORAS_SOURCE_DATA;
}

/* On a worker, which others want, too: a big file goes to the end of the queue now and then.
 * The box settles the job before it goes, so the loop is still there. */
static void on_worker(oras_job *job)
{
    hash_box *box = (hash_box *)job;

    while (hash_blocks(box, BLOCKS_JOB)) {
        if (oras_pool_submit(box->context->pool, job, NULL) == ORAS_OK)
            return;
    }
    oras_loop_post(box->context->loop, &box->post);
}

static void on_worker_done(void *ud)
{
    hash_box *box = ud;

    box->done = true;
    oras_signal_set(box->context, &box->signal);
}

/* On the loop's thread: some blocks, then others have their turn. */
static void on_turn(void *ud)
{
    hash_box *box = ud;
    oras_source_step step = ORAS_SOURCE_DATA;

    for (int i = 0; i < BLOCKS_TURN && step == ORAS_SOURCE_DATA; i++)
        step = hash_block(box);
    if (step == ORAS_SOURCE_DATA)
        oras_loop_post(box->context->loop, &box->post);
    else if (step != ORAS_SOURCE_WAIT)
        on_worker_done(box);
}

/* Of the source, from any thread. */
static void on_notify(void *ud)
{
    hash_box *box = ud;

    oras_loop_post(box->context->loop, &box->post);
}

/* Nothing runs for the box any more. */
static void stop(hash_box *box)
{
    if (!box->source)
        return;
    atomic_store(&box->abandoned, true);
    oras_pool_settle(box->context->pool, &box->job);
    oras_source_set_notify(box->source, (oras_notify){NULL, NULL});
    oras_loop_unpost(box->context->loop, &box->post);
    box->source = NULL;
}

/* The source is closed, or a request takes it. */
static void on_lost(void *ud)
{
    hash_box *box = ud;

    stop(box);
    if (!box->done)
        box->code = oras_fail(&box->err, ORAS_C_CANCELLED, "source was taken away");
    oras_signal_set(box->context, &box->signal);
}

static int hash_close(lua_State *L)
{
    hash_box *box = lua_touserdata(L, 1);

    if (lua_getiuservalue(L, 1, 1) == LUA_TUSERDATA)
        oras_lua_source_release(L, -1, box);
    stop(box);
    oras_hasher_free(box->hasher);
    oras_dealloc(box->block);
    box->hasher = NULL;
    box->block = NULL;
    return 0;
}

static oras_code prepare(hash_box *box, oras_error *err)
{
    oras_code code = oras_source_seek(box->source, 0, err);

    oras_source_set_pool(box->source, NULL);
    if (!code && !oras_source_can_seek(box->source))
        code = oras_fail(err, ORAS_C_UNSUPPORTED, "a source that streams can be read only once");
    if (!code)
        code = oras_hasher_new(box->algorithm, &box->hasher, err);
    if (code)
        return code;
    box->block = oras_alloc(BLOCK_SIZE);
    return box->block ? ORAS_OK : oras_fail_memory(err);
}

static oras_code start(hash_box *box, oras_error *err)
{
    int64_t size = oras_source_size(box->source);
    oras_code code = prepare(box, err);

    if (code)
        return code;
    box->post = (oras_post){.fn = on_turn, .ud = box};
    box->job.run = on_worker;
    if (oras_source_hashes(box->source)) {
        oras_source_set_notify(box->source, (oras_notify){on_notify, box});
        oras_loop_post(box->context->loop, &box->post);
    } else if (size >= 0 && size <= SMALL) {
        hash_blocks(box, BLOCKS_JOB);
        on_worker_done(box);
    } else {
        box->post.fn = on_worker_done;
        code = oras_pool_submit(box->context->pool, &box->job, err);
    }
    return code;
}

/* ctx: where the box is */
static int give(lua_State *L, int status, lua_KContext ctx)
{
    hash_box *box = lua_touserdata(L, (int)ctx);

    (void)status;
    if (box->code)
        return oras_lua_fail(L, &box->err);
    lua_pushstring(L, box->digest.text);
    lua_pushinteger(L, box->size);
    if (box->n_results == 1)
        lua_pop(L, 1);
    return box->n_results;
}

int oras_lua_hash(lua_State *L, int idx, oras_algorithm algorithm, int n_results)
{
    oras_source *source = oras_lua_check_source(L, idx);
    oras_context *context = oras_context_get(L); /* first: what is made later is closed earlier */
    oras_error err = ORAS_ERROR_INIT;
    hash_box *box;

    oras_box_type(L, BOX, NULL, hash_close);
    box = oras_box_new(L, BOX, sizeof *box, 1);
    box->context = context;
    box->algorithm = algorithm;
    box->n_results = n_results;
    lua_pushvalue(L, idx);
    lua_setiuservalue(L, -2, 1);
    lua_toclose(L, -1);
    oras_lua_source_take(L, idx, on_lost, box);
    box->source = source;
    if (start(box, &err))
        return oras_lua_fail(L, &err);
    return oras_lua_wait(L, &box->signal, lua_gettop(L), give);
}

int oras_lua_source_hash(lua_State *L)
{
    oras_lua_check_source(L, 1);
    return oras_lua_hash(L, 1, oras_lua_opt_algorithm(L, 2), 2);
}
