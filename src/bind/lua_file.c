/* SPDX-License-Identifier: MIT
 * oras.core.file: small files whole, and tidying up. */
#include "bind/box.h"
#include "bind/file_lock.h"
#include "bind/lua_error.h"
#include "bind/root.h"
#include "bind/tables.h"
#include "io/file.h"
#include "io/partial.h"

#define DEFAULT_LIMIT ((lua_Integer)4 * 1024 * 1024)

/* read(path, limit?) -> bytes of a regular file */
static int read_file(lua_State *L)
{
    const char *path = oras_lua_check_text(L, 1, "path");
    lua_Integer limit = luaL_optinteger(L, 2, DEFAULT_LIMIT);
    oras_buf *buf = oras_box_buffer(L, limit > 0 ? (size_t)limit : 0);
    oras_error err = ORAS_ERROR_INIT;

    if (oras_file_read(path, (size_t)limit, buf, &err))
        return oras_lua_fail(L, &err);
    lua_pushlstring(L, oras_buf_text(buf), buf->size);
    return 1;
}

/* sweep(dir): remove temporaries there that nobody will take up again */
static int sweep(lua_State *L)
{
    oras_partial_sweep(oras_lua_check_text(L, 1, "directory"));
    return 0;
}

void oras_lua_open_file(lua_State *L)
{
    static const luaL_Reg functions[] = {{"lock", oras_lua_file_lock},
                                         {"read", read_file},
                                         {"root", oras_lua_root},
                                         {"sweep", sweep},
                                         {NULL, NULL}};

    oras_lua_open_file_lock(L);
    oras_lua_open_root(L);

    luaL_newlib(L, functions);
}
