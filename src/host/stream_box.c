/* SPDX-License-Identifier: MIT
 * A stream as a provider's method has it, below lua/oras/stream.lua. */
#include "base/alloc.h"
#include "bind/box.h"
#include "bind/lua_error.h"
#include "bind/sink.h"
#include "host/functions.h"
#include "host/stream.h"
#include "io/sink_taker.h"

#define STREAM    "oras.stream"
#define MAX_PIECE ((lua_Integer)1024 * 1024)

/* What the host says of its failure; nothing: it has had enough. */
static oras_code take_error(oras_error *said, const char *what, oras_error *err)
{
    if (!said->code)
        said->code = ORAS_ECANCELED;
    if (!said->message[0])
        return oras_error_set(err, "cancelled", "the host %s", what);
    oras_functions_take_error(said, ORAS_C_SCRIPT, err);
    return err->code;
}

static oras_stream *check_open(lua_State *L)
{
    const oras_stream_box *box = luaL_checkudata(L, 1, STREAM);
    oras_error err = ORAS_ERROR_INIT;

    if (!box->stream) {
        oras_fail(&err, ORAS_C_CANCELLED, "the call of this stream is over");
        oras_lua_raise(L, &err);
    }
    return box->stream;
}

static int give_true(lua_State *L, oras_code code, const oras_error *err)
{
    if (code)
        return oras_lua_fail(L, err);
    lua_pushboolean(L, 1);
    return 1;
}

/* stream:begin(head) -> true */
static int stream_begin(lua_State *L)
{
    oras_stream *stream = check_open(L);
    const char *head = luaL_checkstring(L, 2);
    oras_error said = ORAS_ERROR_INIT, err = ORAS_ERROR_INIT;
    int rc = 0;

    if (stream->host.begin) {
        oras_stream_enter(stream);
        rc = stream->host.begin(stream->host.ud, head, &said);
        oras_stream_leave(stream);
    }
    return give_true(L, rc ? take_error(&said, "did not want it", &err) : ORAS_OK, &err);
}

/* --- towards the host ----------------------------------------------------------------------- */

static int64_t take(void *ud, const void *data, size_t size, oras_error *err)
{
    oras_stream *stream = ud;
    oras_error said = ORAS_ERROR_INIT;
    int64_t n;

    oras_stream_enter(stream);
    n = stream->host.write(stream->host.ud, data, size, &said);
    if (n > 0)
        stream->is_open = true;
    oras_stream_leave(stream);
    if (n >= 0)
        return n;
    take_error(&said, "takes no more", err);
    return -1;
}

static void verified(void *ud)
{
    ((oras_stream *)ud)->is_open = false;
}

static void gone(void *ud)
{
    ((oras_stream *)ud)->sink = NULL;
}

/* stream:sink{digest, size} -> sink of oras.core */
static int stream_sink(lua_State *L)
{
    oras_stream *stream = check_open(L);
    const oras_taker taker = {take, verified, gone, stream};
    oras_error err = ORAS_ERROR_INIT;
    oras_expect expect;
    oras_sink **slot;

    if (!stream->host.write)
        return oras_lua_misuse(L, "the host takes no bytes from this stream");
    if (stream->is_open)
        return oras_lua_misuse(L, "what was sent through this stream before is not complete");
    lua_remove(L, 1);
    oras_lua_read_expect(L, &expect);
    slot = oras_lua_push_sink(L);
    if (oras_sink_taker(&taker, &expect, slot, &err))
        return oras_lua_fail(L, &err);
    if (stream->sink)
        oras_sink_taker_leave(stream->sink);
    stream->sink = *slot;
    return 1;
}

/* stream:finish() -> true: the method is through */
static int stream_finish(lua_State *L)
{
    oras_stream *stream = check_open(L);
    oras_error said = ORAS_ERROR_INIT, err = ORAS_ERROR_INIT;
    int rc = 0;

    if (stream->is_open) {
        oras_fail(&err, ORAS_C_INTEGRITY, "what was sent to the host is not complete");
        return oras_lua_fail(L, &err);
    }
    if (stream->host.end) {
        oras_stream_enter(stream);
        rc = stream->host.end(stream->host.ud, &said);
        oras_stream_leave(stream);
    }
    return give_true(L, rc ? take_error(&said, "did not take the end", &err) : ORAS_OK, &err);
}

/* --- from the host -------------------------------------------------------------------------- */

/* stream:size() -> of what the host gives; nil: not known */
static int stream_size(lua_State *L)
{
    const oras_stream *stream = check_open(L);

    if (!stream->host.read || stream->host.read_size < 0)
        lua_pushnil(L);
    else
        lua_pushinteger(L, stream->host.read_size);
    return 1;
}

/* Push what the host gives; how much, 0: none now, or -1 and -2 as the host has it. */
static int64_t pull(lua_State *L, oras_stream *stream, size_t capacity, oras_error *err)
{
    oras_error said = ORAS_ERROR_INIT;
    luaL_Buffer buffer;
    char *room = luaL_buffinitsize(L, &buffer, capacity);
    int64_t n;

    oras_stream_enter(stream);
    n = stream->host.read(stream->host.ud, room, capacity, &said);
    oras_stream_leave(stream);
    if (n > (int64_t)capacity)
        n = ORAS_FAILED;
    if (n < 0 && n != ORAS_END)
        take_error(&said, "failed to give more", err);
    luaL_pushresultsize(&buffer, n > 0 ? (size_t)n : 0);
    return n;
}

/* stream:read(size) -> bytes, nil at the end */
static int read_on(lua_State *L, int status, lua_KContext ctx)
{
    oras_stream_box *box = lua_touserdata(L, 1);
    oras_error err = ORAS_ERROR_INIT;
    int64_t n;

    (void)status;
    do {
        oras_stream *stream = check_open(L);

        lua_settop(L, 2);
        box->ready.set = false;
        n = box->ended ? ORAS_END : pull(L, stream, (size_t)ctx, &err);
    } while (n == 0 && oras_lua_block(L, &box->ready));
    if (n == 0)
        return oras_lua_wait(L, &box->ready, ctx, read_on);
    if (n > 0)
        return 1;
    if (n != ORAS_END)
        return oras_lua_fail(L, &err);
    box->ended = true;
    lua_pushnil(L);
    return 1;
}

static int stream_read(lua_State *L)
{
    const oras_stream *stream = check_open(L);
    lua_Integer size = luaL_checkinteger(L, 2);

    if (!stream->host.read)
        return oras_lua_misuse(L, "the host gives no bytes to this stream");
    if (size < 1)
        return oras_lua_misuse(L, "a piece of %d bytes cannot be read", (int)size);
    return read_on(L, LUA_OK, (lua_KContext)(size < MAX_PIECE ? size : MAX_PIECE));
}

/* --- the box ---------------------------------------------------------------------------------- */

static int stream_gc(lua_State *L)
{
    const oras_stream_box *box = lua_touserdata(L, 1);

    oras_stream_let_go(box->stream);
    return 0;
}

void oras_stream_push(lua_State *L, oras_stream *stream)
{
    static const luaL_Reg methods[] = {{"begin", stream_begin}, {"finish", stream_finish},
                                       {"read", stream_read},   {"sink", stream_sink},
                                       {"size", stream_size},   {NULL, NULL}};
    oras_context *context = oras_context_get(L);
    oras_stream_box *box;

    oras_box_type(L, STREAM, methods, stream_gc);
    box = oras_box_new(L, STREAM, sizeof *box, 0);
    box->context = context;
    box->stream = stream;
    stream->box = box;
    stream->is_open = false;
}
