/* SPDX-License-Identifier: MIT
 * Directories that are held open, as Lua holds them. */
#ifndef ORAS_BIND_ROOT_H
#define ORAS_BIND_ROOT_H

#include <lua.h>

/** Make the type "oras.root", unless it is there. [-0, +0] */
void oras_lua_open_root(lua_State *L);

/** Lua: file.root(path, {create}) -> root */
int oras_lua_root(lua_State *L);

/** The descriptor of the open root in the field `root` of the options at idx, borrowed; NULL
 * where there is none. Raises if it is something else or closed. [-0, +0] */
const int *oras_lua_opt_root(lua_State *L, int idx);

#endif
