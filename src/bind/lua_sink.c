/* SPDX-License-Identifier: MIT
 * oras.core.sink: where bodies go. */
#include "bind/sink.h"

#include "bind/archive_options.h"
#include "bind/box.h"
#include "bind/context.h"
#include "bind/lua_error.h"
#include "bind/root.h"
#include "bind/tables.h"

#include <string.h>

#define SINK             "oras.sink"
#define DEFAULT_LIMIT    ((lua_Integer)4 * 1024 * 1024)
#define DEFAULT_CAPACITY ((lua_Integer)256 * 1024)
#define MIN_CAPACITY     ((lua_Integer)64 * 1024) /* curl hands over up to 16 KiB at once */
#define COLLECT_EVERY    64
#define MAX_CAPACITY     ((lua_Integer)64 * 1024 * 1024)

typedef struct sink_box {
    oras_sink *sink;
    void (*lost)(void *ud); /* of who uses it now */
    void *ud;
    lua_Integer *n_kept; /* where a part that is left is counted; NULL: nowhere */
} sink_box;

static int close_box(sink_box *box, bool drop)
{
    oras_sink *sink = box->sink;

    if (!sink)
        return 0;
    box->sink = NULL;
    if (box->lost)
        box->lost(box->ud);
    box->lost = NULL;
    if (drop)
        oras_sink_remove_partial(sink);
    if (box->n_kept && oras_sink_settle(sink))
        ++*box->n_kept;
    oras_sink_free(sink);
    return 0;
}

static int sink_gc(lua_State *L)
{
    return close_box(lua_touserdata(L, 1), false);
}

/* sink:close(drop_partial?) */
static int sink_close(lua_State *L)
{
    return close_box(luaL_checkudata(L, 1, SINK), lua_toboolean(L, 2));
}

/* sink:count() -> bytes taken so far; nil once closed */
static int sink_count(lua_State *L)
{
    const sink_box *box = luaL_checkudata(L, 1, SINK);

    if (!box->sink)
        return 0;
    lua_pushinteger(L, oras_sink_count(box->sink));
    return 1;
}

static sink_box *check_box(lua_State *L, int idx)
{
    sink_box *box = luaL_testudata(L, idx, SINK);

    if (!box)
        oras_lua_misuse(L, "argument is a %s, expected a sink", luaL_typename(L, idx));
    if (!box->sink)
        oras_lua_misuse(L, "sink is closed");
    return box;
}

oras_sink *oras_lua_check_sink(lua_State *L, int idx)
{
    return check_box(L, idx)->sink;
}

static void end_use(sink_box *box)
{
    void (*lost)(void *) = box->lost;

    box->lost = NULL;
    if (lost)
        lost(box->ud);
}

void oras_lua_sink_take(lua_State *L, int idx, void (*lost)(void *ud), void *ud)
{
    sink_box *box = check_box(L, idx);

    end_use(box);
    box->lost = lost;
    box->ud = ud;
}

void oras_lua_sink_release(lua_State *L, int idx, const void *ud)
{
    sink_box *box = luaL_testudata(L, idx, SINK);

    if (box && box->ud == ud)
        box->lost = NULL;
}

/* The digest in a field of the options at 1; false where there is none. */
static bool read_digest(lua_State *L, const char *field, oras_digest *out)
{
    const char *text = oras_opt_string(L, 1, field, NULL);
    oras_error err = ORAS_ERROR_INIT;

    if (text && oras_digest_parse(text, strlen(text), out, &err))
        oras_lua_raise(L, &err);
    return text != NULL;
}

void oras_lua_read_expect(lua_State *L, oras_expect *expect)
{
    memset(expect, 0, sizeof *expect);
    expect->size = oras_opt_integer(L, 1, "size", -1);
    expect->has_digest = read_digest(L, "digest", &expect->digest);
}

static size_t read_size(lua_State *L, const char *field, lua_Integer fallback, lua_Integer least,
                        lua_Integer most)
{
    lua_Integer value = oras_opt_integer(L, 1, field, fallback);

    if (value < least)
        return (size_t)least;
    return (size_t)(value > most ? most : value);
}

static int give(lua_State *L, oras_code code, const oras_error *err)
{
    return code ? oras_lua_fail(L, err) : 1;
}

/* memory{limit, digest, size} */
static int memory(lua_State *L)
{
    oras_error err = ORAS_ERROR_INIT;
    oras_expect expect;
    size_t limit = read_size(L, "limit", DEFAULT_LIMIT, 0, LUA_MAXINTEGER);
    sink_box *box;

    oras_lua_read_expect(L, &expect);
    box = oras_box_new(L, SINK, sizeof *box, 0);
    return give(L, oras_sink_memory(limit, &expect, &box->sink, &err), &err);
}

oras_sink **oras_lua_push_sink(lua_State *L)
{
    sink_box *box = oras_box_new(L, SINK, sizeof *box, 0);

    return &box->sink;
}

