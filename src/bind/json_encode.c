/* SPDX-License-Identifier: MIT
 * Lua values into JSON, the same bytes for the same value on every run: a decoded object's
 * keys in their order, then all others sorted by bytes. Only raw access: metamethods could
 * raise or lie. */
#include "bind/box.h"
#include "bind/json.h"
#include "bind/lua_error.h"
#include "oci/json.h"
#include "oci/json_text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_BYTES  ((size_t)1 << 31)
#define MAX_INDENT 16
#define PATH_BYTES 200 /* of a key path that a message shows */

/* Where in the value we are, for messages; lives on the C stack. */
typedef struct place {
    const struct place *parent;
    const char *key; /* NULL: `index` */
    lua_Integer index;
    int depth;
} place;

typedef struct encoder {
    lua_State *L;
    oras_buf *out;
    int orders; /* stack slot of the side table */
    int indent;
    int max_depth;
} encoder;

typedef struct key {
    const char *data;
    size_t size;
} key;

static void print_place(const place *at, oras_buf *out)
{
    if (!at->parent)
        return;
    print_place(at->parent, out);
    if (!at->key)
        oras_buf_printf(out, "[%lld]", (long long)at->index);
    else
        oras_buf_printf(out, "%s%.40s", at->parent->parent ? "." : "", at->key);
}

/* Raise: the value at `at` cannot be written. The path goes into the output buffer, which is
 * lost anyway and which Lua closes. */
static void refuse(const encoder *e, const place *at, oras_class class, const char *why)
{
    oras_error err = ORAS_ERROR_INIT;

    oras_buf_clear(e->out);
    print_place(at, e->out);
    oras_fail(&err, class, "value%s%.*s%s cannot be JSON: %s", e->out->size ? " '" : "", PATH_BYTES,
              oras_buf_text(e->out), e->out->size ? "'" : "", why);
    oras_lua_raise(e->L, &err);
}

static void refuse_type(const encoder *e, const place *at, const char *type)
{
    char why[40];

    snprintf(why, sizeof why, "it is a %s", type);
    refuse(e, at, ORAS_C_USAGE, why);
}

static void write_string(const encoder *e, const char *text, size_t size, const place *at)
{
    if (memchr(text, '\0', size)) /* the decoder refuses it, too */
        refuse(e, at, ORAS_C_CONTENT, "a NUL byte");
    if (!oras_json_append_string(text, size, e->out))
        refuse(e, at, ORAS_C_CONTENT, "invalid UTF-8");
}

static void write_break(const encoder *e, int depth)
{
    if (e->indent == 0)
        return;
    oras_buf_append(e->out, "\n", 1);
    for (int i = depth * e->indent; i > 0; i--)
        oras_buf_append(e->out, " ", 1);
}

static void write_value(const encoder *e, int idx, const place *at);

static void write_array(const encoder *e, int idx, lua_Integer n_items, const place *at)
{
    place inner = {at, NULL, 0, at->depth + 1};

    oras_buf_append(e->out, "[", 1);
    for (lua_Integer i = 1; i <= n_items; i++) {
        if (i > 1)
            oras_buf_append(e->out, ",", 1);
        write_break(e, inner.depth);
        inner.index = i;
        lua_rawgeti(e->L, idx, i);
        write_value(e, lua_gettop(e->L), &inner);
        lua_pop(e->L, 1);
    }
    if (n_items)
        write_break(e, at->depth);
    oras_buf_append(e->out, "]", 1);
}

/* The value on top under the key below it. [-1, +0] */
static void write_member(const encoder *e, key name, bool first, const place *at)
{
    place inner = {at, name.data, 0, at->depth + 1};

    if (!first)
        oras_buf_append(e->out, ",", 1);
    write_break(e, inner.depth);
    write_string(e, name.data, name.size, &inner);
    oras_buf_puts(e->out, e->indent ? ": " : ":");
    write_value(e, lua_gettop(e->L), &inner);
    lua_pop(e->L, 1);
}

static int compare_keys(const void *left, const void *right)
{
    const key *a = left, *b = right;
    int order = memcmp(a->data, b->data, a->size < b->size ? a->size : b->size);

    return order ? order : (a->size > b->size) - (a->size < b->size);
}

/* Push the order list of the object at idx, or nil. [-0, +1] */
static bool push_order(const encoder *e, int idx)
{
    lua_pushvalue(e->L, idx);
    return lua_rawget(e->L, e->orders) == LUA_TTABLE;
}

