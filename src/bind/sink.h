/* SPDX-License-Identifier: MIT
 * Sinks as Lua holds them. */
#ifndef ORAS_BIND_SINK_H
#define ORAS_BIND_SINK_H

#include "io/sink.h"

#include <lua.h>

/** The open sink at idx, borrowed; raises if it is something else or closed. */
oras_sink *oras_lua_check_sink(lua_State *L, int idx);

/** Push a sink that is closed until the caller has made one in the slot. [-0, +1] */
oras_sink **oras_lua_push_sink(lua_State *L);

/** digest and size of the options at 1, what a body must be; raises for what is no digest. */
void oras_lua_read_expect(lua_State *L, oras_expect *expect);

/** Push a new memory sink without expectations. [-0, +1] */
oras_sink *oras_lua_push_memory_sink(lua_State *L, size_t limit);

/** Use the open sink at idx; whoever used it before loses it. `lost(ud)` is called when it is
 * closed or taken by the next one. */
void oras_lua_sink_take(lua_State *L, int idx, void (*lost)(void *ud), void *ud);

/** `ud` no longer uses the sink at idx. */
void oras_lua_sink_release(lua_State *L, int idx, const void *ud);

#endif
