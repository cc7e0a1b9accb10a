/* SPDX-License-Identifier: MIT
 * oras.core.reference */
#include "bind/box.h"
#include "bind/lua_error.h"
#include "bind/tables.h"
#include "oci/reference.h"

#include <string.h>

#define TEXT_MAX ((size_t)16 * 1024) /* more than any reference or URL of one has */

static void set_text(lua_State *L, const char *field, const char *value)
{
    if (!*value)
        return;
    lua_pushstring(L, value);
    lua_setfield(L, -2, field);
}

/* oras-py's fields: the last component is `repository`, all of it `api_prefix`. */
static void set_names(lua_State *L, const oras_reference *reference)
{
    const char *slash = strrchr(reference->repository, '/');

    set_text(L, "api_prefix", reference->repository);
    set_text(L, "repository", slash ? slash + 1 : reference->repository);
    if (slash) {
        lua_pushlstring(L, reference->repository, (size_t)(slash - reference->repository));
        lua_setfield(L, -2, "namespace");
    }
}

static void push_reference(lua_State *L, const oras_reference *reference)
{
    lua_createtable(L, 0, 8);
    if (reference->kind == ORAS_REFERENCE_LAYOUT) {
        set_text(L, "kind", "layout");
        set_text(L, "path", reference->path);
    } else {
        set_text(L, "kind", "registry");
        set_text(L, "registry", reference->registry);
        set_text(L, "host", reference->host);
        set_names(L, reference);
    }
    set_text(L, "tag", reference->tag);
    set_text(L, "digest", reference->digest);
}

static int reference_parse(lua_State *L)
{
    size_t size;
    const char *text, *fallback = NULL;
    oras_reference reference;
    oras_error err = ORAS_ERROR_INIT;

    if (lua_type(L, 1) != LUA_TSTRING)
        return oras_lua_misuse(L, "reference is a %s, expected a string", luaL_typename(L, 1));
    text = lua_tolstring(L, 1, &size);
    if (!lua_isnoneornil(L, 2))
        fallback = oras_lua_check_text(L, 2, "default host");
    if (oras_reference_parse(text, size, fallback, &reference, &err))
        return oras_lua_fail(L, &err);
    push_reference(L, &reference);
    return 1;
}

/* Push a field of the reference table; "" if it is absent. It stays on the stack, so that
 * the text lives as long as the call. [-0, +1] */
static const char *push_field(lua_State *L, const char *field)
{
    int type = lua_getfield(L, 1, field);

    if (type == LUA_TNIL)
        return "";
    return oras_lua_check_text(L, -1, field);
}

/* [-0, +3] */
static const char *push_repository(lua_State *L)
{
    const char *whole = push_field(L, "api_prefix");
    const char *namespace = push_field(L, "namespace");
    const char *last = push_field(L, "repository");

    if (*whole || !*namespace)
        return *whole ? whole : last;
    return lua_pushfstring(L, "%s/%s", namespace, last);
}

static oras_code check_reference(lua_State *L, oras_reference *out, oras_error *err)
{
    const char *kind, *tag, *digest;

    if (!lua_istable(L, 1))
        oras_lua_misuse(L, "reference is a %s, expected a table", luaL_typename(L, 1));
    luaL_checkstack(L, 10, NULL);
    kind = push_field(L, "kind");
    tag = push_field(L, "tag");
    digest = push_field(L, "digest");
    if (strcmp(kind, "layout") == 0)
        return oras_reference_make_layout(push_field(L, "path"), tag, digest, out, err);
    return oras_reference_make(push_field(L, "registry"), push_repository(L), tag, digest, out,
                               err);
}

static int reference_print(lua_State *L)
{
    oras_reference reference;
    oras_error err = ORAS_ERROR_INIT;
    oras_buf *buf;

    if (check_reference(L, &reference, &err))
        return oras_lua_fail(L, &err);
    buf = oras_box_buffer(L, TEXT_MAX);
    oras_reference_print(&reference, buf);
    if (oras_buf_check(buf, "reference", &err))
        return oras_lua_fail(L, &err);
    lua_pushlstring(L, oras_buf_text(buf), buf->size);
    return 1;
}

static oras_endpoint check_endpoint(lua_State *L, int idx)
{
    const char *name = oras_lua_check_text(L, idx, "endpoint");
    oras_endpoint endpoint = ORAS_ENDPOINT_BASE;

    if (!oras_endpoint_find(name, &endpoint))
        oras_lua_misuse(L,
                        "endpoint '%s', expected base, manifest, blob, upload, tags, referrers "
                        "or catalog",
                        name);
    return endpoint;
}

static int reference_url(lua_State *L)
{
    oras_endpoint endpoint = check_endpoint(L, 2);
    const char *arg = lua_isnoneornil(L, 3) ? NULL : oras_lua_check_text(L, 3, "tag or digest");
    oras_reference reference;
    oras_error err = ORAS_ERROR_INIT;
    oras_buf *buf;

    if (check_reference(L, &reference, &err))
        return oras_lua_fail(L, &err);
    buf = oras_box_buffer(L, TEXT_MAX);
    if (oras_reference_url(&reference, endpoint, arg, buf, &err))
        return oras_lua_fail(L, &err);
    lua_pushlstring(L, oras_buf_text(buf), buf->size);
    return 1;
}

void oras_lua_open_reference(lua_State *L)
{
    static const luaL_Reg functions[] = {{"parse", reference_parse},
                                         {"print", reference_print},
                                         {"url", reference_url},
                                         {NULL, NULL}};

    luaL_newlib(L, functions);
}
