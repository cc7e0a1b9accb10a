/* SPDX-License-Identifier: MIT
 * oras.core.layout: an OCI image layout on disk, read as a registry is. */
#include "bind/box.h"
#include "bind/layout.h"
#include "bind/lua_error.h"
#include "bind/tables.h"

#include <unistd.h>

#define LAYOUT   "oras.layout"
#define LIST_MAX ((size_t)64 * 1024 * 1024)

static int layout_close(lua_State *L)
{
    oras_layout_box *box = luaL_checkudata(L, 1, LAYOUT);

    if (box->n_busy > 0)
        oras_lua_misuse(L, "the layout is in use");
    oras_layout_free(box->layout);
    box->layout = NULL;
    return 0;
}

oras_layout *oras_lua_check_layout(lua_State *L, int idx)
{
    oras_layout_box *box = luaL_checkudata(L, idx, LAYOUT);

    if (!box->layout)
        oras_lua_misuse(L, "the layout is closed");
    return box->layout;
}

oras_code oras_lua_check_digest(lua_State *L, int idx, oras_digest *out, oras_error *err)
{
    size_t size;
    const char *text = luaL_checklstring(L, idx, &size);

    return oras_digest_parse(text, size, out, err);
}

int oras_lua_fail_blob(lua_State *L, const oras_error *err)
{
    oras_lua_fail(L, err);
    lua_pushvalue(L, 2);
    lua_setfield(L, -2, "digest");
    return 2;
}

oras_layout_box *oras_lua_layout_push(lua_State *L, int idx)
{
    oras_layout_box *box = oras_box_new(L, LAYOUT, sizeof *box, 1);

    lua_pushvalue(L, idx);
    lua_setiuservalue(L, -2, ORAS_LAYOUT_PATH);
    return box;
}

static int layout_open(lua_State *L)
{
    const char *path = oras_lua_check_text(L, 1, "path");
    oras_layout_box *box = oras_lua_layout_push(L, 1);
    oras_error err = ORAS_ERROR_INIT;

    if (oras_layout_open(path, &box->layout, &err))
        return oras_lua_fail(L, &err);
    return 1;
}

static int layout_is_current(lua_State *L)
{
    lua_pushboolean(L, oras_layout_is_current(oras_lua_check_layout(L, 1)));
    return 1;
}

static int layout_is_tar(lua_State *L)
{
    lua_pushboolean(L, oras_layout_is_tar(oras_lua_check_layout(L, 1)));
    return 1;
}

static int layout_index(lua_State *L)
{
    oras_layout *layout = oras_lua_check_layout(L, 1);
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

/* layout:size(digest) */
static int layout_size(lua_State *L)
{
    oras_layout *layout = oras_lua_check_layout(L, 1);
    oras_error err = ORAS_ERROR_INIT;
    oras_digest digest;
    oras_extent extent;

    if (oras_lua_check_digest(L, 2, &digest, &err) ||
        oras_layout_blob(layout, &digest, &extent, &err))
        return oras_lua_fail_blob(L, &err);
    close(extent.fd);
    lua_pushinteger(L, extent.size);
    return 1;
}

/* layout:blobs() -> digests of all blobs, one a line */
static int layout_blobs(lua_State *L)
{
    oras_layout *layout = oras_lua_check_layout(L, 1);
    oras_buf *buf = oras_box_buffer(L, LIST_MAX);
    oras_error err = ORAS_ERROR_INIT;

    if (oras_layout_blobs(layout, buf, &err))
        return oras_lua_fail(L, &err);
    lua_pushlstring(L, oras_buf_text(buf), buf->size);
    return 1;
}

void oras_lua_open_layout(lua_State *L)
{
    static const luaL_Reg functions[] = {{"create", oras_lua_layout_create},
                                         {"open", layout_open},
                                         {"pack", oras_lua_layout_pack},
                                         {"stage", oras_lua_layout_stage},
                                         {NULL, NULL}};
    static const luaL_Reg methods[] = {{"age", oras_lua_layout_age},
                                       {"blobs", layout_blobs},
                                       {"close", layout_close},
                                       {"fetch", oras_lua_layout_fetch},
                                       {"index", layout_index},
                                       {"is_current", layout_is_current},
                                       {"is_tar", layout_is_tar},
                                       {"lock", oras_lua_layout_lock},
                                       {"put", oras_lua_layout_put},
                                       {"sink", oras_lua_layout_sink},
                                       {"size", layout_size},
                                       {"source", oras_lua_layout_source},
                                       {"sweep", oras_lua_layout_sweep},
                                       {"touch", oras_lua_layout_touch},
                                       {NULL, NULL}};

    oras_box_type(L, LAYOUT, methods, layout_close);
    oras_lua_layout_open_fetch(L);
    oras_lua_layout_open_lock(L);
    oras_lua_layout_open_pack(L);
    luaL_newlib(L, functions);
}
