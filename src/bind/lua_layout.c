/* SPDX-License-Identifier: MIT
 * oras.core.layout: an OCI image layout on disk, read as a registry is. */
#include "bind/box.h"
#include "bind/lua_error.h"
#include "bind/tables.h"
#include "io/layout.h"

#include <unistd.h>

#define LAYOUT "oras.layout"

typedef struct layout_box {
    oras_layout *layout; /* NULL once closed */
} layout_box;

static int layout_close(lua_State *L)
{
    layout_box *box = luaL_checkudata(L, 1, LAYOUT);

    oras_layout_free(box->layout);
    box->layout = NULL;
    return 0;
}

static oras_layout *check_layout(lua_State *L)
{
    layout_box *box = luaL_checkudata(L, 1, LAYOUT);

    if (!box->layout)
        oras_lua_misuse(L, "the layout is closed");
    return box->layout;
}

static int layout_open(lua_State *L)
{
    const char *path = oras_lua_check_text(L, 1, "path");
    layout_box *box = oras_box_new(L, LAYOUT, sizeof *box, 0);
    oras_error err = ORAS_ERROR_INIT;

    if (oras_layout_open(path, &box->layout, &err))
        return oras_lua_fail(L, &err);
    return 1;
}

static int layout_index(lua_State *L)
{
    oras_layout *layout = check_layout(L);
    lua_Integer limit = luaL_checkinteger(L, 2);
    oras_error err = ORAS_ERROR_INIT;
    oras_buf *buf;

    if (limit <= 0)
        oras_lua_misuse(L, "limit is not above 0");
    buf = oras_box_buffer(L, (size_t)limit);
    if (oras_layout_index(layout, buf, &err))
        return oras_lua_fail(L, &err);
    lua_pushlstring(L, oras_buf_text(buf), buf->size);
    return 1;
}

/* Open the blob whose digest is at 2. */
static oras_code open_blob(lua_State *L, int *fd, int64_t *size, oras_error *err)
{
    oras_layout *layout = check_layout(L);
    size_t n;
    const char *text = luaL_checklstring(L, 2, &n);
    oras_digest digest;
    oras_code code = oras_digest_parse(text, n, &digest, err);

    return code ? code : oras_layout_blob(layout, &digest, fd, size, err);
}

static int layout_size(lua_State *L)
{
    oras_error err = ORAS_ERROR_INIT;
    int64_t size;
    int fd;

    if (open_blob(L, &fd, &size, &err))
        return oras_lua_fail(L, &err);
    close(fd);
    lua_pushinteger(L, size);
    return 1;
}

void oras_lua_open_layout(lua_State *L)
{
    static const luaL_Reg functions[] = {{"open", layout_open}, {NULL, NULL}};
    static const luaL_Reg methods[] = {
        {"index", layout_index}, {"size", layout_size}, {"close", layout_close}, {NULL, NULL}};

    oras_box_type(L, LAYOUT, methods, layout_close);
    luaL_newlib(L, functions);
}
