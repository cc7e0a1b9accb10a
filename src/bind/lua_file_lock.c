/* SPDX-License-Identifier: MIT
 * file.lock: a small file that processes change one at a time. */
#include "bind/file_lock.h"

#include "bind/box.h"
#include "bind/lock_wait.h"
#include "bind/lock_write.h"
#include "bind/lua_error.h"
#include "io/locked_file.h"

#define LOCK          "oras.file_lock"
#define DEFAULT_LIMIT ((lua_Integer)4 * 1024 * 1024)

enum { LOCK_PATH = 1 }; /* user value */

typedef struct lock_box {
    oras_lock_wait wait;    /* first */
    const char *path;       /* kept alive by the user value */
    oras_locked_file *file; /* NULL: not held */
    int n_writes;           /* that run */
    bool kept;              /* handed out: leaving the function does not end it */
} lock_box;

static int lock_close(lua_State *L)
{
    lock_box *box = lua_touserdata(L, 1);

    if (box->kept) {
        box->kept = false;
        return 0;
    }
    if (box->n_writes > 0)
        oras_lua_misuse(L, "the lock is in use");
    oras_lock_wait_end(&box->wait);
    oras_locked_file_free(box->file);
    box->file = NULL;
    return 0;
}

static bool try_lock(oras_lock_wait *wait, oras_error *err)
{
    lock_box *box = (lock_box *)wait;

    oras_locked_file_try(box->path, &box->file, err);
    return box->file;
}

static int give_lock(lua_State *L, int status, lua_KContext ctx)
{
    lock_box *box = (lock_box *)ctx;

    (void)status;
    lua_settop(L, 3);
    if (box->wait.failure.code)
        return oras_lua_fail(L, &box->wait.failure);
    box->kept = true;
    return 1;
}

int oras_lua_file_lock(lua_State *L)
{
    const char *path = oras_lua_check_text(L, 1, "path");
    lua_Number seconds = oras_lock_wait_seconds(L, 2);
    lock_box *box;

    lua_settop(L, 2);
    box = oras_box_new(L, LOCK, sizeof *box, 1);
    box->wait.try_it = try_lock;
    box->wait.what = lua_pushfstring(L, "'%s'", path);
    box->path = path;
    lua_createtable(L, 2, 0);
    lua_insert(L, -2);
    lua_rawseti(L, -2, 1);
    lua_pushvalue(L, 1);
    lua_rawseti(L, -2, 2);
    lua_setiuservalue(L, 3, LOCK_PATH);
    lua_toclose(L, 3);
    return oras_lock_wait_for(L, &box->wait, seconds, give_lock);
}

static lock_box *check_lock(lua_State *L)
{
    lock_box *box = luaL_checkudata(L, 1, LOCK);

    if (!box->file)
        oras_lua_misuse(L, "the file is not locked any more");
    return box;
}

/* lock:read(limit?) -> bytes, or nil where there is no file */
static int lock_read(lua_State *L)
{
    const lock_box *box = check_lock(L);
    lua_Integer limit = luaL_optinteger(L, 2, DEFAULT_LIMIT);
    oras_buf *bytes = oras_box_buffer(L, limit > 0 ? (size_t)limit : 0);
    oras_error err = ORAS_ERROR_INIT;
    bool is_there;

    if (oras_locked_file_read(box->file, bytes, &is_there, &err))
        return oras_lua_fail(L, &err);
    if (is_there)
        lua_pushlstring(L, oras_buf_text(bytes), bytes->size);
    else
        lua_pushnil(L);
    return 1;
}

static oras_code write_file(void *object, const void *bytes, size_t size, mode_t umask,
                            oras_error *err)
{
    (void)umask; /* it is its owner's alone */
    return oras_locked_file_write(object, bytes, size, err);
}

/* lock:write(bytes) -> true */
static int lock_write(lua_State *L)
{
    lock_box *lock = check_lock(L);

    return oras_lua_lock_write(L, &(oras_lock_target){lock->file, write_file, &lock->n_writes});
}

void oras_lua_open_file_lock(lua_State *L)
{
    static const luaL_Reg methods[] = {
        {"read", lock_read}, {"unlock", lock_close}, {"write", lock_write}, {NULL, NULL}};

    oras_box_type(L, LOCK, methods, lock_close);
    oras_lua_open_lock_write(L);
}
