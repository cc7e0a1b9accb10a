/* SPDX-License-Identifier: MIT
 * oras.core.archive.pack: a tree as a source. */
#include "bind/box.h"
#include "bind/context.h"
#include "bind/lua_error.h"
#include "bind/pack.h"
#include "bind/source.h"
#include "io/pack.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static oras_compression check_compression(lua_State *L)
{
    static const char *const names[] = {[ORAS_COMPRESSION_NONE] = "none",
                                        [ORAS_COMPRESSION_GZIP] = "gzip",
                                        [ORAS_COMPRESSION_ZSTD] = "zstd"};
    const char *name = oras_opt_string(L, 1, "compression", "gzip");

    for (int i = 0; i < (int)(sizeof names / sizeof names[0]); i++) {
        if (strcmp(names[i], name) == 0)
            return (oras_compression)i;
    }
    oras_lua_misuse(L, "compression '%.40s', expected gzip, zstd or none", name);
    return ORAS_COMPRESSION_NONE;
}

static lua_Integer check_integer(lua_State *L, const char *field, lua_Integer fallback,
                                 lua_Integer least, lua_Integer most)
{
    lua_Integer value = oras_opt_integer(L, 1, field, fallback);

    if (value < least || value > most)
        oras_lua_misuse(L, "option '%s' is out of range", field);
    return value;
}

/* https://reproducible-builds.org/specs/source-date-epoch: decimal digits and nothing else; what
 * is malformed must not be passed over. */
static oras_code default_mtime(int64_t *mtime, oras_error *err)
{
    const char *text = getenv("SOURCE_DATE_EPOCH");
    char *end;

    *mtime = 0;
    if (!text || !*text)
        return ORAS_OK;
    errno = 0;
    *mtime = strtoll(text, &end, 10);
    if (strspn(text, "0123456789") != strlen(text) || errno)
        return oras_fail(err, ORAS_C_USAGE,
                         "SOURCE_DATE_EPOCH is '%.40s', expected seconds since 1970", text);
    return ORAS_OK;
}

static oras_pack_options check_options(lua_State *L)
{
    return (oras_pack_options){
        .compression = check_compression(L),
        .level = (int)check_integer(L, "level", 0, 0, INT32_MAX),
        .prefix = oras_opt_string(L, 1, "prefix", NULL),
        .mtime = check_integer(L, "mtime", 0, -1, INT64_MAX),
        .max_entries = check_integer(L, "max_entries", 0, 0, INT64_MAX),
    };
}

static int fail_place(lua_State *L, const char *path, const char *target)
{
    oras_error err = ORAS_ERROR_INIT;

    oras_fail(&err, ORAS_C_PATH, "archive '%.100s' would lie in '%.100s', which it is made of",
              target, path);
    return oras_lua_fail(L, &err);
}

int oras_lua_archive_pack(lua_State *L)
{
    oras_error err = ORAS_ERROR_INIT;
    oras_pack_options options;
    oras_source **place;
    const char *path, *target;

    luaL_checktype(L, 1, LUA_TTABLE);
    lua_settop(L, 1);
    path = oras_opt_string(L, 1, "path", NULL);
    if (!path)
        oras_lua_misuse(L, "archive to pack has no path");
    options = check_options(L);
    target = oras_opt_string(L, 1, "target", NULL);
    if (target && oras_pack_would_hold(path, target))
        return fail_place(L, path, target);
    if (lua_getfield(L, 1, "mtime") == LUA_TNIL && default_mtime(&options.mtime, &err))
        return oras_lua_fail(L, &err);
    lua_pushnil(L);
    place = oras_lua_new_source(L);
    if (oras_pack_new(oras_context_get(L)->pool, path, &options, place, &err))
        return oras_lua_fail(L, &err);
    return 1;
}

int oras_lua_source_content(lua_State *L)
{
    oras_digest digest;
    int64_t size;

    if (!oras_pack_content(oras_lua_check_source(L, 1), &digest, &size)) {
        lua_pushnil(L);
        return 1;
    }
    lua_pushstring(L, digest.text);
    lua_pushinteger(L, size);
    return 2;
}
