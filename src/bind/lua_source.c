/* SPDX-License-Identifier: MIT
 * oras.core.source: where the bodies of requests come from. */
#include "bind/source.h"

#include "bind/box.h"
#include "bind/digest_file.h"
#include "bind/lua_error.h"
#include "bind/pack.h"
#include "bind/sink.h"
#include "bind/source_hash.h"
#include "bind/tables.h"
#include "bind/wait.h"

#define SOURCE           "oras.source"
#define DEFAULT_CAPACITY ((lua_Integer)1024 * 1024)
#define MIN_CAPACITY     ((lua_Integer)64 * 1024)
#define MAX_CAPACITY     ((lua_Integer)64 * 1024 * 1024)

typedef struct source_box {
    oras_source *source;
    oras_context *context;
    void (*lost)(void *ud); /* of who uses it now */
    void *ud;
    oras_signal room; /* for who writes into a stream */
    size_t piece;     /* of a stream: what is put into it at once; 0: no stream */
} source_box;

static void end_use(source_box *box)
{
    void (*lost)(void *) = box->lost;

    box->lost = NULL;
    if (lost)
        lost(box->ud);
}

/* source:close(), and the collector */
static int source_close(lua_State *L)
{
    source_box *box = luaL_checkudata(L, 1, SOURCE);
    oras_source *source = box->source;

    if (!source)
        return 0;
    end_use(box);
    box->source = NULL;
    oras_source_free(source);
    oras_signal_set(box->context, &box->room); /* whoever writes finds it closed */
    return 0;
}

static source_box *check_box(lua_State *L, int idx)
{
    source_box *box = luaL_testudata(L, idx, SOURCE);

    if (!box)
        oras_lua_misuse(L, "argument is a %s, expected a source", luaL_typename(L, idx));
    if (!box->source)
        oras_lua_misuse(L, "source is closed");
    return box;
}

static source_box *new_box(lua_State *L)
{
    oras_context *context = oras_context_get(L); /* first: what is made later is closed earlier */
    source_box *box = oras_box_new(L, SOURCE, sizeof *box, 1);

    box->context = context;
    return box;
}

oras_source **oras_lua_new_source(lua_State *L)
{
    source_box *box = new_box(L);

    lua_insert(L, -2);
    lua_setiuservalue(L, -2, 1);
    return &box->source;
}

oras_source *oras_lua_check_source(lua_State *L, int idx)
{
    return check_box(L, idx)->source;
}

bool oras_lua_is_source(lua_State *L, int idx)
{
    return luaL_testudata(L, idx, SOURCE) != NULL;
}

void oras_lua_source_take(lua_State *L, int idx, void (*lost)(void *ud), void *ud)
{
    source_box *box = check_box(L, idx);

    end_use(box);
    box->lost = lost;
    box->ud = ud;
}

void oras_lua_source_release(lua_State *L, int idx, const void *ud)
{
    source_box *box = luaL_testudata(L, idx, SOURCE);

    if (box && box->ud == ud)
        box->lost = NULL;
}

static int give(lua_State *L, oras_code code, const oras_error *err)
{
    return code ? oras_lua_fail(L, err) : 1;
}

static int give_true(lua_State *L, oras_code code, const oras_error *err)
{
    if (code)
        return oras_lua_fail(L, err);
    lua_pushboolean(L, 1);
    return 1;
}

/* string(s): the bytes stay Lua's */
static int string(lua_State *L)
{
    oras_error err = ORAS_ERROR_INIT;
    oras_source **place;
    const char *data;
    size_t size;

    if (lua_type(L, 1) != LUA_TSTRING)
        oras_lua_misuse(L, "bytes are a %s, expected a string", luaL_typename(L, 1));
    data = lua_tolstring(L, 1, &size);
    lua_settop(L, 1);
    place = oras_lua_new_source(L);
    return give(L, oras_source_memory(data, size, place, &err), &err);
}

/* file(path) */
static int file(lua_State *L)
{
    const char *path = oras_lua_check_text(L, 1, "path");
    source_box *box = new_box(L);
    oras_error err = ORAS_ERROR_INIT;

    return give(L, oras_source_file(path, &box->source, &err), &err);
}

static lua_Integer read_size(lua_State *L)
{
    lua_Integer size = oras_opt_integer(L, 1, "size", -1);

    return size < 0 ? -1 : size;
}

static size_t read_capacity(lua_State *L)
{
    lua_Integer capacity = oras_opt_integer(L, 1, "capacity", DEFAULT_CAPACITY);

    if (capacity < MIN_CAPACITY)
        capacity = MIN_CAPACITY;
    return (size_t)(capacity > MAX_CAPACITY ? MAX_CAPACITY : capacity);
}

/* The reader took some. From the loop, perhaps from inside curl: only note and wake. */
static void on_room(void *ud)
{
    source_box *box = ud;

    oras_signal_set(box->context, &box->room);
}

/* stream{size, capacity, algorithm} */
static int stream(lua_State *L)
{
    size_t capacity = read_capacity(L);
    lua_Integer size = read_size(L);
    oras_algorithm algorithm = oras_lua_field_algorithm(L, 1);
    source_box *box = new_box(L);
    oras_error err = ORAS_ERROR_INIT;

    if (oras_source_stream(capacity, size, algorithm, &box->source, &err))
        return oras_lua_fail(L, &err);
    oras_source_set_producer(box->source, (oras_notify){on_room, box});
    box->piece = capacity / 4;
    return 1;
}

