/* SPDX-License-Identifier: MIT
 * Waiting from Lua: a task yields, everything else blocks on the loop. */
#ifndef ORAS_BIND_WAIT_H
#define ORAS_BIND_WAIT_H

#include "bind/context.h"

/** Something that happens once at a time. Lives in a box that the waiting function keeps on
 * its stack. Zero is a good start. */
typedef struct oras_signal {
    bool set;
    oras_task *waiter;
} oras_signal;

/** Mark as happened and make the waiter ready. Loop's thread only; the context may be NULL. */
void oras_signal_set(oras_context *context, oras_signal *signal);

/**
 * Wait until the signal is set, then give what k(L, LUA_OK, ctx) gives. Use it as a tail
 * call: `return oras_lua_wait(L, &box->signal, ctx, k);`. k finds the function's own stack
 * as it was. A cancelled task raises a "cancelled" error instead.
 */
int oras_lua_wait(lua_State *L, oras_signal *signal, lua_KContext ctx, lua_KFunction k);

/**
 * Block until the signal is set and give true; give false at once in a task, which yields
 * instead. For functions that wait again and again: they loop here, where calling themselves
 * through oras_lua_wait would use up the C stack.
 *
 *     while (!done(box))
 *         if (!oras_lua_block(L, &box->signal))
 *             return oras_lua_wait(L, &box->signal, ctx, k);
 */
bool oras_lua_block(lua_State *L, const oras_signal *signal);

/** The same as oras_lua_wait for something that other tasks bring about: they are resumed while
 * it blocks. */
int oras_lua_wait_for_tasks(lua_State *L, oras_signal *signal, lua_KContext ctx, lua_KFunction k);

#endif
