/* SPDX-License-Identifier: MIT
 * A host with a Lua state of its own. */
#ifndef TESTS_EMBED_LUA_HOST_H
#define TESTS_EMBED_LUA_HOST_H

#include "host.h"

#include <oras_lua.h>

#include <lauxlib.h>
#include <lualib.h>
#include <poll.h>

#define LAYOUT "oci:examples/layout"

static lua_State *host;
static oras_runtime *rt;

static inline oras_runtime *attach(lua_State *L)
{
    oras_options opts = ORAS_OPTIONS_INIT;
    oras_error err = ORAS_ERROR_INIT;
    oras_runtime *attached = NULL;

    opts.provider_path = folder;
    if (oras_lua_attach(L, &opts, &attached, &err))
        fail_msg("%s", err.message);
    return attached;
}

static inline int open_host(void **state)
{
    (void)state;
    host = luaL_newstate();
    luaL_openlibs(host);
    lua_pushstring(host, folder);
    lua_setglobal(host, "folder");
    rt = attach(host);
    return 0;
}

static inline int close_host(void **state)
{
    (void)state;
    if (host)
        lua_close(host);
    host = NULL;
    rt = NULL;
    return 0;
}

static inline int explain(lua_State *L)
{
    luaL_traceback(L, L, luaL_tolstring(L, 1, NULL), 1);
    return 1;
}

/* Run the text in the host's own way: what it raises ends the test. */
static inline void run_in(lua_State *L, const char *text)
{
    lua_pushcfunction(L, explain);
    if (luaL_loadstring(L, text) || lua_pcall(L, 0, 0, 1))
        fail_msg("%s", lua_tostring(L, -1));
    lua_settop(L, 0);
}

static inline void push_function(lua_State *L, const char *text)
{
    if (luaL_loadstring(L, text))
        fail_msg("%s", lua_tostring(L, -1));
}

/* Turns of the host's loop until the call is done. */
static inline void finish(const oras_call *call)
{
    oras_error err = ORAS_ERROR_INIT;

    while (!oras_call_done(call)) {
        struct pollfd p = {oras_pollfd(rt), POLLIN, 0};

        poll(&p, 1, oras_timeout_ms(rt));
        if (oras_step(rt, NULL, &err))
            fail_msg("%s", err.message);
    }
}

#endif
