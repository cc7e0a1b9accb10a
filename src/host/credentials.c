/* SPDX-License-Identifier: MIT
 * Credentials that the host gives. Strings of Lua cannot be wiped by whoever used them, so the
 * allocator of a state that may hold some wipes whatever it takes back. */
#define _GNU_SOURCE
#include "host/credentials.h"

#include "base/alloc.h"
#include "bind/lua_error.h"
#include "host/functions.h"

#include <stdio.h>
#include <string.h>

bool oras_credentials_wiped(const oras_runtime *rt)
{
    return rt->credentials != NULL;
}

/* Without `ptr` old_size is the kind of object that is made. */
void *oras_credentials_resize(void *ptr, size_t old_size, size_t size)
{
    void *moved = size > 0 ? oras_alloc(size) : NULL;

    if (!ptr)
        return moved;
    if (size > 0 && !moved) /* Lua takes a refused shrink for the end of memory */
        return size <= old_size ? ptr : NULL;
    if (moved)
        memcpy(moved, ptr, size < old_size ? size : old_size);
    explicit_bzero(ptr, old_size);
    oras_dealloc(ptr);
    return moved;
}

typedef struct answer {
    oras_credentials credentials;
    oras_code code;
} answer;

/* Lua: put what the host gave into the table on top. It may run out of memory, so that the
 * host is told after it, whatever became of it. */
static int fill_table(lua_State *L)
{
    const oras_credentials *given = lua_touserdata(L, 1);
    const struct {
        const char *name, *value;
    } fields[] = {{"username", given->username},
                  {"password", given->password},
                  {"identity_token", given->identity_token},
                  {"registry_token", given->registry_token}};

    lua_createtable(L, 0, 2);
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        if (!fields[i].value)
            continue;
        lua_pushstring(L, fields[i].value);
        lua_setfield(L, -2, fields[i].name);
    }
    return 1;
}

static bool is_complete(const oras_credentials *given)
{
    return (given->username != NULL) == (given->password != NULL);
}

static bool is_empty(const oras_credentials *given)
{
    return !given->username && !given->identity_token && !given->registry_token;
}

/* Push nil, false or the table; LUA_OK, or the status of what was raised instead. */
static int push_answer(lua_State *L, oras_credentials *given)
{
    int status = LUA_OK;

    if (given->anonymous) {
        lua_pushboolean(L, 0);
    } else if (is_empty(given) || !is_complete(given)) {
        lua_pushnil(L);
    } else {
        lua_pushcfunction(L, fill_table);
        lua_pushlightuserdata(L, given);
        status = lua_pcall(L, 1, 1, 0);
    }
    return status;
}

static int give(lua_State *L, answer *got, const char *host)
{
    bool complete = is_complete(&got->credentials);
    int status = got->code ? LUA_OK : push_answer(L, &got->credentials);

    if (got->credentials.release)
        got->credentials.release(&got->credentials);
    explicit_bzero(&got->credentials, sizeof got->credentials);
    if (status != LUA_OK)
        return lua_error(L);
    if (got->code || !complete) {
        oras_error err = ORAS_ERROR_INIT, said = ORAS_ERROR_INIT;

        said.code = got->code ? got->code : ORAS_EINVALID;
        snprintf(said.message, sizeof said.message, "the host gives %s for '%s'",
                 got->code ? "no credentials" : "a user name or a password alone", host);
        oras_functions_take_error(&said, ORAS_C_AUTH, &err);
        return oras_lua_raise(L, &err);
    }
    return 1;
}

int oras_credentials_ask(lua_State *L)
{
    oras_runtime *rt = oras_runtime_of(L);
    const char *host = luaL_checkstring(L, 1);
    const char *repository = luaL_optstring(L, 2, "");
    answer got = {.code = ORAS_OK};

    if (!rt || !rt->credentials) {
        lua_pushnil(L);
        return 1;
    }
    luaL_checkstack(L, 4, "credentials");
    rt->n_callbacks++;
    got.code = rt->credentials(rt->ud, host, repository, &got.credentials);
    rt->n_callbacks--;
    return give(L, &got, host);
}
