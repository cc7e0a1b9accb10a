/* SPDX-License-Identifier: MIT
 * A host's state is the host's: our modules run with globals of their own, which have standard
 * libraries that nobody has changed or left out, and find each other without its `require`.
 * What is loaded through them (providers, scripts) has the host's globals. */
#include "host/environment.h"
#include "bind/core.h"
#include "host/embedded.h"
#include "host/modules.h"

#include <lauxlib.h>
#include <lua-cjson.h>
#include <lualib.h>
#include <stdbool.h>
#include <string.h>

static const char environment_key;

void oras_environment_push(lua_State *L)
{
    lua_rawgetp(L, LUA_REGISTRYINDEX, &environment_key);
}

/* --- libraries ------------------------------------------------------------------------------ */

/* io.open, a plain function, as a state that is gone had it. */
static lua_CFunction find_open(void)
{
    lua_State *L = luaL_newstate();
    lua_CFunction open = NULL;

    if (!L)
        return NULL;
    lua_pushcfunction(L, luaopen_io);
    if (lua_pcall(L, 0, 1, 0) == LUA_OK && lua_getfield(L, -1, "open") == LUA_TFUNCTION)
        open = lua_tocfunction(L, -1);
    lua_close(L);
    return open;
}

/* luaopen_io would reset the type of files, and what io.read reads, of a host that has them. */
static int open_io(lua_State *L)
{
    lua_CFunction open;

    if (luaL_getmetatable(L, LUA_FILEHANDLE) == LUA_TNIL) {
        lua_pushcfunction(L, luaopen_io);
        lua_call(L, 0, 1);
        return 1;
    }
    open = find_open();
    if (!open)
        return luaL_error(L, "not enough memory");
    lua_createtable(L, 0, 1);
    lua_pushcfunction(L, open);
    lua_setfield(L, -2, "open");
    return 1;
}

/* Lua, with the globals being ours: open all libraries there. */
static int open_libraries(lua_State *L)
{
    static const luaL_Reg libraries[] = {{LUA_COLIBNAME, luaopen_coroutine},
                                         {LUA_TABLIBNAME, luaopen_table},
                                         {LUA_STRLIBNAME, luaopen_string},
                                         {LUA_MATHLIBNAME, luaopen_math},
                                         {LUA_UTF8LIBNAME, luaopen_utf8},
                                         {LUA_OSLIBNAME, luaopen_os},
                                         {LUA_IOLIBNAME, open_io},
                                         {LUA_DBLIBNAME, luaopen_debug},
                                         {NULL, NULL}};

    lua_pushcfunction(L, luaopen_base);
    lua_call(L, 0, 0);
    for (const luaL_Reg *library = libraries; library->name; library++) {
        lua_pushcfunction(L, library->func);
        lua_call(L, 0, 1);
        lua_setglobal(L, library->name);
    }
    lua_getglobal(L, LUA_OSLIBNAME);
    lua_pushnil(L); /* nothing of ours ends the process */
    lua_setfield(L, -2, "exit");
    return 0;
}

/* The libraries become globals of the table on top. What they change besides is put back, if
 * the host had it: nothing in here raises before that. */
static void open_aside(lua_State *L)
{
    int status, saved = lua_gettop(L) + 1;
    bool has_strings;

    lua_rawgeti(L, LUA_REGISTRYINDEX, LUA_RIDX_GLOBALS);
    lua_pushliteral(L, "");
    has_strings = lua_getmetatable(L, -1);
    lua_pushvalue(L, saved - 1);
    lua_rawseti(L, LUA_REGISTRYINDEX, LUA_RIDX_GLOBALS);
    lua_pushcfunction(L, open_libraries);
    status = lua_pcall(L, 0, 0, 0);
    lua_pushvalue(L, saved);
    lua_rawseti(L, LUA_REGISTRYINDEX, LUA_RIDX_GLOBALS);
    if (has_strings) {
        lua_pushvalue(L, saved + 2);
        lua_setmetatable(L, saved + 1);
    }
    if (status != LUA_OK)
        lua_error(L);
    lua_settop(L, saved - 1);
}

/* --- modules -------------------------------------------------------------------------------- */

/* The command line needs the program around it. */
static bool is_for_hosts(const char *name)
{
    return strncmp(name, "oras.cli", 8) != 0 && strncmp(name, "oras.commands", 13) != 0;
}