oras_sink *oras_lua_push_memory_sink(lua_State *L, size_t limit)
{
    oras_error err = ORAS_ERROR_INIT;
    sink_box *box = oras_box_new(L, SINK, sizeof *box, 0);

    if (oras_sink_memory(limit, NULL, &box->sink, &err))
        oras_lua_raise(L, &err);
    return box->sink;
}

/* file{root, path, shown, digest, size, resume, overwrite, durable, mode, exact} */
static int file(lua_State *L)
{
    oras_error err = ORAS_ERROR_INIT;
    oras_file_target target = {.path = oras_opt_string(L, 1, "path", NULL),
                               .root = oras_lua_opt_root(L, 1),
                               .shown = oras_opt_string(L, 1, "shown", NULL),
                               .resume = oras_opt_boolean(L, 1, "resume", 1),
                               .overwrite = oras_opt_boolean(L, 1, "overwrite", 1),
                               .durable = oras_opt_boolean(L, 1, "durable", 0),
                               .mode = (mode_t)(oras_opt_integer(L, 1, "mode", 0) & 0777),
                               .exact = oras_opt_boolean(L, 1, "exact", 0)};
    oras_expect expect;
    sink_box *box;

    if (!target.path)
        oras_lua_misuse(L, "file sink has no path");
    oras_lua_read_expect(L, &expect);
    box = oras_box_new(L, SINK, sizeof *box, 0);
    box->n_kept = &oras_context_get(L)->n_kept; /* the context goes after all boxes */
    return give(L, oras_sink_file(oras_context_get(L)->pool, &target, &expect, &box->sink, &err),
                &err);
}

/* tree{root, path, prefix, digest, size, content_digest, packing, media_type, max_bytes,
 * max_entries, max_ratio, max_depth, overwrite, links, any_case, exact, durable} */
static int tree(lua_State *L)
{
    const int *root = oras_lua_opt_root(L, 1);
    oras_tree_target target = {.path = oras_opt_string(L, 1, "path", NULL),
                               .prefix = oras_opt_string(L, 1, "prefix", NULL),
                               .packing = oras_lua_opt_packing(L, 1),
                               .limits = oras_lua_opt_limits(L, 1),
                               .overwrite = oras_opt_boolean(L, 1, "overwrite", 1),
                               .links = oras_opt_boolean(L, 1, "links", 0),
                               .any_case = oras_opt_boolean(L, 1, "any_case", 0),
                               .exact = oras_opt_boolean(L, 1, "exact", 0),
                               .durable = oras_opt_boolean(L, 1, "durable", 0)};
    oras_error err = ORAS_ERROR_INIT;
    oras_expect expect;
    oras_digest content;
    sink_box *box;

    if (!root || !target.path)
        oras_lua_misuse(L, "tree sink has no %s", root ? "path" : "root");
    target.root = *root;
    oras_lua_read_expect(L, &expect);
    target.content = read_digest(L, "content_digest", &content) ? &content : NULL;
    box = oras_box_new(L, SINK, sizeof *box, 0);
    return give(L, oras_sink_tree(oras_context_get(L)->pool, &target, &expect, &box->sink, &err),
                &err);
}

/* Lua does not see what a stream holds, a connection and its queue: those that were dropped
 * are collected before too many pile up. */
static void collect_dropped(lua_State *L)
{
    oras_context *context = oras_context_get(L);

    if (++context->n_streams < COLLECT_EVERY)
        return;
    context->n_streams = 0;
    lua_gc(L, LUA_GCCOLLECT);
}

/* stream{capacity, digest, size} */
static int stream(lua_State *L)
{
    oras_error err = ORAS_ERROR_INIT;
    size_t capacity = read_size(L, "capacity", DEFAULT_CAPACITY, MIN_CAPACITY, MAX_CAPACITY);
    oras_expect expect;
    sink_box *box;

    oras_lua_read_expect(L, &expect);
    collect_dropped(L);
    box = oras_box_new(L, SINK, sizeof *box, 0);
    return give(L, oras_sink_stream(capacity, &expect, &box->sink, &err), &err);
}

/* discard{digest, size} */
static int discard(lua_State *L)
{
    oras_error err = ORAS_ERROR_INIT;
    oras_expect expect;
    sink_box *box;

    oras_lua_read_expect(L, &expect);
    box = oras_box_new(L, SINK, sizeof *box, 0);
    return give(L, oras_sink_discard(&expect, &box->sink, &err), &err);
}

void oras_lua_open_sink(lua_State *L)
{
    static const luaL_Reg methods[] = {{"close", sink_close}, {"count", sink_count}, {NULL, NULL}};
    static const luaL_Reg functions[] = {{"memory", memory}, {"file", file},       {"tree", tree},
                                         {"stream", stream}, {"discard", discard}, {NULL, NULL}};

    oras_box_type(L, SINK, methods, sink_gc);
    luaL_newlib(L, functions);
}
