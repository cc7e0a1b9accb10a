/* SPDX-License-Identifier: MIT
 * The response table, its headers, its hop and its body. */
#include "base/alloc.h"
#include "bind/body.h"
#include "bind/box.h"
#include "bind/exchange.h"
#include "bind/lua_error.h"

#include <string.h>
#include <strings.h>

#define HEADERS    "oras.headers"
#define HOP        "oras.hop"
#define ERROR_BODY "oras.error_body"

/* --- headers: h["Content-Type"], h("Link") -> list, pairs(h) ------------------------------ */

static int headers_close(lua_State *L)
{
    oras_headers_dispose(lua_touserdata(L, 1));
    return 0;
}

/* Push the values of `name`, each as a string. Gives how many. */
static int push_values(lua_State *L, const oras_headers *headers, const char *name)
{
    const char *field, *value;
    size_t at = 0;
    int n = 0;

    while (oras_headers_next(headers, &at, &field, &value)) {
        if (strcasecmp(field, name) != 0)
            continue;
        luaL_checkstack(L, 3, "too many header fields");
        lua_pushstring(L, value);
        n++;
    }
    return n;
}

static int headers_index(lua_State *L)
{
    const oras_headers *headers = luaL_checkudata(L, 1, HEADERS);
    const char *name = lua_type(L, 2) == LUA_TSTRING ? lua_tostring(L, 2) : NULL;
    int n = name ? push_values(L, headers, name) : 0;

    if (n == 0) {
        lua_pushnil(L);
        return 1;
    }
    for (; n > 1; n--) { /* joined from the end, as RFC 9110, 5.3 allows */
        lua_pushliteral(L, ", ");
        lua_insert(L, -2);
        lua_concat(L, 3);
    }
    return 1;
}

static int headers_call(lua_State *L)
{
    const oras_headers *headers = luaL_checkudata(L, 1, HEADERS);
    const char *name = luaL_checkstring(L, 2);
    int n = push_values(L, headers, name);

    lua_createtable(L, n, 0);
    lua_insert(L, -n - 1);
    for (; n > 0; n--)
        lua_rawseti(L, -n - 1, n);
    return 1;
}

/* The control variable is where the next field starts; a name may come several times. */
static int headers_step(lua_State *L)
{
    const oras_headers *headers = luaL_checkudata(L, lua_upvalueindex(1), HEADERS);
    size_t at = (size_t)lua_tointeger(L, lua_upvalueindex(2));
    const char *name, *value;

    if (!oras_headers_next(headers, &at, &name, &value))
        return 0;
    lua_pushinteger(L, (lua_Integer)at);
    lua_replace(L, lua_upvalueindex(2));
    lua_pushstring(L, name);
    lua_pushstring(L, value);
    return 2;
}

static int headers_pairs(lua_State *L)
{
    lua_settop(L, 1);
    lua_pushinteger(L, 0);
    lua_pushcclosure(L, headers_step, 2);
    return 1;
}

static void push_headers(lua_State *L, const oras_headers *from)
{
    oras_headers *headers = oras_box_new(L, HEADERS, sizeof *headers, 0);
    oras_error err = ORAS_ERROR_INIT;

    oras_headers_init(headers);
    oras_buf_append(&headers->text, from->text.data, from->text.size);
    headers->n_fields = from->n_fields;
    if (oras_buf_check(&headers->text, "headers", &err))
        oras_lua_raise(L, &err);
}

/* --- hops ------------------------------------------------------------------------------- */

const oras_hop *oras_lua_check_hop(lua_State *L, int idx)
{
    const oras_hop *hop = luaL_testudata(L, idx, HOP);

    if (!hop)
        oras_lua_misuse(L, "'from' is a %s, expected the hop of a response", luaL_typename(L, idx));
    return hop;
}

static void push_hop(lua_State *L, const oras_transfer *transfer)
{
    oras_hop *hop = lua_newuserdatauv(L, sizeof *hop, 0);

    *hop = oras_transfer_hop(transfer);
    luaL_setmetatable(L, HOP);
}

/* --- bodies ----------------------------------------------------------------------------- */

