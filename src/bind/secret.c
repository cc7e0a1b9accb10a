/* SPDX-License-Identifier: MIT */
#include "bind/secret.h"

#include "bind/box.h"
#include "bind/lua_error.h"

#define SECRET "oras.secret"

static int secret_close(lua_State *L)
{
    oras_secret **slot = lua_touserdata(L, 1);

    oras_secret_unref(*slot);
    *slot = NULL;
    return 0;
}

oras_secret **oras_lua_push_secret(lua_State *L)
{
    oras_box_type(L, SECRET, NULL, secret_close);
    return oras_box_new(L, SECRET, sizeof(oras_secret *), 0);
}

oras_secret *oras_lua_check_secret(lua_State *L, int idx)
{
    oras_secret **slot = luaL_testudata(L, idx, SECRET);

    if (!slot || !*slot)
        oras_lua_misuse(L, "secret is a %s, expected what core.auth makes",
                        slot ? "closed one" : luaL_typename(L, idx));
    return slot ? *slot : NULL;
}
