/* SPDX-License-Identifier: MIT
 * Which chunk is the program that was started. A runtime of ours says so; elsewhere (plain
 * lua5.4) it is the one that arg[0] names, or the command line's. */
#include "bind/lua_main.h"

#include <lauxlib.h>
#include <stdbool.h>
#include <string.h>

static const char main_key;

void oras_lua_set_main(lua_State *L, const char *source)
{
    lua_pushstring(L, source);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &main_key);
}

/* Push the source of the started script, or nil. [-0, +1] */
static void push_main_source(lua_State *L)
{
    if (lua_rawgetp(L, LUA_REGISTRYINDEX, &main_key) == LUA_TSTRING)
        return;
    lua_pop(L, 1);
    if (lua_getglobal(L, "arg") == LUA_TTABLE && lua_rawgeti(L, -1, 0) == LUA_TSTRING) {
        lua_pushliteral(L, "@");
        lua_insert(L, -2);
        lua_concat(L, 2);
        lua_remove(L, -2);
        return;
    }
    lua_settop(L, 0);
    lua_pushnil(L);
}

static bool is_main_source(const char *source, const char *main_source)
{
    if (strcmp(source, "=(command line)") == 0 || strcmp(source, "=stdin") == 0)
        return true;
    return main_source && strcmp(source, main_source) == 0;
}

static bool is_ours(const lua_Debug *frame)
{
    /* a release has our files without their names; nothing else is ever loaded without one */
    return strncmp(frame->source, "=oras/", 6) == 0 || strcmp(frame->source, "=?") == 0;
}

/* The function that asks must be of the main source, and the innermost chunk of that source
 * on the stack also the outermost chunk of all: a script that loads itself is not started. */
int oras_lua_is_main(lua_State *L)
{
    const char *source;
    lua_Debug frame;
    bool asked = false;
    int n_chunks = 0;
    bool last_is_main = true;

    lua_settop(L, 0);
    push_main_source(L);
    source = lua_tostring(L, -1);
    for (int level = 1; lua_getstack(L, level, &frame); level++) {
        lua_getinfo(L, "S", &frame);
        if (*frame.what == 'C' || is_ours(&frame))
            continue;
        if (!asked && !is_main_source(frame.source, source))
            break;
        asked = true;
        if (*frame.what != 'm')
            continue;
        last_is_main = is_main_source(frame.source, source);
        n_chunks += last_is_main;
    }
    lua_pushboolean(L, asked && last_is_main && n_chunks <= 1);
    return 1;
}
