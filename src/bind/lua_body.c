/* SPDX-License-Identifier: MIT
 * Bodies: body:string(), body:read(), body:close(), #body. */
#include "bind/body.h"
#include "bind/box.h"
#include "bind/lua_error.h"
#include "bind/sink.h"

#define BODY "oras.body"

struct oras_body {
    const oras_body_ops *ops; /* NULL: closed */
    void *ud;
    oras_signal signal;
    size_t given; /* of bytes in memory, by pull */
};

static int body_close(lua_State *L)
{
    oras_body_close(lua_touserdata(L, 1));
    return 0;
}

static int give_string(lua_State *L, const oras_buf *bytes)
{
    lua_pushlstring(L, oras_buf_text(bytes), bytes->size);
    return 1;
}

/* body:string() -> all bytes of a body in memory */
static int body_string(lua_State *L)
{
    oras_body *body = oras_lua_check_body(L, 1);
    const oras_buf *bytes = oras_body_bytes(body);

    if (!bytes)
        return oras_lua_misuse(L, "body is a stream, expected read()");
    return give_string(L, bytes);
}

/* What one takes, the other would miss. */
static void check_free(lua_State *L, const oras_body *body)
{
    if (body->signal.waiter)
        oras_lua_misuse(L, "another task waits for this body already");
}

/* body:read() -> next bytes, nil at the end */
static int body_read(lua_State *L);

static int go_on(lua_State *L, int status, lua_KContext ctx)
{
    (void)status;
    (void)ctx;
    return body_read(L);
}

static int body_read(lua_State *L)
{
    oras_error err = ORAS_ERROR_INIT;
    oras_body *body;
    const void *data;
    size_t size;
    bool ended;

    lua_settop(L, 1);
    for (;;) {
        body = oras_lua_check_body(L, 1);
        check_free(L, body);
        if (oras_body_pull(body, &data, &size, &ended, &err))
            return oras_lua_fail(L, &err);
        if (size > 0 || ended)
            break;
        if (!oras_lua_block(L, &body->signal))
            return oras_lua_wait(L, &body->signal, 0, go_on);
    }
    if (size > 0)
        lua_pushlstring(L, data, size);
    else
        lua_pushnil(L);
    return 1;
}

static int body_length(lua_State *L)
{
    const oras_buf *bytes = oras_body_bytes(oras_lua_check_body(L, 1));

    lua_pushinteger(L, bytes ? (lua_Integer)bytes->size : 0);
    return 1;
}

static void open_type(lua_State *L)
{
    static const luaL_Reg methods[] = {
        {"string", body_string}, {"read", body_read}, {"close", body_close}, {NULL, NULL}};
    static const luaL_Reg metamethods[] = {{"__len", body_length}, {NULL, NULL}};

    oras_box_type_with(L, BODY, methods, body_close, metamethods);
}

oras_body *oras_lua_push_body(lua_State *L, const oras_body_ops *ops, void *ud)
{
    oras_body *body;

    if (luaL_getmetatable(L, BODY) == LUA_TNIL)
        open_type(L);
    lua_pop(L, 1);
    body = oras_box_new(L, BODY, sizeof *body, 1);
    lua_insert(L, -2);
    lua_setiuservalue(L, -2, 1);
    body->ud = ud;
    body->ops = ops;
    return body;
}

static oras_buf *sink_bytes(void *ud)
{
    return oras_sink_bytes(ud);
}

void oras_lua_push_sink_body(lua_State *L, int sink_idx)
{
    static const oras_body_ops ops = {.bytes = sink_bytes};
    oras_sink *sink = oras_lua_check_sink(L, sink_idx);

    lua_pushvalue(L, sink_idx);
    oras_lua_push_body(L, &ops, sink);
}

oras_body *oras_lua_test_body(lua_State *L, int idx)
{
    return luaL_testudata(L, idx, BODY);
}

oras_body *oras_lua_check_body(lua_State *L, int idx)
{
    oras_body *body = oras_lua_test_body(L, idx);

    if (!body)
        oras_lua_misuse(L, "argument %d is a %s, expected a body", idx, luaL_typename(L, idx));
    if (!body->ops)
        oras_lua_misuse(L, "body is closed");
    return body;
}

oras_buf *oras_body_bytes(oras_body *body)
{
    return body->ops && body->ops->bytes ? body->ops->bytes(body->ud) : NULL;
}

static void pull_bytes(oras_body *body, const oras_buf *bytes, const void **data, size_t *size)
{
    *data = bytes->data + body->given;
    *size = bytes->size - body->given;
    body->given = bytes->size;
}

oras_code oras_body_pull(oras_body *body, const void **data, size_t *size, bool *ended,
                         oras_error *err)
{
    const oras_buf *bytes;

    if (!body->ops)
        return oras_fail(err, ORAS_C_USAGE, "body is closed");
    bytes = oras_body_bytes(body);
    if (bytes) {
        pull_bytes(body, bytes, data, size);
        *ended = *size == 0;
        return ORAS_OK;
    }
    body->signal.set = false;
    return body->ops->pull(body->ud, data, size, ended, err);
}

oras_signal *oras_body_signal(oras_body *body)
{
    return &body->signal;
}

void oras_body_close(oras_body *body)
{
    const oras_body_ops *ops = body->ops;

    body->ops = NULL;
    if (ops && ops->close)
        ops->close(body->ud);
    oras_signal_set(NULL, &body->signal); /* whoever waits finds it closed */
}
