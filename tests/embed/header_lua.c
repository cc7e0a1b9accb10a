/* SPDX-License-Identifier: MIT
 * oras_lua.h alone; only compiled. */
#include <oras_lua.h>

int use_header(lua_State *L);

int use_header(lua_State *L)
{
    oras_runtime *rt = NULL;
    oras_call *call = NULL;

    if (oras_lua_attach(L, NULL, &rt, NULL) || oras_lua_load(rt, "conda", NULL) ||
        oras_lua_pcall(rt, 0, 1, NULL) || oras_lua_spawn(rt, 0, &call, NULL))
        return -1;
    return oras_lua_results(call, oras_lua_state(rt)) + luaopen_oras(L);
}
