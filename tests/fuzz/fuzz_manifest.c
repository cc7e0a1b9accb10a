/* SPDX-License-Identifier: MIT
 * A manifest through Lua and back: the same value, the same order of keys, and from the first
 * writing on the same bytes, so that its digest stays. Its descriptors are walked as a pull
 * would walk them. */
#include "bind/tables.h"
#include "fuzz.h"
#include "oci/base64.h"
#include "oci/digest.h"
#include "oci/json.h"

#include <lauxlib.h>

/* Push core.json.NAME(top). [-1, +2] */
static void call(lua_State *L, const char *name)
{
    lua_getfield(L, 1, name);
    lua_insert(L, -2);
    REQUIRE(lua_pcall(L, 1, 2, 0) == LUA_OK);
}

static bool failed(lua_State *L)
{
    if (!lua_isnil(L, -2)) {
        lua_pop(L, 1);
        return false;
    }
    REQUIRE(lua_istable(L, -1));
    lua_getfield(L, -1, "class");
    REQUIRE(strcmp(lua_tostring(L, -1), "content") == 0 ||
            strcmp(lua_tostring(L, -1), "limit") == 0);
    return true;
}

/* The order of keys as jansson read it. */
static void check_order(const json_t *a, const json_t *b)
{
    if (json_is_object(a)) {
        void *at = json_object_iter((json_t *)a), *other = json_object_iter((json_t *)b);

        for (; at; at = json_object_iter_next((json_t *)a, at),
                   other = json_object_iter_next((json_t *)b, other)) {
            REQUIRE(other && strcmp(json_object_iter_key(at), json_object_iter_key(other)) == 0);
            check_order(json_object_iter_value(at), json_object_iter_value(other));
        }
        REQUIRE(!other);
    }
    for (size_t i = 0; i < json_array_size(a); i++)
        check_order(json_array_get(a, i), json_array_get(b, i));
}

static void check_descriptor(const json_t *descriptor)
{
    const json_t *text = json_object_get(descriptor, "digest");
    const json_t *data = json_object_get(descriptor, "data");
    oras_digest digest, found;
    oras_error err = ORAS_ERROR_INIT;
    oras_buf bytes = ORAS_BUF_INIT(1 << 20);

    if (!json_is_string(text) ||
        oras_digest_parse(json_string_value(text), json_string_length(text), &digest, &err))
        return;
    REQUIRE(!strchr(digest.text, '/') && !strchr(digest.text, '.'));
    if (json_is_string(data) &&
        !oras_base64_decode(json_string_value(data), json_string_length(data), &bytes, &err))
        REQUIRE(!oras_digest_of(digest.algorithm, oras_buf_text(&bytes), bytes.size, &found, &err));
    oras_buf_dispose(&bytes);
}

static void walk(const json_t *manifest)
{
    static const char *const lists[] = {"layers", "manifests"};

    check_descriptor(json_object_get(manifest, "config"));
    check_descriptor(json_object_get(manifest, "subject"));
    for (size_t i = 0; i < 2; i++) {
        const json_t *list = json_object_get(manifest, lists[i]);

        for (size_t j = 0; j < json_array_size(list); j++)
            check_descriptor(json_array_get(list, j));
    }
}

/* [json, text] on the stack: both are the same document, and the text is stable. */
static void check_written(lua_State *L, const json_t *value)
{
    size_t size;
    const char *text = lua_tolstring(L, 2, &size);
    json_t *again;
    oras_error err = ORAS_ERROR_INIT;

    REQUIRE(!oras_json_decode(text, size, 0, &again, &err));
    REQUIRE(json_equal(value, again));
    check_order(value, again);
    json_decref(again);
    lua_pushvalue(L, 2);
    call(L, "decode");
    REQUIRE(!failed(L));
    call(L, "encode");
    REQUIRE(!failed(L));
    REQUIRE(lua_rawequal(L, -1, 2));
}

static void run(lua_State *L, const uint8_t *data, size_t size)
{
    json_t *value = NULL;
    oras_error err = ORAS_ERROR_INIT;
    oras_code code = oras_json_decode((const char *)data, size, 0, &value, &err);

    lua_pushlstring(L, (const char *)data, size);
    call(L, "decode");
    if (failed(L)) {
        REQUIRE(code != ORAS_OK);
        return;
    }
    REQUIRE(code == ORAS_OK);
    call(L, "encode");
    REQUIRE(!failed(L));
    check_written(L, value);
    walk(value);
    json_decref(value);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static lua_State *L;

    if (!L) {
        L = luaL_newstate();
        REQUIRE(L);
        oras_lua_open_json(L);
    }
    run(L, data, size);
    lua_settop(L, 1);
    return 0;
}
