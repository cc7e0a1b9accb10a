/* SPDX-License-Identifier: MIT
 * What `require` finds in our own state: oras.* from the bytecode inside the library, cjson,
 * and Lua's standard libraries; nothing from the working directory. */
#include "host/modules.h"
#include "bind/core.h"
#include "host/embedded.h"
#include "host/environment.h"
#include "host/runtime.h"

#include <lua-cjson.h>
#include <lualib.h>
#include <stdlib.h>
#include <string.h>

/* exported by lua5.4-cjson, though its header does not say so */
extern int luaopen_cjson_safe(lua_State *L);

/* Push the function of a module. The only bytecode that is ever loaded is ours. [-0, +1] */
static void load_embedded(lua_State *L, const oras_embedded *module)
{
    if (luaL_loadbufferx(L, (const char *)module->code, module->size, module->name, "b") != LUA_OK)
        lua_error(L);
}

static int open_embedded(lua_State *L)
{
    load_embedded(L, lua_touserdata(L, lua_upvalueindex(1)));
    lua_insert(L, 1);
    lua_call(L, lua_gettop(L) - 1, 1);
    return 1;
}

static int by_name(const void *name, const void *entry)
{
    return strcmp(name, ((const oras_embedded *)entry)->name);
}

/* Push the function that makes a module of ours. [-0, +0 or +1] */
static bool push_loader(lua_State *L, const char *name)
{
    const oras_embedded *module;

    if (strcmp(name, "oras.core") == 0 || strcmp(name, "oras.host") == 0) {
        lua_pushcfunction(L, strcmp(name, "oras.core") == 0 ? luaopen_oras_core : oras_host_open);
        return true;
    }
    module = bsearch(name, oras_embedded_modules, oras_embedded_modules_count,
                     sizeof *oras_embedded_modules, by_name);
    if (!module)
        return false;
    oras_context_get(L); /* raises when it is closed: nothing is loaded any more */
    load_embedded(L, module);
    oras_environment_push(L);
    if (lua_isnil(L, -1))
        lua_pop(L, 1);
    else
        lua_setupvalue(L, -2, 1); /* the only one that a chunk has: its globals */
    return true;
}

bool oras_modules_push(lua_State *L, const char *name)
{
    luaL_checkstack(L, 6, "no room for a module");
    luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
    if (lua_getfield(L, -1, name) != LUA_TNIL) {
        lua_remove(L, -2);
        return true;
    }
    lua_pop(L, 1);
    if (!push_loader(L, name)) {
        lua_pop(L, 1);
        return false;
    }
    lua_pushstring(L, name);
    lua_call(L, 1, 1);
    lua_pushvalue(L, -1);
    lua_setfield(L, -3, name);
    lua_remove(L, -2);
    return true;
}

static void preload_modules(lua_State *L)
{
    static const luaL_Reg c_modules[] = {{"oras.core", luaopen_oras_core},
                                         {"oras.host", oras_host_open},
                                         {"cjson", luaopen_cjson},
                                         {"cjson.safe", luaopen_cjson_safe},
                                         {NULL, NULL}};

    luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_PRELOAD_TABLE);
    for (size_t i = 0; i < oras_embedded_modules_count; i++) {
        lua_pushlightuserdata(L, (void *)(uintptr_t)&oras_embedded_modules[i]);
        lua_pushcclosure(L, open_embedded, 1);
        lua_setfield(L, -2, oras_embedded_modules[i].name);
    }
    luaL_setfuncs(L, c_modules, 0);
    lua_pop(L, 1);
}

/* Drop the templates of `field` that begin with "./": no file in the working directory becomes
 * a module by its mere name. */
static void drop_relative(lua_State *L, const char *field)
{
    const char *path, *end;
    luaL_Buffer kept;

    lua_getglobal(L, LUA_LOADLIBNAME);
    lua_getfield(L, -1, field);
    path = lua_tostring(L, -1);
    luaL_buffinit(L, &kept);
    for (; path && *path; path = *end ? end + 1 : end) {
        end = path + strcspn(path, LUA_PATH_SEP);
        if (strncmp(path, "./", 2) == 0)
            continue;
        if (luaL_bufflen(&kept) > 0)
            luaL_addstring(&kept, LUA_PATH_SEP);
        luaL_addlstring(&kept, path, (size_t)(end - path));
    }
    luaL_pushresult(&kept);
    lua_setfield(L, -3, field);
    lua_pop(L, 2);
}

void oras_modules_open(oras_runtime *rt)
{
    lua_State *L = rt->L;

    /* a host's program is not to be steered by LUA_PATH; oras-lua reads it itself */
    lua_pushboolean(L, 1);
    lua_setfield(L, LUA_REGISTRYINDEX, "LUA_NOENV");
    luaL_openlibs(L);
    drop_relative(L, "path");
    drop_relative(L, "cpath");
    preload_modules(L);
    oras_loading_open(L);
    oras_coroutines_open(L);
    lua_getglobal(L, LUA_OSLIBNAME);
    lua_pushcfunction(L, oras_interrupt_exit);
    lua_setfield(L, -2, "exit");
    lua_pop(L, 1);
}
