/* SPDX-License-Identifier: MIT
 * JSON into Lua values. Recursion is bounded: the decoder has refused deeper documents. */
#include "oci/json.h"

#include "bind/body.h"
#include "bind/box.h"
#include "bind/json.h"
#include "bind/lua_error.h"

#define DOCUMENT  "oras.json.document"
#define MAX_BYTES (4 * 1024 * 1024) /* design limits: manifest, index, config JSON */

/* Stack slots that stay the same while a document is pushed. */
typedef struct decoder {
    lua_State *L;
    int mark;   /* metatable of arrays */
    int orders; /* side table of key orders */
} decoder;

static void push_value(const decoder *d, const json_t *value);

static void push_array(const decoder *d, const json_t *array)
{
    lua_State *L = d->L;
    size_t size = json_array_size(array);

    lua_createtable(L, size < INT32_MAX ? (int)size : 0, 0);
    lua_pushvalue(L, d->mark);
    lua_setmetatable(L, -2);
    for (size_t i = 0; i < size; i++) {
        push_value(d, json_array_get(array, i));
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
}

/* One key has no order worth remembering. */
static bool is_ordered(size_t n_keys)
{
    return n_keys > 1;
}

/* [object, keys] on the stack, keys nil if no order is kept. */
static void push_members(const decoder *d, json_t *object, bool ordered)
{
    lua_State *L = d->L;
    lua_Integer n = 0;

    for (void *at = json_object_iter(object); at; at = json_object_iter_next(object, at)) {
        lua_pushstring(L, json_object_iter_key(at));
        if (ordered) {
            lua_pushvalue(L, -1);
            lua_rawseti(L, -3, ++n);
        }
        push_value(d, json_object_iter_value(at));
        lua_rawset(L, -4);
    }
}

static void push_object(const decoder *d, const json_t *object)
{
    lua_State *L = d->L;
    size_t size = json_object_size(object);
    int n_keys = size < INT32_MAX ? (int)size : 0;

    lua_createtable(L, 0, n_keys);
    if (!is_ordered(size)) {
        lua_pushnil(L);
        push_members(d, (json_t *)object, false);
        lua_pop(L, 1);
        return;
    }
    lua_createtable(L, n_keys, 0);
    push_members(d, (json_t *)object, true);
    lua_pushvalue(L, -2);
    lua_insert(L, -2);
    lua_rawset(L, d->orders); /* orders[object] = keys */
}

static void push_value(const decoder *d, const json_t *value)
{
    lua_State *L = d->L;

    luaL_checkstack(L, 6, "JSON is nested too deeply");
    switch (json_typeof(value)) {
    case JSON_OBJECT:
        push_object(d, value);
        break;
    case JSON_ARRAY:
        push_array(d, value);
        break;
    case JSON_STRING:
        lua_pushlstring(L, json_string_value(value), json_string_length(value));
        break;
    case JSON_INTEGER:
        lua_pushinteger(L, json_integer_value(value));
        break;
    case JSON_REAL:
        lua_pushnumber(L, json_real_value(value));
        break;
    case JSON_TRUE:
    case JSON_FALSE:
        lua_pushboolean(L, json_is_true(value));
        break;
    default:
        lua_pushlightuserdata(L, NULL);
    }
}

static int document_close(lua_State *L)
{
    json_t **document = lua_touserdata(L, 1);

    json_decref(*document);
    *document = NULL;
    return 0;
}

static const char *check_source(lua_State *L, size_t *size)
{
    oras_body *body;
    oras_buf *bytes;

    if (lua_type(L, 1) == LUA_TSTRING)
        return lua_tolstring(L, 1, size);
    body = oras_lua_test_body(L, 1) ? oras_lua_check_body(L, 1) : NULL;
    bytes = body ? oras_body_bytes(body) : NULL;
    if (!bytes) {
        oras_lua_misuse(L,
                        body ? "body is a stream, expected one in memory (body:string())"
                             : "JSON is a %s, expected a string or a body",
                        luaL_typename(L, 1));
        return NULL;
    }
    *size = bytes->size;
    return oras_buf_text(bytes);
}

static oras_code decode(lua_State *L, const char *text, size_t size, json_t **out, oras_error *err)
{
    lua_Integer max_bytes = oras_opt_integer(L, 2, "max_bytes", MAX_BYTES);
    lua_Integer max_depth = oras_opt_integer(L, 2, "max_depth", ORAS_JSON_DEPTH);

    if (max_depth < 1 || max_depth > ORAS_JSON_DEPTH_MAX)
        oras_lua_misuse(L, "option 'max_depth' is %lld, expected 1 to %d", (long long)max_depth,
                        ORAS_JSON_DEPTH_MAX);
    if (max_bytes < 0 || size > (size_t)max_bytes)
        return oras_fail(err, ORAS_C_LIMIT, "JSON of %zu bytes is larger than %lld", size,
                         (long long)max_bytes);
    return oras_json_decode(text, size, (int)max_depth, out, err);
}

int oras_lua_json_decode(lua_State *L)
{
    size_t size = 0;
    const char *text = check_source(L, &size);
    decoder d = {L, 0, 0};
    oras_error err = ORAS_ERROR_INIT;
    json_t **document;

    lua_settop(L, 2);
    oras_box_type(L, DOCUMENT, NULL, document_close);
    document = oras_box_new(L, DOCUMENT, sizeof *document, 0);
    lua_toclose(L, -1);
    /* raised: callers name the document in errors of its own, which this is not */
    if (decode(L, text, size, document, &err) == ORAS_ENOMEM)
        return oras_lua_raise(L, &err);
    if (err.code)
        return oras_lua_fail(L, &err);
    oras_json_push_array_mark(L);
    d.mark = lua_gettop(L);
    oras_json_push_orders(L);
    d.orders = lua_gettop(L);
    push_value(&d, *document);
    return 1;
}
