/* SPDX-License-Identifier: MIT
 * The table given to client:request, field by field. */
#include "bind/box.h"
#include "bind/exchange.h"
#include "bind/lua_error.h"
#include "bind/secret.h"
#include "bind/sink.h"
#include "bind/source.h"

#include <string.h>

#define DEFAULT_LIMIT ((size_t)4 * 1024 * 1024)

static int64_t milliseconds(lua_State *L, int idx, const char *field)
{
    lua_Number seconds = oras_opt_number(L, idx, field, 0);

    if (seconds < 0)
        return -1;
    return seconds > 1e9 ? (int64_t)1e12 : (int64_t)(seconds * 1000 + 0.5);
}

static void read_timeouts(lua_State *L, int spec, oras_transfer *transfer)
{
    oras_timeouts timeouts;

    if (lua_getfield(L, spec, "timeouts") == LUA_TTABLE) {
        int idx = lua_gettop(L);

        timeouts.connect = milliseconds(L, idx, "connect");
        timeouts.first_byte = milliseconds(L, idx, "first_byte");
        timeouts.stall = milliseconds(L, idx, "stall");
        timeouts.total = milliseconds(L, idx, "total");
        oras_transfer_set_timeouts(transfer, &timeouts);
    }
    lua_pop(L, 1);
}

static const char *check_value(lua_State *L, const char *name)
{
    if (!lua_isstring(L, -1))
        oras_lua_misuse(L, "value of header '%s' is a %s, expected a string", name,
                        luaL_typename(L, -1));
    lua_tostring(L, -1); /* a number becomes a string, in place */
    return oras_lua_check_text(L, -1, "header value");
}

/* One name with a value, or a list of them, on top of the stack. */
static oras_code add_header(lua_State *L, oras_transfer *transfer, const char *name, bool bound,
                            oras_error *err)
{
    oras_code code = ORAS_OK;

    if (lua_type(L, -1) != LUA_TTABLE)
        return oras_transfer_add_header(transfer, name, check_value(L, name), bound, err);
    for (lua_Integer i = 1, n = luaL_len(L, -1); !code && i <= n; i++) {
        lua_geti(L, -1, i);
        code = oras_transfer_add_header(transfer, name, check_value(L, name), bound, err);
        lua_pop(L, 1);
    }
    return code;
}

static oras_code read_headers(lua_State *L, int spec, const char *field, oras_transfer *transfer,
                              oras_error *err)
{
    oras_code code = ORAS_OK;
    int type = lua_getfield(L, spec, field);

    if (type != LUA_TNIL && type != LUA_TTABLE)
        oras_lua_misuse(L, "'%s' is a %s, expected a table", field, luaL_typename(L, -1));
    if (type == LUA_TTABLE) {
        lua_pushnil(L);
        while (!code && lua_next(L, -2)) {
            if (lua_type(L, -2) != LUA_TSTRING)
                oras_lua_misuse(L, "header name is a %s, expected a string", luaL_typename(L, -2));
            code = add_header(L, transfer, lua_tostring(L, -2), field[0] == 'b', err);
            lua_pop(L, 1);
        }
        if (code)
            lua_pop(L, 1);
    }
    lua_pop(L, 1);
    return code;
}

/* The hop that sent us here, and what for: a next page must lie where the page before it lay. */
static oras_code read_from(lua_State *L, int spec, oras_transfer *transfer, oras_error *err)
{
    const char *purpose = oras_opt_string(L, spec, "purpose", "redirect");
    const oras_hop *from;
    oras_hop to;

    if (lua_getfield(L, spec, "from") == LUA_TNIL)
        return ORAS_OK;
    from = oras_lua_check_hop(L, -1);
    to = oras_transfer_hop(transfer);
    if (strcmp(purpose, "link") == 0 && !oras_origin_equal(&from->origin, &to.origin))
        return oras_fail(err, ORAS_C_REDIRECT, "'%s' names a next page at another origin, '%s'",
                         from->origin.host, to.origin.host);
    return oras_transfer_set_from(transfer, from, err);
}

static oras_code read_binding(lua_State *L, int spec, oras_transfer *transfer, oras_error *err)
{
    const char *origin = oras_opt_string(L, spec, "origin", NULL);
    oras_code code = origin ? oras_transfer_bind(transfer, origin, err) : ORAS_OK;

    if (!code && lua_getfield(L, spec, "secret") != LUA_TNIL)
        oras_transfer_set_secret(transfer, oras_lua_check_secret(L, -1));
    if (!code)
        lua_pop(L, 1);
    return code ? code : read_from(L, spec, transfer, err);
}

