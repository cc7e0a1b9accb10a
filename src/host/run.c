/* SPDX-License-Identifier: MIT
 * Running a script: oras_run_file. */
#include "bind/lua_error.h"
#include "bind/lua_main.h"
#include "host/modules.h"
#include "host/runtime.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

typedef struct script {
    const char *path;
    int argc;
    char *const *argv;
} script;

/* arg[0] the script, arg[1] and up what was given to it. [-0, +1] */
static void push_arg(lua_State *L, const script *s)
{
    lua_createtable(L, s->argc, 1);
    lua_pushstring(L, s->path);
    lua_rawseti(L, -2, 0);
    for (int i = 0; i < s->argc; i++) {
        lua_pushstring(L, s->argv[i]);
        lua_rawseti(L, -2, i + 1);
    }
}

/* A host's globals are not ours to set: the script on top sees them behind its `arg`. [-1, +0] */
static void set_private_arg(lua_State *L, int chunk)
{
    lua_createtable(L, 0, 1);
    lua_insert(L, -2);
    lua_setfield(L, -2, "arg");
    lua_createtable(L, 0, 2);
    lua_pushglobaltable(L);
    lua_pushvalue(L, -1);
    lua_setfield(L, -3, "__index");
    lua_setfield(L, -2, "__newindex");
    lua_setmetatable(L, -2);
    lua_setupvalue(L, chunk, 1);
}

static void push_args(lua_State *L, const script *s)
{
    luaL_checkstack(L, s->argc, "too many arguments to script");
    for (int i = 0; i < s->argc; i++)
        lua_pushstring(L, s->argv[i]);
}

static int run_script(lua_State *L)
{
    const script *s = lua_touserdata(L, 1);

    oras_lua_set_main(L, strcmp(s->path, "-") == 0 ? "=stdin" : lua_pushfstring(L, "@%s", s->path));
    if (oras_loading_file(L, s->path) != 1)
        return lua_error(L);
    push_arg(L, s);
    if (oras_runtime_of(L)->attached)
        set_private_arg(L, lua_gettop(L) - 1);
    else
        lua_setglobal(L, "arg");
    push_args(L, s);
    lua_call(L, s->argc, 0);
    return 0;
}

/* A main program of the library's own is a module that is a function. */
static int run_own(lua_State *L)
{
    const script *s = lua_touserdata(L, 1);

    oras_modules_push(L, lua_pushfstring(L, "oras.%s", s->path + strlen("oras:")));
    push_args(L, s);
    lua_call(L, s->argc, 0);
    return 0;
}

static bool is_own(const char *path)
{
    return strncmp(path, "oras:", 5) == 0;
}

/* Is it there? What else is wrong with it, loading says. */
static oras_code look(const char *path, oras_error *err)
{
    if (is_own(path)) {
        if (strcmp(path, "oras:cli") == 0)
            return ORAS_OK;
    } else if (strcmp(path, "-") == 0 || access(path, F_OK) == 0 ||
               (errno != ENOENT && errno != ENOTDIR)) {
        return ORAS_OK;
    }
    return oras_fail(err, ORAS_C_NOT_FOUND, "no such script: '%s'", path);
}

oras_code oras_run_file(oras_runtime *rt, const char *path, int argc, char *const argv[],
                        oras_error *err)
{
    script s = {path, argc, argv};
    oras_code code;

    if (!rt || !path || argc < 0)
        return oras_fail(err, ORAS_C_USAGE, "a runtime, a path and its arguments are expected");
    if (rt->attached && is_own(path))
        return oras_fail(err, ORAS_C_USAGE, "'%s' needs a runtime of oras_runtime_new", path);
    code = look(path, err);
    if (code)
        return code;
    if (!lua_checkstack(rt->L, 4))
        return oras_fail_memory(err);
    lua_pushcfunction(rt->L, is_own(path) ? run_own : run_script);
    lua_pushlightuserdata(rt->L, &s);
    return oras_runtime_pcall(rt, 1, 0, err);
}
