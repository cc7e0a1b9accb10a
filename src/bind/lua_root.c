/* SPDX-License-Identifier: MIT
 * oras.core.file.root: a directory that is held open, and what lies below it. */
#include "bind/root.h"

#include "bind/box.h"
#include "bind/digest_file.h"
#include "bind/lua_error.h"
#include "io/partial.h"
#include "io/root.h"

#include <string.h>
#include <unistd.h>

#define ROOT      "oras.root"
#define NAMES_MAX ((size_t)16 << 20) /* of one directory */

typedef struct root_box {
    int fd;
    bool is_open;
} root_box;

static int root_close(lua_State *L)
{
    root_box *box = luaL_checkudata(L, 1, ROOT);

    if (box->is_open)
        close(box->fd);
    box->is_open = false;
    return 0;
}

static root_box *check_open(lua_State *L, int idx)
{
    root_box *box = luaL_testudata(L, idx, ROOT);

    if (!box)
        oras_lua_misuse(L, "root is a %s, expected one of file.root", luaL_typename(L, idx));
    if (!box->is_open)
        oras_lua_misuse(L, "the root is closed");
    return box;
}

const int *oras_lua_opt_root(lua_State *L, int idx)
{
    const root_box *box = NULL;

    if (lua_istable(L, idx)) {
        lua_getfield(L, idx, "root");
        box = lua_isnil(L, -1) ? NULL : check_open(L, -1);
        lua_pop(L, 1);
    }
    return box ? &box->fd : NULL;
}

int oras_lua_root(lua_State *L)
{
    const char *path = oras_lua_check_text(L, 1, "path");
    int create = oras_opt_boolean(L, 2, "create", 0);
    root_box *box = oras_box_new(L, ROOT, sizeof *box, 0);
    oras_error err = ORAS_ERROR_INIT;

    if ((create ? oras_root_make : oras_root_open)(path, &box->fd, &err))
        return oras_lua_fail(L, &err);
    box->is_open = true;
    return 1;
}

static void push_look(lua_State *L, const oras_look *look)
{
    static const char *const kinds[] = {
        [ORAS_LOOK_FILE] = "file",
        [ORAS_LOOK_DIRECTORY] = "directory",
        [ORAS_LOOK_SYMLINK] = "symlink",
        [ORAS_LOOK_OTHER] = "other",
    };

    lua_createtable(L, 0, 3);
    lua_pushstring(L, kinds[look->kind]);
    lua_setfield(L, -2, "type");
    lua_pushinteger(L, look->size);
    lua_setfield(L, -2, "size");
    lua_pushinteger(L, (lua_Integer)look->mode);
    lua_setfield(L, -2, "mode");
}

/* root:look(path) -> {type, size, mode}, nil where nothing is */
static int root_look(lua_State *L)
{
    const root_box *box = check_open(L, 1);
    oras_error err = ORAS_ERROR_INIT;
    oras_look look;

    if (oras_root_look(box->fd, oras_lua_check_text(L, 2, "path"), &look, &err))
        return oras_lua_fail(L, &err);
    if (look.kind == ORAS_LOOK_NOTHING)
        lua_pushnil(L);
    else
        push_look(L, &look);
    return 1;
}

/* root:digest(path, algorithm?) -> text; waits */
static int root_digest(lua_State *L)
{
    return oras_lua_digest_below(L, &check_open(L, 1)->fd);
}

/* root:sweep(path?): remove temporaries there that nobody will take up again */
static int root_sweep(lua_State *L)
{
    const root_box *box = check_open(L, 1);
    const char *path = lua_isnoneornil(L, 2) ? "." : oras_lua_check_text(L, 2, "path");
    oras_error err = ORAS_ERROR_INIT;
    int dir;

    if (oras_root_dir(box->fd, path, false, &dir, &err))
        return oras_lua_fail(L, &err);
    oras_partial_sweep_at(dir);
    close(dir);
    lua_pushboolean(L, 1);
    return 1;
}

/* root:list(path) -> array of the names in a directory, in no order */
static int root_list(lua_State *L)
{
    const root_box *box = check_open(L, 1);
    const char *path = oras_lua_check_text(L, 2, "path");
    oras_buf *names = oras_box_buffer(L, NAMES_MAX);
    oras_error err = ORAS_ERROR_INIT;
    lua_Integer n = 0;

    if (oras_root_list(box->fd, path, names, &err))
        return oras_lua_fail(L, &err);
    lua_newtable(L);
    for (size_t at = 0; at < names->size; at += strlen(names->data + at) + 1) {
        lua_pushstring(L, names->data + at);
        lua_rawseti(L, -2, ++n);
    }
    return 1;
}

/* root:link(path) -> where a symbolic link leads */
static int root_link(lua_State *L)
{
    const root_box *box = check_open(L, 1);
    const char *path = oras_lua_check_text(L, 2, "path");
    oras_buf *target = oras_box_buffer(L, NAMES_MAX);
    oras_error err = ORAS_ERROR_INIT;

    if (oras_root_link(box->fd, path, target, &err))
        return oras_lua_fail(L, &err);
    lua_pushlstring(L, oras_buf_text(target), target->size);
    return 1;
}

void oras_lua_open_root(lua_State *L)
{
    static const luaL_Reg methods[] = {
        {"look", root_look},   {"digest", root_digest}, {"list", root_list}, {"link", root_link},
        {"sweep", root_sweep}, {"close", root_close},   {NULL, NULL}};

    oras_box_type(L, ROOT, methods, root_close);
}
