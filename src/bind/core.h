/* SPDX-License-Identifier: MIT
 * oras.core: the C side of every registry operation, as one Lua table. */
#ifndef ORAS_BIND_CORE_H
#define ORAS_BIND_CORE_H

#include <oras.h>

#include <lua.h>

/** Lua: the table oras.core. */
ORAS_API int luaopen_oras_core(lua_State *L);

#endif
