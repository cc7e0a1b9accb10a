/* SPDX-License-Identifier: MIT
 * A tree sink. What was taken is unpacked at once, so a transfer that broke off goes on behind
 * it, in this process; a later one starts at byte 0. */
#include "base/alloc.h"
#include "io/extract.h"
#include "io/sink_internal.h"

typedef struct tree_sink {
    oras_sink base;
    oras_extract *extract; /* NULL: done */
    bool ending;
} tree_sink;

/* --- on a worker ----------------------------------------------------------------------------- */

static oras_code hash(void *ud, const void *data, size_t size, oras_error *err)
{
    tree_sink *tree = ud;

    return tree->base.hasher ? oras_hasher_update(tree->base.hasher, data, size, err) : ORAS_OK;
}

static oras_code verify(void *ud, oras_error *err)
{
    tree_sink *tree = ud;

    return oras_sink_verify(&tree->base, err);
}

static void on_news(void *ud)
{
    tree_sink *tree = ud;

    oras_sink_tell(&tree->base);
}

/* --- the sink, on the loop's thread -------------------------------------------------------- */

static oras_code start_over(tree_sink *tree, oras_error *err)
{
    oras_code code;

    oras_extract_drop(tree->extract);
    tree->ending = false;
    tree->base.skip = 0;
    code = oras_sink_restart(&tree->base, err);
    return code ? code : oras_extract_open(tree->extract, err);
}

static oras_code open_once(tree_sink *tree, oras_error *err)
{
    if (!tree->extract)
        return oras_fail(err, ORAS_C_USAGE, "the directory is complete already");
    if (oras_extract_is_open(tree->extract) && !tree->ending &&
        !oras_extract_has_failed(tree->extract))
        return ORAS_OK;
    return start_over(tree, err);
}

static oras_code tree_offset(oras_sink *sink, int64_t *offset, bool *pending, oras_error *err)
{
    tree_sink *tree = (tree_sink *)sink;
    oras_code code = open_once(tree, err);

    (void)pending;
    if (!code)
        *offset = sink->count;
    return code;
}

static oras_code tree_begin(oras_sink *sink, int64_t offset, oras_error *err)
{
    tree_sink *tree = (tree_sink *)sink;
    oras_code code = open_once(tree, err);

    if (!code)
        sink->skip = sink->count - offset;
    return code;
}

static oras_flow tree_write(oras_sink *sink, const void *data, size_t size, oras_error *err)
{
    tree_sink *tree = (tree_sink *)sink;
    size_t seen = sink->skip < (int64_t)size ? (size_t)sink->skip : size;
    oras_flow flow;

    flow = oras_extract_write(tree->extract, (const char *)data + seen, size - seen, err);
    if (flow != ORAS_FLOW_OK)
        return flow;
    sink->skip -= (int64_t)seen;
    sink->count += (int64_t)(size - seen);
    return ORAS_FLOW_OK;
}

static oras_code tree_finish(oras_sink *sink, bool *pending, oras_error *err)
{
    tree_sink *tree = (tree_sink *)sink;
    bool over = false;
    oras_code code = ORAS_OK;

    if (!tree->ending) {
        tree->ending = true;
        code = oras_extract_end(tree->extract, err);
    }
    if (!code)
        code = oras_extract_is_over(tree->extract, &over, err);
    *pending = !over && !code;
    if (over) { /* the sink itself may wait for the collector: its blocks need not */
        oras_extract_free(tree->extract);
        tree->extract = NULL;
    }
    return code;
}

static void tree_remove_partial(oras_sink *sink)
{
    tree_sink *tree = (tree_sink *)sink;

    if (tree->extract)
        oras_extract_drop(tree->extract);
    tree->ending = false;
    oras_sink_restart(sink, NULL);
}

static void tree_set_notify(oras_sink *sink, oras_notify notify)
{
    tree_sink *tree = (tree_sink *)sink;

    if (tree->extract)
        oras_extract_lock(tree->extract);
    sink->notify = notify;
    if (tree->extract)
        oras_extract_unlock(tree->extract);
}

static void tree_free(oras_sink *sink)
{
    tree_sink *tree = (tree_sink *)sink;

    tree_set_notify(sink, (oras_notify){NULL, NULL});
    oras_extract_free(tree->extract);
    oras_sink_dispose(sink);
    oras_dealloc(tree);
}

static const oras_sink_ops tree_ops = {.offset = tree_offset,
                                       .begin = tree_begin,
                                       .write = tree_write,
                                       .finish = tree_finish,
                                       .remove_partial = tree_remove_partial,
                                       .set_notify = tree_set_notify,
                                       .free = tree_free};

oras_code oras_sink_tree(oras_pool *pool, const oras_tree_target *target, const oras_expect *expect,
                         oras_sink **out, oras_error *err)
{
    tree_sink *tree = oras_alloc_zero(1, sizeof *tree);
    oras_extract_hooks hooks = {.hash = hash,
                                .verify = verify,
                                .news = on_news,
                                .can_verify = expect && expect->has_digest,
                                .ud = tree};
    oras_code code;

    if (!tree)
        return oras_fail_memory(err);
    code = oras_sink_init(&tree->base, &tree_ops, expect, err);
    if (!code)
        code = oras_extract_new(pool, target, &hooks, &tree->extract, err);
    if (code) {
        oras_sink_dispose(&tree->base);
        oras_dealloc(tree);
        return code;
    }
    *out = &tree->base;
    return ORAS_OK;
}
