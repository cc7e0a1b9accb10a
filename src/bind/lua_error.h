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

/** Raise an error object of class usage: a caller's mistake (design: misuse raises). */
int oras_lua_misuse(lua_State *L, const char *format, ...) __attribute__((format(printf, 2, 3)));

/** The string at idx, which has no NUL in it; anything else is misuse. */
const char *oras_lua_check_text(lua_State *L, int idx, const char *what);

/** Fill *err from the value at idx, an error object or anything else that was raised. */
void oras_lua_to_error(lua_State *L, int idx, oras_error *err);

/** Push the metatable of error objects, making it on first use. [-0, +1] */
void oras_lua_push_error_metatable(lua_State *L);

#endif
