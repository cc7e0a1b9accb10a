/* SPDX-License-Identifier: MIT
 * oras.host: what the command line and the search for providers need from C. */
#include "bind/lua_main.h"
#include "host/credentials.h"
#include "host/embedded.h"
#include "host/functions.h"
#include "host/modules.h"
#include "host/runtime.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int set_main(lua_State *L)
{
    oras_lua_set_main(L, luaL_checkstring(L, 1));
    return 0;
}

static int is_terminal(lua_State *L)
{
    lua_pushboolean(L, isatty((int)luaL_checkinteger(L, 1)));
    return 1;
}

/* What oras_options.sandbox says, or nil. */
static int sandbox_policy(lua_State *L)
{
    const oras_runtime *rt = oras_runtime_of(L);

    lua_pushstring(L, rt ? rt->sandbox : NULL);
    return 1;
}

static int log_level(lua_State *L)
{
    static const char *const names[] = {"error", "warn", "info", "debug", NULL};

    oras_level level = (oras_level)luaL_checkoption(L, 1, NULL, names);
    oras_runtime *rt = oras_runtime_of(L);

    if (rt)
        rt->log.level = level;
    return 0;
}

/* Directories that are searched for NAME.lua: before and after those in the library. */
static int provider_dirs(lua_State *L)
{
    const oras_runtime *rt = oras_runtime_of(L); /* NULL: luaopen_oras alone */
    char installed[4096];

    lua_pushstring(L, rt ? rt->provider_path : NULL);
    if (oras_host_provider_dir(installed, sizeof installed))
        lua_pushstring(L, installed);
    else
        lua_pushnil(L);
    return 2;
}

static int by_name(const void *name, const void *entry)
{
    return strcmp(name, ((const oras_embedded *)entry)->name);
}

/* Text of a provider inside the library, or nil. */
static int provider_text(lua_State *L)
{
    const char *name = lua_pushfstring(L, "providers.%s", luaL_checkstring(L, 1));
    const oras_embedded *found =
        bsearch(name, oras_embedded_providers, oras_embedded_providers_count,
                sizeof *oras_embedded_providers, by_name);

    if (found)
        lua_pushlstring(L, (const char *)found->code, found->size);
    else
        lua_pushnil(L);
    return 1;
}

static int provider_names(lua_State *L)
{
    lua_createtable(L, (int)oras_embedded_providers_count, 0);
    for (size_t i = 0; i < oras_embedded_providers_count; i++) {
        lua_pushstring(L, oras_embedded_providers[i].name + strlen("providers."));
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    return 1;
}

static int module_names(lua_State *L)
{
    lua_createtable(L, (int)oras_embedded_modules_count, 0);
    for (size_t i = 0; i < oras_embedded_modules_count; i++) {
        lua_pushstring(L, oras_embedded_modules[i].name);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    return 1;
}

static int unwatch(lua_State *L)
{
    oras_interrupt_watch(L, false);
    return 0;
}

int oras_host_open(lua_State *L)
{
    static const luaL_Reg functions[] = {
        {"call", oras_functions_call},
        {"credentials", oras_credentials_ask},
        {"has", oras_functions_has},
        {"is_terminal", is_terminal},
        {"log_level", log_level},
        {"module_names", module_names},
        {"provider_dirs", provider_dirs},
        {"provider_names", provider_names},
        {"provider_text", provider_text},
        {"sandbox_policy", sandbox_policy},
        {"set_main", set_main},
        {"unwatch", unwatch},
        {NULL, NULL},
    };

    luaL_newlib(L, functions);
    return 1;
}