static int error_body_close(lua_State *L)
{
    oras_buf *bytes = lua_touserdata(L, 1);

    oras_buf_wipe(bytes);
    oras_buf_dispose(bytes);
    return 0;
}

static oras_buf *error_body_bytes(void *ud)
{
    return ud;
}

/* The transfer's bytes move into a box of their own, so that it need not live on. */
static void push_error_body(lua_State *L, oras_transfer *transfer)
{
    static const oras_body_ops ops = {.bytes = error_body_bytes};
    oras_buf *from = oras_transfer_error_body(transfer);
    oras_buf *bytes = oras_box_new(L, ERROR_BODY, sizeof *bytes, 0);

    *bytes = *from;
    oras_buf_init(from, from->limit);
    oras_lua_push_body(L, &ops, bytes);
}

/* What is queued comes first, then how the transfer ended. */
static oras_code stream_pull(void *ud, const void **data, size_t *size, bool *ended,
                             oras_error *err)
{
    oras_exchange *exchange = ud;
    oras_code code;

    *size = 0;
    *ended = false;
    if (!exchange->transfer || !exchange->sink)
        return oras_fail(err, ORAS_C_CANCELLED, "transfer was cancelled");
    code = oras_sink_read(exchange->sink, data, size, ended, err);
    if (code || *size > 0 || *ended || !exchange->is_done)
        return code;
    return oras_transfer_result(exchange->transfer, err);
}

static void stream_close(void *ud)
{
    oras_exchange *exchange = ud;

    exchange->reader = NULL;
    if (exchange->transfer)
        oras_transfer_cancel(exchange->transfer);
}

static void push_stream_body(lua_State *L, int box)
{
    static const oras_body_ops ops = {.pull = stream_pull, .close = stream_close};
    oras_exchange *exchange = lua_touserdata(L, box);
    oras_body *body;

    lua_pushvalue(L, box);
    body = oras_lua_push_body(L, &ops, exchange);
    exchange->reader = oras_body_signal(body);
    exchange->kept = true;
}

static void push_body(lua_State *L, int box)
{
    oras_exchange *exchange = lua_touserdata(L, box);

    if (oras_transfer_status(exchange->transfer) / 100 != 2)
        push_error_body(L, exchange->transfer);
    else if (exchange->streams)
        push_stream_body(L, box);
    else if (exchange->sink && oras_sink_is_memory(exchange->sink) &&
             lua_getiuservalue(L, box, EXCHANGE_SINK) == LUA_TUSERDATA)
        oras_lua_push_sink_body(L, lua_gettop(L));
    else
        lua_pushnil(L);
}

static void set_field(lua_State *L, int response, const char *field)
{
    lua_setfield(L, response, field);
}

void oras_exchange_push_response(lua_State *L, int box)
{
    oras_exchange *exchange = lua_touserdata(L, box);
    oras_transfer *transfer = exchange->transfer;
    char origin[ORAS_ORIGIN_TEXT_MAX];
    oras_hop hop = oras_transfer_hop(transfer);
    int response = lua_gettop(L) + 1;

    lua_createtable(L, 0, 8);
    lua_pushinteger(L, oras_transfer_status(transfer));
    set_field(L, response, "status");
    push_headers(L, oras_transfer_headers(transfer));
    set_field(L, response, "headers");
    lua_pushstring(L, oras_transfer_url(transfer));
    set_field(L, response, "url");
    oras_origin_print(&hop.origin, origin);
    lua_pushstring(L, origin);
    set_field(L, response, "origin");
    push_hop(L, transfer);
    set_field(L, response, "hop");
    push_body(L, box);
    set_field(L, response, "body");
    lua_settop(L, response);
}

void oras_exchange_open_types(lua_State *L)
{
    static const luaL_Reg metamethods[] = {{"__index", headers_index},
                                           {"__call", headers_call},
                                           {"__pairs", headers_pairs},
                                           {NULL, NULL}};

    oras_box_type_with(L, HEADERS, NULL, headers_close, metamethods);
    oras_box_type(L, ERROR_BODY, NULL, error_body_close);
    luaL_newmetatable(L, HOP);
    lua_pop(L, 1);
}