/* require of our own code: what is loaded, ours, or what the host finds */
static int require(lua_State *L)
{
    const char *name = luaL_checkstring(L, 1);

    lua_settop(L, 1);
    if (oras_modules_push(L, name))
        return 1;
    lua_getglobal(L, "require");
    lua_insert(L, 1);
    lua_call(L, 1, 1);
    return 1;
}

/* Lua: the loader of a module of ours in package.preload */
static int open_module(lua_State *L)
{
    oras_modules_push(L, luaL_checkstring(L, 1));
    return 1;
}

/* exported by lua5.4-cjson, though its header does not say so */
extern int luaopen_cjson_safe(lua_State *L);

/* Push the loader of a module and what it is to be given, as one of the host's searchers behind
 * that of package.preload finds it. [-0, +0 or +2] */
static bool search(lua_State *L, const char *name)
{
    int top = lua_gettop(L);

    luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
    if (lua_getfield(L, -1, LUA_LOADLIBNAME) == LUA_TTABLE &&
        lua_getfield(L, -1, "searchers") == LUA_TTABLE) {
        for (int i = 2; lua_rawgeti(L, top + 3, i) != LUA_TNIL; i++) {
            lua_pushstring(L, name);
            lua_call(L, 1, 2);
            if (lua_isfunction(L, -2))
                return true;
            lua_pop(L, 2);
        }
    }
    lua_settop(L, top);
    return false;
}

/* Lua: cjson of a host that has not loaded it; its own, if it has a file */
static int open_cjson(lua_State *L)
{
    const char *name = luaL_checkstring(L, 1);

    lua_settop(L, 1);
    if (search(L, name)) {
        lua_pushvalue(L, 1);
        lua_insert(L, -2);
        lua_call(L, 2, 1);
        return 1;
    }
    lua_pushcfunction(L, strcmp(name, "cjson") == 0 ? luaopen_cjson : luaopen_cjson_safe);
    lua_call(L, 0, 1);
    return 1;
}

/* Is there a field of that name in the table at idx? */
static bool has(lua_State *L, int idx, const char *name)
{
    bool found = lua_getfield(L, idx, name) != LUA_TNIL;

    lua_pop(L, 1);
    return found;
}

/* Unless somebody has put something there. */
static void preload(lua_State *L, int table, const char *name, lua_CFunction loader)
{
    if (has(L, table, name))
        return;
    lua_pushcfunction(L, loader);
    lua_setfield(L, table, name);
}

static void fill_preload(lua_State *L)
{
    static const char *const names[] = {"cjson", "cjson.safe"};
    int table;

    luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
    luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_PRELOAD_TABLE);
    table = lua_gettop(L);
    for (size_t i = 0; i < oras_embedded_modules_count; i++) {
        if (is_for_hosts(oras_embedded_modules[i].name))
            preload(L, table, oras_embedded_modules[i].name, open_module);
    }
    preload(L, table, "oras.core", open_module);
    preload(L, table, "oras.host", open_module);
    for (size_t i = 0; i < 2; i++) {
        if (!has(L, table - 1, names[i]))
            preload(L, table, names[i], open_cjson);
    }
    lua_pop(L, 2);
}

void oras_environment_open(lua_State *L)
{
    luaL_checkstack(L, 20, "no room for libraries");
    if (lua_rawgetp(L, LUA_REGISTRYINDEX, &environment_key) == LUA_TNIL) {
        lua_newtable(L);
        open_aside(L);
        lua_pushcfunction(L, require);
        lua_setfield(L, -2, "require");
        fill_preload(L);
        lua_rawsetp(L, LUA_REGISTRYINDEX, &environment_key);
    }
    lua_pop(L, 1);
}

/* Take the entries of our names out of the table on top: all, or those that are a loader. */
static void take_out(lua_State *L, lua_CFunction loader)
{
    for (size_t i = 0; i < oras_embedded_modules_count + 2; i++) {
        const char *name = i < oras_embedded_modules_count    ? oras_embedded_modules[i].name
                           : i == oras_embedded_modules_count ? "oras.core"
                                                              : "oras.host";

        lua_pushstring(L, name);
        lua_pushvalue(L, -1);
        if (lua_rawget(L, -3) != LUA_TNIL && (!loader || lua_tocfunction(L, -1) == loader)) {
            lua_pushvalue(L, -2);
            lua_pushnil(L);
            lua_rawset(L, -5);
        }
        lua_pop(L, 2);
    }
}

int oras_environment_close(lua_State *L)
{
    lua_pushnil(L);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &environment_key);
    luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
    take_out(L, NULL);
    luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_PRELOAD_TABLE);
    take_out(L, open_module);
    return 0;
}
