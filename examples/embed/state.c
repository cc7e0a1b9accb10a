/* SPDX-License-Identifier: MIT
 * A program with a Lua of its own gets `require "oras"`, and runs a function of a script beside
 * whatever else it does: ./state SCRIPT.lua [ARG...], where the script defines main(...).
 * cc state.c $(pkg-config --cflags --libs oras lua5.4) */
#include <lauxlib.h>
#include <lualib.h>
#include <oras_lua.h>
#include <poll.h>
#include <stdio.h>

/* The program's loop; other descriptors of its own would stand beside this one. */
static oras_code run(oras_runtime *rt, const oras_call *call, oras_error *err)
{
    while (!oras_call_done(call)) {
        struct pollfd p = {oras_pollfd(rt), POLLIN, 0};

        poll(&p, 1, oras_timeout_ms(rt));
        if (oras_step(rt, NULL, err))
            break;
    }
    return err->code;
}

static void print_results(lua_State *L, int n)
{
    for (int i = lua_gettop(L) - n + 1; n > 0; i++, n--) {
        puts(luaL_tolstring(L, i, NULL));
        lua_pop(L, 1);
    }
}

/* main(ARG...) as a task: it waits for registries, the program does not. */
static oras_code call_main(oras_runtime *rt, int argc, char **argv, oras_error *err)
{
    lua_State *L = oras_lua_state(rt);
    oras_call *call = NULL;

    lua_getglobal(L, "main");
    for (int i = 0; i < argc; i++)
        lua_pushstring(L, argv[i]);
    if (!oras_lua_spawn(rt, argc, &call, err) && !run(rt, call, err) &&
        !oras_call_result(call, NULL, err))
        print_results(L, oras_lua_results(call, L));
    oras_call_free(call);
    return err->code;
}

int main(int argc, char **argv)
{
    oras_error err = ORAS_ERROR_INIT;
    oras_runtime *rt = NULL;
    lua_State *L = luaL_newstate();

    if (!L || argc < 2)
        return fprintf(stderr, "usage: %s SCRIPT.lua [ARG...]\n", argv[0]), 2;
    luaL_openlibs(L);
    if (!oras_lua_attach(L, NULL, &rt, &err)) {
        if (luaL_dofile(L, argv[1]))
            fprintf(stderr, "%s\n", luaL_tolstring(L, -1, NULL));
        else if (call_main(rt, argc - 2, argv + 2, &err))
            fprintf(stderr, "%s: %s\n", err.class_name, err.message);
    }
    lua_close(L); /* the runtime goes with it */
    return err.code != ORAS_OK;
}
