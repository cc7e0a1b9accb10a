/* SPDX-License-Identifier: MIT
 * oras.core.path: names from a manifest, and names for one. */
#define _GNU_SOURCE
#include "bind/box.h"
#include "bind/lua_error.h"
#include "bind/tables.h"
#include "oci/title.h"

#include <errno.h>
#include <limits.h>
#include <unistd.h>

#define PATH_LIMIT ((size_t)64 * 1024)

/* title(text, any_system?) -> the plain relative path that a title means; class path */
static int title(lua_State *L)
{
    size_t size;
    const char *text = luaL_checklstring(L, 1, &size);
    bool any_system = lua_toboolean(L, 2);
    oras_buf *buf = oras_box_buffer(L, ORAS_TITLE_MAX);
    oras_error err = ORAS_ERROR_INIT;

    if (oras_title_clean(text, size, any_system, buf, &err))
        return oras_lua_fail(L, &err);
    lua_pushlstring(L, oras_buf_text(buf), buf->size);
    return 1;
}

/* relative(path, directory?) -> path relative to the directory (the working directory), nil
 * when it is outside */
static int relative(lua_State *L)
{
    const char *path = oras_lua_check_text(L, 1, "path");
    const char *directory = lua_isnoneornil(L, 2) ? "." : oras_lua_check_text(L, 2, "directory");
    oras_buf *buf = oras_box_buffer(L, PATH_LIMIT);
    oras_error err = ORAS_ERROR_INIT;
    char cwd[PATH_MAX];

    if (!getcwd(cwd, sizeof cwd)) {
        oras_fail_errno(&err, errno, "the working directory");
        return oras_lua_fail(L, &err);
    }
    if (!oras_path_relative(cwd, path, directory, buf)) {
        if (oras_buf_check(buf, "path", &err))
            return oras_lua_fail(L, &err);
        lua_pushnil(L);
        return 1;
    }
    lua_pushlstring(L, oras_buf_text(buf), buf->size);
    return 1;
}

void oras_lua_open_path(lua_State *L)
{
    static const luaL_Reg functions[] = {{"relative", relative}, {"title", title}, {NULL, NULL}};

    luaL_newlib(L, functions);
}