/* Write the members that the order list on top names; gives how many there were. */
static lua_Integer write_ordered(const encoder *e, int idx, const place *at)
{
    lua_State *L = e->L;
    int order = lua_gettop(L);
    lua_Integer n_keys = (lua_Integer)lua_rawlen(L, order), n_written = 0;
    key name;

    for (lua_Integer i = 1; i <= n_keys; i++) {
        lua_rawgeti(L, order, i);
        name.data = lua_tolstring(L, -1, &name.size);
        lua_pushvalue(L, -1);
        if (lua_rawget(L, idx) == LUA_TNIL)
            lua_pop(L, 1); /* taken out since */
        else
            write_member(e, name, n_written++ == 0, at);
        lua_pop(L, 1);
    }
    return n_written;
}

/* Push a set of the keys in the order list at `order`; an empty one for nil. [-0, +1] */
static void push_set(lua_State *L, int order)
{
    lua_newtable(L);
    if (lua_isnil(L, order))
        return;
    for (lua_Integer i = 1; lua_rawgeti(L, order, i) != LUA_TNIL; i++) {
        lua_pushboolean(L, 1);
        lua_rawset(L, -3);
    }
    lua_pop(L, 1);
}

/* Keys of the object at idx that are not in the set on top, into `keys`; the object holds
 * their bytes. */
static size_t collect_keys(lua_State *L, int idx, key *keys, size_t n_keys)
{
    int set = lua_gettop(L);
    size_t n = 0;

    for (lua_pushnil(L); lua_next(L, idx); lua_pop(L, 1)) {
        lua_pushvalue(L, -2);
        if (lua_rawget(L, set) == LUA_TNIL && n < n_keys) {
            keys[n].data = lua_tolstring(L, -3, &keys[n].size);
            n++;
        }
        lua_pop(L, 1);
    }
    return n;
}

/* Write what the order list on top does not name, sorted. */
static void write_sorted(const encoder *e, int idx, size_t n_keys, bool first, const place *at)
{
    lua_State *L = e->L;
    key *keys;
    size_t n;

    push_set(L, lua_gettop(L));
    keys = lua_newuserdatauv(L, n_keys * sizeof *keys, 0);
    lua_insert(L, -2);
    n = collect_keys(L, idx, keys, n_keys);
    qsort(keys, n, sizeof *keys, compare_keys);
    for (size_t i = 0; i < n; i++, first = false) {
        lua_pushlstring(L, keys[i].data, keys[i].size);
        lua_rawget(L, idx);
        write_member(e, keys[i], first, at);
    }
    lua_pop(L, 2);
}

static void write_object(const encoder *e, int idx, size_t n_keys, const place *at)
{
    lua_Integer n_written = 0;

    oras_buf_append(e->out, "{", 1);
    if (push_order(e, idx))
        n_written = write_ordered(e, idx, at);
    if ((size_t)n_written < n_keys)
        write_sorted(e, idx, n_keys - (size_t)n_written, n_written == 0, at);
    lua_pop(e->L, 1);
    if (n_keys)
        write_break(e, at->depth);
    oras_buf_append(e->out, "}", 1);
}

/* What the keys of a table are. */
typedef struct census {
    size_t n_strings, n_indexes;
    lua_Integer last; /* greatest index */
    bool others;
} census;

static census count_keys(lua_State *L, int idx)
{
    census c = {0, 0, 0, false};

    for (lua_pushnil(L); lua_next(L, idx); lua_pop(L, 1)) {
        if (lua_type(L, -2) == LUA_TSTRING) {
            c.n_strings++;
        } else if (lua_isinteger(L, -2) && lua_tointeger(L, -2) > 0) {
            c.n_indexes++;
            if (lua_tointeger(L, -2) > c.last)
                c.last = lua_tointeger(L, -2);
        } else {
            c.others = true;
        }
    }
    return c;
}

/* The text of a field of the table on top, or NULL; stays on the stack. [-0, +1] */
static const char *push_name(lua_State *L)
{
    lua_pushliteral(L, "__name");
    return lua_rawget(L, -2) == LUA_TSTRING ? lua_tostring(L, -1) : NULL;
}

/* An object of a class (a metatable that is its own __index and has a parent) is no data: its
 * fields are its own affair. */