/* pipe{digest, size, capacity} -> sink, source */
static int pipe(lua_State *L)
{
    size_t capacity = read_capacity(L);
    oras_error err = ORAS_ERROR_INIT;
    oras_sink **sink;
    source_box *box;
    oras_expect expect;

    oras_lua_read_expect(L, &expect);
    sink = oras_lua_push_sink(L);
    box = new_box(L);
    if (oras_pipe_new(box->context->pool, capacity, &expect, sink, &box->source, &err))
        return oras_lua_fail(L, &err);
    return 2;
}

/* source:size() -> bytes, nil if that is known at the end */
static int source_size(lua_State *L)
{
    int64_t size = oras_source_size(oras_lua_check_source(L, 1));

    if (size < 0)
        lua_pushnil(L);
    else
        lua_pushinteger(L, size);
    return 1;
}

/* source:mode() -> the permissions of its file, nil if it has none */
static int source_mode(lua_State *L)
{
    unsigned mode = oras_source_mode(oras_lua_check_source(L, 1));

    if (mode == 0)
        lua_pushnil(L);
    else
        lua_pushinteger(L, mode);
    return 1;
}

/* source:seek(offset) -> true */
static int source_seek(lua_State *L)
{
    oras_source *source = oras_lua_check_source(L, 1);
    oras_error err = ORAS_ERROR_INIT;

    if (!lua_isinteger(L, 2))
        oras_lua_misuse(L, "offset is a %s, expected a whole number", luaL_typename(L, 2));
    return give_true(L, oras_source_seek(source, lua_tointeger(L, 2), &err), &err);
}

static int source_can_seek(lua_State *L)
{
    lua_pushboolean(L, oras_source_can_seek(oras_lua_check_source(L, 1)));
    return 1;
}

/* source:digest() -> digest, size, once they are known */
static int source_digest(lua_State *L)
{
    oras_digest digest;
    int64_t size;

    if (!oras_source_digest(oras_lua_check_source(L, 1), &digest, &size)) {
        lua_pushnil(L);
        return 1;
    }
    lua_pushstring(L, digest.text);
    lua_pushinteger(L, size);
    return 2;
}

/* --- writing into a stream --------------------------------------------------------------- */

static source_box *check_stream(lua_State *L)
{
    source_box *box = check_box(L, 1);

    if (box->piece == 0)
        oras_lua_misuse(L, "source is no stream that can be written to");
    return box;
}

/* source:write(bytes) -> true; ctx: how many of them are in the stream already */
static int write_on(lua_State *L, int status, lua_KContext ctx)
{
    source_box *box = lua_touserdata(L, 1);
    oras_error err = ORAS_ERROR_INIT;
    size_t size, n, done = (size_t)ctx;
    const char *data = lua_tolstring(L, 2, &size);
    oras_flow flow;

    (void)status;
    while (box->source && done < size) {
        n = size - done < box->piece ? size - done : box->piece;
        box->room.set = false;
        flow = oras_source_put(box->source, data + done, n, &err);
        if (flow == ORAS_FLOW_FAILED)
            return oras_lua_fail(L, &err);
        if (flow == ORAS_FLOW_OK)
            done += n;
        else if (!oras_lua_block(L, &box->room))
            return oras_lua_wait(L, &box->room, (lua_KContext)done, write_on);
    }
    if (!box->source && done < size)
        return give_true(L, oras_fail(&err, ORAS_C_CANCELLED, "source was closed"), &err);
    return give_true(L, ORAS_OK, NULL);
}

static int source_write(lua_State *L)
{
    check_stream(L);
    if (lua_type(L, 2) != LUA_TSTRING)
        oras_lua_misuse(L, "bytes are a %s, expected a string", luaL_typename(L, 2));
    lua_settop(L, 2);
    return write_on(L, LUA_OK, 0);
}

/* source:finish() -> true: no more comes */
static int source_finish(lua_State *L)
{
    source_box *box = check_stream(L);
    oras_error err = ORAS_ERROR_INIT;

    return give_true(L, oras_source_end(box->source, &err), &err);
}

/* source:fail(err): whoever reads fails with it; of a pipe, too */
static int source_fail(lua_State *L)
{
    oras_source *source = oras_lua_check_source(L, 1);
    oras_error err = ORAS_ERROR_INIT;

    if (!oras_source_is_stream(source))
        oras_lua_misuse(L, "source is no stream");
    oras_lua_to_error(L, 2, &err);
    oras_source_break(source, &err);
    return 0;
}

void oras_lua_open_source(lua_State *L)
{
    static const luaL_Reg methods[] = {{"size", source_size},
                                       {"mode", source_mode},
                                       {"seek", source_seek},
                                       {"can_seek", source_can_seek},
                                       {"digest", source_digest},
                                       {"hash", oras_lua_source_hash},
                                       {"into", oras_lua_source_into},
                                       {"close", source_close},
                                       {"write", source_write},
                                       {"finish", source_finish},
                                       {"fail", source_fail},
                                       {"content", oras_lua_source_content},
                                       {NULL, NULL}};
    static const luaL_Reg functions[] = {
        {"string", string}, {"file", file}, {"stream", stream}, {"pipe", pipe}, {NULL, NULL}};

    oras_box_type(L, SOURCE, methods, source_close);
    luaL_newlib(L, functions);
}
