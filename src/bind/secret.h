/* SPDX-License-Identifier: MIT
 * Secrets as Lua holds them: a userdata that shows nothing. The value is that of a whole
 * Authorization field ("Bearer ..."), the origin the only place where it may be sent. */
#ifndef ORAS_BIND_SECRET_H
#define ORAS_BIND_SECRET_H

#include "base/secret.h"

#include <lauxlib.h>
#include <lua.h>

/** The secret at idx, borrowed; anything else is misuse. */
oras_secret *oras_lua_check_secret(lua_State *L, int idx);

/** Push an empty box and give the place where its secret goes: the box releases it. [-0, +1] */
oras_secret **oras_lua_push_secret(lua_State *L);

#endif
