/* SPDX-License-Identifier: MIT
 * What decoding and encoding share about JSON as Lua values: arrays carry one shared
 * metatable, the order of a decoded object's keys stands in a side table, null is the light
 * userdata NULL. */
#ifndef ORAS_BIND_JSON_H
#define ORAS_BIND_JSON_H

#include "base/buf.h"

#include <lauxlib.h>
#include <lua.h>

/** Push the arrays' metatable. [-0, +1] */
void oras_json_push_array_mark(lua_State *L);

/** Has the table at idx the mark? */
bool oras_json_is_array(lua_State *L, int idx);

/** Push the side table: object -> array of its keys in order; weak by key. [-0, +1] */
void oras_json_push_orders(lua_State *L);

/** Lua: json.decode(text or body, {max_depth, max_bytes}) and json.encode(value, {indent,
 * max_depth}) */
int oras_lua_json_decode(lua_State *L);
int oras_lua_json_encode(lua_State *L);

#endif
