/* SPDX-License-Identifier: MIT
 * What `require` finds in our own state: oras.* from the bytecode inside the library, cjson,
 * and Lua's standard libraries; nothing from the working directory. */
#include "host/modules.h"
#include "bind/core.h"
#include "host/embedded.h"
#include "host/runtime.h"

#include <lua-cjson.h>
#include <lualib.h>
#include <string.h>

/* exported by lua5.4-cjson, though its header does not say so */
extern int luaopen_cjson_safe(lua_State *L);

/* The only bytecode that is ever loaded: ours. */
static int open_embedded(lua_State *L)
{
    const oras_embedded *module = lua_touserdata(L, lua_upvalueindex(1));

    if (luaL_loadbufferx(L, (const char *)module->code, module->size, module->name, "b") != LUA_OK)
        return lua_error(L);
    lua_insert(L, 1);
    lua_call(L, lua_gettop(L) - 1, 1);
    return 1;
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