static lua_Integer range_end(lua_State *L, lua_Integer i)
{
    lua_Integer value;

    lua_geti(L, -1, i);
    if (!lua_isinteger(L, -1) || (value = lua_tointeger(L, -1)) < 0)
        return oras_lua_misuse(L, "range is not {first, last}, two byte numbers from 0 on");
    lua_pop(L, 1);
    return value;
}

static void read_range(lua_State *L, int spec, oras_transfer *transfer)
{
    int type = lua_getfield(L, spec, "range");

    if (type != LUA_TNIL && type != LUA_TTABLE)
        oras_lua_misuse(L, "range is a %s, expected {first, last}", luaL_typename(L, -1));
    if (type == LUA_TTABLE) {
        lua_Integer first = range_end(L, 1), last = range_end(L, 2);

        if (last < first)
            oras_lua_misuse(L, "range ends at %d, before it begins", (int)last);
        oras_transfer_set_range(transfer, first, last);
    }
    lua_pop(L, 1);
}

static lua_Integer body_number(lua_State *L, int spec, const char *field, lua_Integer fallback)
{
    lua_Integer value = oras_opt_integer(L, spec, field, fallback);

    if (value < 0 && value != fallback)
        oras_lua_misuse(L, "%s is negative", field);
    return value;
}

/* The string on top, or the part of it that is asked for. */
static void read_string_body(lua_State *L, lua_Integer offset, lua_Integer size,
                             oras_transfer *transfer)
{
    size_t all;
    const char *data = lua_tolstring(L, -1, &all);

    if (size < 0)
        size = (lua_Integer)all - offset;
    if (offset > (lua_Integer)all || size > (lua_Integer)all - offset)
        oras_lua_misuse(L, "body_offset and body_size name bytes that the body does not have");
    oras_transfer_set_body(transfer, data + offset, (size_t)size);
}

static void read_source_body(lua_State *L, lua_Integer offset, lua_Integer size,
                             oras_transfer *transfer)
{
    oras_source *source = oras_lua_check_source(L, -1);

    oras_source_set_pool(source, oras_context_get(L)->pool);
    oras_transfer_set_source(transfer, source, offset, size);
}

static void read_body(lua_State *L, int spec, int box, oras_transfer *transfer)
{
    int type = lua_getfield(L, spec, "body");
    lua_Integer offset = body_number(L, spec, "body_offset", 0);
    lua_Integer size = body_number(L, spec, "body_size", -1);

    if (type == LUA_TSTRING)
        read_string_body(L, offset, size, transfer);
    else if (oras_lua_is_source(L, -1))
        read_source_body(L, offset, size, transfer);
    else if (type != LUA_TNIL)
        oras_lua_misuse(L, "body is a %s, expected a string or a source", luaL_typename(L, -1));
    lua_setiuservalue(L, box, EXCHANGE_BODY);
}

static void read_progress(lua_State *L, int spec, int box, oras_exchange *exchange)
{
    if (lua_getfield(L, spec, "progress") == LUA_TNIL) {
        lua_pop(L, 1);
        return;
    }
    luaL_checktype(L, -1, LUA_TFUNCTION);
    lua_setiuservalue(L, box, EXCHANGE_PROGRESS);
    exchange->has_progress = true;
}

/* A HEAD has no body, so it has no sink. */
static void read_sink(lua_State *L, int spec, int box, oras_exchange *exchange)
{
    int top = lua_gettop(L);

    if (lua_getfield(L, spec, "sink") == LUA_TNIL)
        oras_lua_push_memory_sink(L, DEFAULT_LIMIT);
    exchange->sink = oras_lua_check_sink(L, -1);
    exchange->streams = oras_sink_is_stream(exchange->sink);
    lua_setiuservalue(L, box, EXCHANGE_SINK);
    lua_settop(L, top);
}

oras_code oras_exchange_read_spec(lua_State *L, int spec, int box, oras_error *err)
{
    oras_exchange *exchange = lua_touserdata(L, box);
    oras_transfer *transfer = exchange->transfer;
    int top = lua_gettop(L);
    oras_code code = read_headers(L, spec, "headers", transfer, err);

    if (!code)
        code = read_headers(L, spec, "bound_headers", transfer, err);
    if (!code)
        code = read_binding(L, spec, transfer, err);
    lua_settop(L, top);
    if (code)
        return code;
    read_timeouts(L, spec, transfer);
    read_range(L, spec, transfer);
    read_body(L, spec, box, transfer);
    read_progress(L, spec, box, exchange);
    if (oras_opt_boolean(L, spec, "plain_http", 0))
        oras_transfer_allow_http(transfer);
    if (oras_opt_boolean(L, spec, "http2", 0))
        oras_transfer_allow_http2(transfer);
    read_sink(L, spec, box, exchange);
    return ORAS_OK;
}
