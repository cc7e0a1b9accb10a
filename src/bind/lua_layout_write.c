/* SPDX-License-Identifier: MIT
 * oras.core.layout, writing: the layout itself and its blobs. */
#include "bind/box.h"
#include "bind/context.h"
#include "bind/digest_file.h"
#include "bind/layout.h"
#include "bind/lua_error.h"
#include "bind/sink.h"
#include "bind/source.h"

#include <string.h>

/* create(path) -> true: what is missing of a layout is made */
int oras_lua_layout_create(lua_State *L)
{
    const char *path = oras_lua_check_text(L, 1, "path");
    oras_error err = ORAS_ERROR_INIT;

    if (oras_layout_create(path, oras_pool_umask(oras_context_get(L)->pool), &err))
        return oras_lua_fail(L, &err);
    lua_pushboolean(L, 1);
    return 1;
}

/* layout:sink{digest, size, resume, algorithm} -> sink: the bytes become the blob */
int oras_lua_layout_sink(lua_State *L)
{
    oras_layout *layout = oras_lua_check_layout(L, 1);
    const char *digest = oras_opt_string(L, 2, "digest", NULL);
    bool resume = oras_opt_boolean(L, 2, "resume", 0);
    oras_expect expect = {.has_digest = digest, .size = oras_opt_integer(L, 2, "size", -1)};
    oras_error err = ORAS_ERROR_INIT;
    oras_sink **sink;

    expect.digest.algorithm = oras_lua_field_algorithm(L, 2);
    if (digest && oras_digest_parse(digest, strlen(digest), &expect.digest, &err))
        return oras_lua_fail(L, &err);
    sink = oras_lua_push_sink(L);
    if (oras_layout_sink(layout, oras_context_get(L)->pool, &expect, resume, sink, &err))
        return oras_lua_fail(L, &err);
    return 1;
}

/* layout:source(digest) -> source */
int oras_lua_layout_source(lua_State *L)
{
    oras_layout *layout = oras_lua_check_layout(L, 1);
    oras_error err = ORAS_ERROR_INIT;
    oras_source **source;
    oras_digest digest;

    if (oras_lua_check_digest(L, 2, &digest, &err))
        return oras_lua_fail_blob(L, &err);
    lua_pushnil(L);
    source = oras_lua_new_source(L);
    if (oras_layout_source(layout, &digest, source, &err))
        return oras_lua_fail_blob(L, &err);
    return 1;
}

/* layout:put(bytes, digest) -> true: small bytes as a blob, at once */
int oras_lua_layout_put(lua_State *L)
{
    oras_layout *layout = oras_lua_check_layout(L, 1);
    size_t size;
    const char *bytes = luaL_checklstring(L, 2, &size);
    mode_t umask = oras_pool_umask(oras_context_get(L)->pool);
    oras_error err = ORAS_ERROR_INIT;
    oras_digest digest, real;

    if (oras_lua_check_digest(L, 3, &digest, &err) ||
        oras_digest_of(digest.algorithm, bytes, size, &real, &err))
        return oras_lua_fail(L, &err);
    if (!oras_digest_equal(&digest, &real))
        oras_lua_misuse(L, "the bytes are '%s', not '%s'", real.text, digest.text);
    if (oras_layout_put(layout, &digest, bytes, size, umask, &err))
        return oras_lua_fail(L, &err);
    lua_pushboolean(L, 1);
    return 1;
}

/* layout:touch(digest) -> true: nobody collects the blob for a while */
int oras_lua_layout_touch(lua_State *L)
{
    oras_layout *layout = oras_lua_check_layout(L, 1);
    oras_error err = ORAS_ERROR_INIT;
    oras_digest digest;

    if (oras_lua_check_digest(L, 2, &digest, &err) || oras_layout_touch(layout, &digest, &err))
        return oras_lua_fail_blob(L, &err);
    lua_pushboolean(L, 1);
    return 1;
}

/* layout:age(digest) -> seconds since the blob was written or touched */
int oras_lua_layout_age(lua_State *L)
{
    oras_layout *layout = oras_lua_check_layout(L, 1);
    oras_error err = ORAS_ERROR_INIT;
    oras_digest digest;
    int64_t seconds;

    if (oras_lua_check_digest(L, 2, &digest, &err) ||
        oras_layout_age(layout, &digest, &seconds, &err))
        return oras_lua_fail_blob(L, &err);
    lua_pushinteger(L, seconds);
    return 1;
}

/* layout:sweep(): what dead processes left behind goes */
int oras_lua_layout_sweep(lua_State *L)
{
    oras_layout_sweep(oras_lua_check_layout(L, 1));
    return 0;
}
