/* SPDX-License-Identifier: MIT
 * Userdata helpers: box first, then acquire into the box; closing is idempotent. */
#ifndef ORAS_BIND_BOX_H
#define ORAS_BIND_BOX_H

#include "base/buf.h"

#include <lauxlib.h>
#include <lua.h>
#include <stddef.h>

/** Push a new zeroed userdata of `size` with the metatable `name` (made by oras_box_type) and
 * `n_values` user values. [-0, +1] */
void *oras_box_new(lua_State *L, const char *name, size_t size, int n_values);

/** Make a type, unless it is there: __name, __index = methods, __gc = __close = close
 * (idempotent), __tostring giving the name alone. It is there in full or not at all, also when
 * memory runs out. [-0, +0] */
void oras_box_type(lua_State *L, const char *name, const luaL_Reg *methods, lua_CFunction close);

/** The same with metamethods of its own, which outrank those. [-0, +0] */
void oras_box_type_with(lua_State *L, const char *name, const luaL_Reg *methods,
                        lua_CFunction close, const luaL_Reg *metamethods);

/** Push a to-be-closed userdata with an empty buffer in it, wiped and freed when the calling C
 * function returns or raises: for bytes that grow while Lua may raise. [-0, +1] */
oras_buf *oras_box_buffer(lua_State *L, size_t limit);

/** Typed fields of an option table at idx; absent gives the default, a wrong type raises
 * naming the field. Strings live as long as the table. */
const char *oras_opt_string(lua_State *L, int idx, const char *field, const char *fallback);
lua_Integer oras_opt_integer(lua_State *L, int idx, const char *field, lua_Integer fallback);
lua_Number oras_opt_number(lua_State *L, int idx, const char *field, lua_Number fallback);
int oras_opt_boolean(lua_State *L, int idx, const char *field, int fallback);

#endif
