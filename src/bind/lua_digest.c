/* SPDX-License-Identifier: MIT
 * oras.core.digest: digests of strings, of bytes as they come, and their grammar. */
#include "bind/box.h"
#include "bind/digest_file.h"
#include "bind/lua_error.h"
#include "bind/tables.h"
#include "oci/digest.h"

#define HASHER "oras.hasher"

static oras_algorithm find_algorithm(lua_State *L, const char *name)
{
    oras_algorithm algorithm = ORAS_SHA256;

    if (name && !oras_algorithm_find(name, &algorithm))
        oras_lua_misuse(L, "algorithm '%.40s', expected sha256 or sha512", name);
    return algorithm;
}

oras_algorithm oras_lua_opt_algorithm(lua_State *L, int idx)
{
    return find_algorithm(L, lua_isnoneornil(L, idx) ? NULL
                                                     : oras_lua_check_text(L, idx, "algorithm"));
}

oras_algorithm oras_lua_field_algorithm(lua_State *L, int idx)
{
    return find_algorithm(L, oras_opt_string(L, idx, "algorithm", NULL));
}

static const char *check_bytes(lua_State *L, int idx, size_t *size)
{
    if (lua_type(L, idx) != LUA_TSTRING)
        oras_lua_misuse(L, "data is a %s, expected a string", luaL_typename(L, idx));
    return lua_tolstring(L, idx, size);
}

static int digest_of(lua_State *L)
{
    size_t size;
    const char *data = check_bytes(L, 1, &size);
    oras_algorithm algorithm = oras_lua_opt_algorithm(L, 2);
    oras_digest digest;
    oras_error err = ORAS_ERROR_INIT;

    if (oras_digest_of(algorithm, data, size, &digest, &err))
        return oras_lua_fail(L, &err);
    lua_pushstring(L, digest.text);
    return 1;
}

static int digest_parse(lua_State *L)
{
    size_t size;
    const char *text = check_bytes(L, 1, &size);
    oras_digest digest;
    oras_error err = ORAS_ERROR_INIT;

    if (oras_digest_parse(text, size, &digest, &err))
        return oras_lua_fail(L, &err);
    lua_createtable(L, 0, 3);
    lua_pushstring(L, oras_algorithm_name(digest.algorithm));
    lua_setfield(L, -2, "algorithm");
    lua_pushstring(L, oras_digest_encoded(&digest));
    lua_setfield(L, -2, "encoded");
    lua_pushstring(L, digest.text);
    lua_setfield(L, -2, "text");
    return 1;
}

typedef struct hasher_box {
    oras_hasher *hasher; /* NULL once final */
} hasher_box;

static int hasher_close(lua_State *L)
{
    hasher_box *box = lua_touserdata(L, 1);

    oras_hasher_free(box->hasher);
    box->hasher = NULL;
    return 0;
}

static int digest_new(lua_State *L)
{
    oras_algorithm algorithm = oras_lua_opt_algorithm(L, 1);
    hasher_box *box = oras_box_new(L, HASHER, sizeof *box, 0);
    oras_error err = ORAS_ERROR_INIT;

    if (oras_hasher_new(algorithm, &box->hasher, &err))
        return oras_lua_fail(L, &err);
    return 1;
}

static hasher_box *check_hasher(lua_State *L)
{
    hasher_box *box = luaL_testudata(L, 1, HASHER);

    if (!box)
        oras_lua_misuse(L, "hasher is a %s, expected what digest.new gives", luaL_typename(L, 1));
    else if (!box->hasher)
        oras_lua_misuse(L, "the hasher has given its digest already");
    return box;
}

static int hasher_update(lua_State *L)
{
    hasher_box *box = check_hasher(L);
    size_t size;
    const char *data = check_bytes(L, 2, &size);
    oras_error err = ORAS_ERROR_INIT;

    if (oras_hasher_update(box->hasher, data, size, &err))
        return oras_lua_fail(L, &err);
    lua_settop(L, 1);
    return 1;
}

static int hasher_final(lua_State *L)
{
    hasher_box *box = check_hasher(L);
    oras_digest digest;
    oras_error err = ORAS_ERROR_INIT;
    oras_code code = oras_hasher_final(box->hasher, &digest, &err);

    oras_hasher_free(box->hasher);
    box->hasher = NULL;
    if (code)
        return oras_lua_fail(L, &err);
    lua_pushstring(L, digest.text);
    return 1;
}

void oras_lua_open_digest(lua_State *L)
{
    static const luaL_Reg functions[] = {{"of", digest_of},
                                         {"of_file", oras_lua_digest_of_file},
                                         {"new", digest_new},
                                         {"parse", digest_parse},
                                         {NULL, NULL}};
    static const luaL_Reg methods[] = {
        {"update", hasher_update}, {"final", hasher_final}, {NULL, NULL}};

    oras_box_type(L, HASHER, methods, hasher_close);
    luaL_newlib(L, functions);
}
