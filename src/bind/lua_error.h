/* SPDX-License-Identifier: MIT
 * oras_error <-> the error objects of Lua (tables whose metatable is oras.core.error). */
#ifndef ORAS_BIND_LUA_ERROR_H
#define ORAS_BIND_LUA_ERROR_H

#include "base/error.h"

#include <lauxlib.h>
#include <lua.h>

/** Push an error object made of *err. [-0, +1] */
void oras_lua_push_error(lua_State *L, const oras_error *err);

/** Push nil and an error object; gives 2: `return oras_lua_fail(L, &err);` */
int oras_lua_fail(lua_State *L, const oras_error *err);

/** Raise an error object made of *err. */
int oras_lua_raise(lua_State *L, const oras_error *err);

/** Fill *err from the value at idx, an error object or anything else that was raised. */
void oras_lua_to_error(lua_State *L, int idx, oras_error *err);

/** Push the metatable of error objects, making it on first use. [-0, +1] */
void oras_lua_push_error_metatable(lua_State *L);

#endif
