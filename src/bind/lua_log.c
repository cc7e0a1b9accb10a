/* SPDX-License-Identifier: MIT
 * oras.core.log: lines for the host, redacted on the way. */
#include "bind/context.h"
#include "bind/lua_error.h"
#include "bind/tables.h"

#include <lauxlib.h>

static const char *const levels[] = {"error", "warn", "info", "debug", NULL};

/* write(level, text) */
static int write_line(lua_State *L)
{
    oras_level level = (oras_level)luaL_checkoption(L, 1, NULL, levels);

    oras_log_write(oras_context_get(L)->log, level, "%s", oras_lua_check_text(L, 2, "log text"));
    return 0;
}

/* level() -> the most talkative level that anybody listens to, nil for none */
static int level(lua_State *L)
{
    const oras_log *log = oras_context_get(L)->log;

    if (log && log->fn)
        lua_pushstring(L, levels[log->level]);
    else
        lua_pushnil(L);
    return 1;
}

void oras_lua_open_log(lua_State *L)
{
    static const luaL_Reg functions[] = {{"write", write_line}, {"level", level}, {NULL, NULL}};

    luaL_newlib(L, functions);
}
