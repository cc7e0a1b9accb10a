/* SPDX-License-Identifier: MIT
 * oras_lua.h - oras.h for programs that have a Lua 5.4 state of their own. They link Lua
 * themselves (pkg-config lua5.4).
 *
 *     oras_lua_attach(L, NULL, &rt, &err);   -- then in Lua: local oras = require "oras"
 *
 * What the host has stays as it is: globals, libraries, searchers and paths, hooks, panic and
 * warn functions, mode of collection, os.exit. New are "oras" and "oras.*" in package.preload,
 * later in package.loaded, and "cjson" where the host has none.
 *
 * Our Lua code uses standard libraries of its own, so a state without io, os or debug, or
 * with other functions in their place, will do. Scripts and providers see the host's.
 *
 * An attached runtime sets no hook on the host's own threads. oras_interrupt() and a progress
 * function that returns non-zero stop them where they wait; tasks (oras_call_start,
 * oras_lua_spawn, oras.spawn) are stopped and give the turn back where they compute, too, unless
 * a hook of the host's was there when they were made. */
#ifndef ORAS_LUA_H
#define ORAS_LUA_H

#include <oras.h>

#ifdef __cplusplus
extern "C" {
#endif
#include <lua.h>

/**
 * The module "oras": luaL_requiref(L, "oras", luaopen_oras, 0). Without a runtime it is the
 * whole library; it waits where it has to.
 */
ORAS_API int luaopen_oras(lua_State *L);

/**
 * Make a runtime in the host's state. It goes with lua_close() or, before that, with
 * oras_runtime_free(); from then on what Lua still holds of it raises an error (class usage),
 * and attaching again makes a new one. Freed from inside a callback or a call of its own, it
 * stops what runs and goes when attached again or with lua_close().
 *
 * @param L     any thread of the state; the runtime uses the main thread, and the state's
 *              allocator for what Lua sees
 * @param opts  as for oras_runtime_new(); not read if the state has a runtime already
 * @param out   the runtime: the same one for all threads of the state
 * @return ORAS_OK, ORAS_ENOMEM (calling again may succeed), ORAS_EINVALID
 */
ORAS_API oras_code oras_lua_attach(lua_State *L, const oras_options *opts, oras_runtime **out,
                                   oras_error *err);

/** Main thread of the runtime's state, whose stack the functions below use; also that of a
 * runtime of oras_runtime_new(). NULL for NULL. */
ORAS_API lua_State *oras_lua_state(oras_runtime *rt);

/**
 * Push the class of a provider, which is found as oras_call_json() finds it. [-0, +1 or +0]
 *
 * @return ORAS_OK; otherwise nothing is pushed: ORAS_ENOTFOUND, others by what the file raised
 */
ORAS_API oras_code oras_lua_load(oras_runtime *rt, const char *provider, oras_error *err);

/**
 * lua_pcall() whose error comes as an oras_error. It waits where it has to; with never_block it
 * fails with ORAS_EBLOCK instead. [-(nargs + 1), +nresults or +0]
 *
 * @param nargs     the function and its arguments are on the stack, and are popped
 * @param nresults  a number or LUA_MULTRET
 * @return ORAS_OK; otherwise nothing is pushed: by what was raised
 */
ORAS_API oras_code oras_lua_pcall(oras_runtime *rt, int nargs, int nresults, oras_error *err);

/**
 * Start a function as a task that goes on in oras_step(), as oras_call_start() does with a
 * method. [-(nargs + 1), +0]
 *
 * @param nargs  the function and its arguments are on the stack, and are popped, also on failure
 * @param out    the call, owned by the caller: oras_call_free(). When it is done,
 *               oras_call_result() says how it ended and gives its first result as JSON, to
 *               whoever wants that (result may be NULL); oras_lua_results() gives them all
 * @return ORAS_OK, ORAS_EINVALID, ORAS_ENOMEM
 */
ORAS_API oras_code oras_lua_spawn(oras_runtime *rt, int nargs, oras_call **out, oras_error *err);

/**
 * Push what the function of oras_lua_spawn() gave; again, if asked again, until the call or its
 * runtime is freed.
 *
 * @param to  any thread of the runtime's state
 * @return how many were pushed; 0 if it is not done, has failed, or is a call of another kind;
 *         -1 for want of stack
 */
ORAS_API int oras_lua_results(oras_call *call, lua_State *to);

#ifdef __cplusplus
}
#endif
#endif
