/* SPDX-License-Identifier: MIT
 * Which chunk is the program that was started. */
#ifndef ORAS_BIND_LUA_MAIN_H
#define ORAS_BIND_LUA_MAIN_H

#include <lua.h>

/** Remember the source ("@script.lua") of the chunk that is started. [-0, +0] */
void oras_lua_set_main(lua_State *L, const char *source);

/** Lua: true in the script that was started, false in what it loads (require, dofile). */
int oras_lua_is_main(lua_State *L);

#endif
