/* SPDX-License-Identifier: MIT
 * Sources as Lua holds them. */
#ifndef ORAS_BIND_SOURCE_H
#define ORAS_BIND_SOURCE_H

#include "io/source.h"

#include <lua.h>

/** Push an empty source box and give the place where the source is to be put; until then the
 * box counts as closed. The value on top is kept alive with it and popped (nil: nothing).
 * [-1, +1] */
oras_source **oras_lua_new_source(lua_State *L);

/** The open source at idx, borrowed; raises if it is something else, closed, or being hashed.
 * oras_lua_is_source only looks. */
oras_source *oras_lua_check_source(lua_State *L, int idx);
bool oras_lua_is_source(lua_State *L, int idx);

/** Use the open source at idx; whoever used it before loses it. `lost(ud)` is called when it is
 * closed or taken by the next one. */
void oras_lua_source_take(lua_State *L, int idx, void (*lost)(void *ud), void *ud);

/** `ud` no longer uses the source at idx. */
void oras_lua_source_release(lua_State *L, int idx, const void *ud);

/** The method source:into(sink) -> digest, size. */
int oras_lua_source_into(lua_State *L);

#endif