static void refuse_object(const encoder *e, int idx, const place *at)
{
    lua_State *L = e->L;
    int top = lua_gettop(L);
    char why[60];

    if (!lua_getmetatable(L, idx))
        return;
    lua_pushliteral(L, "__index");
    lua_rawget(L, -2);
    lua_pushliteral(L, "super");
    if (lua_rawget(L, -3) == LUA_TTABLE && lua_rawequal(L, top + 1, top + 2)) {
        lua_settop(L, top + 1);
        snprintf(why, sizeof why, "it is an object, %.40s",
                 push_name(L) ? lua_tostring(L, -1) : "?");
        refuse(e, at, ORAS_C_USAGE, why);
    }
    lua_settop(L, top);
}

static void write_table(const encoder *e, int idx, const place *at)
{
    census c = count_keys(e->L, idx);
    bool marked = oras_json_is_array(e->L, idx);

    refuse_object(e, idx, at);
    if (c.others || (c.n_strings && (c.n_indexes || marked)))
        refuse(e, at, ORAS_C_USAGE, "its keys are neither all strings nor 1, 2, 3 and so on");
    if ((size_t)c.last != c.n_indexes)
        refuse(e, at, ORAS_C_USAGE, "an array with holes");
    if (marked || c.n_indexes)
        write_array(e, idx, c.last, at);
    else
        write_object(e, idx, c.n_strings, at);
}

static void write_text(const encoder *e, int idx, const place *at)
{
    size_t size;
    const char *text = lua_tolstring(e->L, idx, &size);

    write_string(e, text, size, at);
}

static void write_number(const encoder *e, int idx, const place *at)
{
    if (lua_isinteger(e->L, idx))
        oras_buf_printf(e->out, "%lld", (long long)lua_tointeger(e->L, idx));
    else if (!oras_json_append_float(lua_tonumber(e->L, idx), e->out))
        refuse(e, at, ORAS_C_USAGE, "not a finite number");
}

static void write_value(const encoder *e, int idx, const place *at)
{
    luaL_checkstack(e->L, 12, "value is nested too deeply");
    switch (lua_type(e->L, idx)) {
    case LUA_TTABLE:
        if (at->depth >= e->max_depth)
            refuse(e, at, ORAS_C_LIMIT, "nested too deeply, or holding itself");
        write_table(e, idx, at);
        return;
    case LUA_TSTRING:
        write_text(e, idx, at);
        return;
    case LUA_TNUMBER:
        write_number(e, idx, at);
        return;
    case LUA_TBOOLEAN:
        oras_buf_puts(e->out, lua_toboolean(e->L, idx) ? "true" : "false");
        return;
    case LUA_TLIGHTUSERDATA:
        if (!lua_touserdata(e->L, idx)) {
            oras_buf_puts(e->out, "null");
            return;
        }
    }
    refuse_type(e, at, luaL_typename(e->L, idx));
}

static int opt_int(lua_State *L, const char *field, int fallback, int most)
{
    lua_Integer value = oras_opt_integer(L, 2, field, fallback);

    if (value < 0 || value > most)
        oras_lua_misuse(L, "option '%s' is %lld, expected 0 to %d", field, (long long)value, most);
    return (int)value;
}

/* Arguments: value, indent, max_depth. */
static int encode(lua_State *L)
{
    encoder e = {L, NULL, 4, (int)lua_tointeger(L, 2), (int)lua_tointeger(L, 3)};
    place root = {NULL, NULL, 0, 0};
    oras_error err = ORAS_ERROR_INIT;

    oras_json_push_orders(L);
    e.out = oras_box_buffer(L, MAX_BYTES);
    write_value(&e, 1, &root);
    if (oras_buf_check(e.out, "JSON", &err))
        return oras_lua_raise(L, &err);
    lua_pushlstring(L, oras_buf_text(e.out), e.out->size);
    return 1;
}

/* What `encode` raises from the depth of the value comes out as nil and the error. */
int oras_lua_json_encode(lua_State *L)
{
    int indent, max_depth;

    lua_settop(L, 2);
    indent = opt_int(L, "indent", 0, MAX_INDENT);
    max_depth = opt_int(L, "max_depth", ORAS_JSON_DEPTH, ORAS_JSON_DEPTH_MAX);
    lua_pushcfunction(L, encode);
    lua_pushvalue(L, 1);
    lua_pushinteger(L, indent);
    lua_pushinteger(L, max_depth);
    if (lua_pcall(L, 3, 1, 0) == LUA_OK)
        return 1;
    if (!lua_istable(L, -1))
        return lua_error(L); /* Lua's own, out of memory */
    lua_pushnil(L);
    lua_insert(L, -2);
    return 2;
}
