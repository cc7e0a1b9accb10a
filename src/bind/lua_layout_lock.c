/* SPDX-License-Identifier: MIT
 * layout:lock: the right to change the index. */
#include "bind/box.h"
#include "bind/layout.h"
#include "bind/lock_wait.h"
#include "bind/lock_write.h"
#include "bind/lua_error.h"

#include <unistd.h>

#define LOCK "oras.layout_lock"

enum { LOCK_LAYOUT = 1 }; /* user value */

typedef struct lock_box {
    oras_lock_wait wait;     /* first */
    oras_layout_box *layout; /* kept alive by the user value */
    int fd;                  /* the lock; -1: not held */
    bool kept;               /* handed out: leaving the function does not end it */
} lock_box;

static int lock_close(lua_State *L)
{
    lock_box *box = lua_touserdata(L, 1);

    if (box->kept) {
        box->kept = false;
        return 0;
    }
    if (!box->wait.context)
        return 0;
    oras_lock_wait_end(&box->wait);
    if (box->fd >= 0)
        close(box->fd);
    box->fd = -1;
    return 0;
}

static bool try_lock(oras_lock_wait *wait, oras_error *err)
{
    lock_box *box = (lock_box *)wait;

    if (!box->layout->layout)
        oras_fail(err, ORAS_C_CANCELLED, "the layout was closed");
    else
        oras_layout_try_lock(box->layout->layout, &box->fd, err);
    return box->fd >= 0;
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

/* layout:lock(seconds?) -> lock */
int oras_lua_layout_lock(lua_State *L)
{
    lua_Number seconds = oras_lock_wait_seconds(L, 2);
    lock_box *box;

    oras_lua_check_layout(L, 1);
    lua_settop(L, 2);
    box = oras_box_new(L, LOCK, sizeof *box, 1);
    box->fd = -1;
    box->wait.try_it = try_lock;
    box->wait.what = "the layout";
    box->layout = lua_touserdata(L, 1);
    lua_pushvalue(L, 1);
    lua_setiuservalue(L, 3, LOCK_LAYOUT);
    lua_toclose(L, 3);
    return oras_lock_wait_for(L, &box->wait, seconds, give_lock);
}

/* The layout of the lock at 1, which is held. */
static oras_layout_box *check_lock(lua_State *L)
{
    const lock_box *box = luaL_checkudata(L, 1, LOCK);

    if (box->fd < 0)
        oras_lua_misuse(L, "the layout is not locked any more");
    if (!box->layout->layout)
        oras_lua_misuse(L, "the layout is closed");
    return box->layout;
}

/* lock:remove(digest) -> true */
static int lock_remove(lua_State *L)
{
    oras_layout *layout = check_lock(L)->layout;
    oras_error err = ORAS_ERROR_INIT;
    oras_digest digest;

    if (oras_lua_check_digest(L, 2, &digest, &err) || oras_layout_remove(layout, &digest, &err))
        return oras_lua_fail_blob(L, &err);
    lua_pushboolean(L, 1);
    return 1;
}

static oras_code write_index(void *object, const void *bytes, size_t size, mode_t umask,
                             oras_error *err)
{
    return oras_layout_write_index(object, bytes, size, umask, err);
}

/* lock:write_index(bytes) -> true */
static int lock_write_index(lua_State *L)
{
    oras_layout_box *box = check_lock(L);

    return oras_lua_lock_write(L, &(oras_lock_target){box->layout, write_index, &box->n_busy});
}

void oras_lua_layout_open_lock(lua_State *L)
{
    static const luaL_Reg methods[] = {{"remove", lock_remove},
                                       {"unlock", lock_close},
                                       {"write_index", lock_write_index},
                                       {NULL, NULL}};

    oras_box_type(L, LOCK, methods, lock_close);
    oras_lua_open_lock_write(L);
}
