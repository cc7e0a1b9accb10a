/* SPDX-License-Identifier: MIT */
#include "bind/lock_write.h"

#include "bind/box.h"
#include "bind/layout_work.h"
#include "bind/lua_error.h"

#define WRITE "oras.lock_write"

typedef struct write_box {
    oras_layout_work work;   /* first */
    oras_lock_target target; /* of the lock at 1; the bytes are at 2 */
    const char *bytes;
    size_t size;
    mode_t umask;
} write_box;

static oras_code write_run(oras_layout_work *work, oras_error *err)
{
    const write_box *box = (write_box *)work;

    return box->target.write(box->target.object, box->bytes, box->size, box->umask, err);
}

/* What was begun is brought to its end: it takes milliseconds, and the lock must outlast it. */
static int write_close(lua_State *L)
{
    write_box *box = lua_touserdata(L, 1);

    if (oras_layout_work_settle(&box->work))
        --*box->target.n_busy;
    return 0;
}

static int written(lua_State *L, int status, lua_KContext ctx)
{
    const write_box *box = (const write_box *)ctx;

    (void)status;
    if (box->work.failure.code)
        return oras_lua_fail(L, &box->work.failure);
    lua_pushboolean(L, 1);
    return 1;
}

int oras_lua_lock_write(lua_State *L, const oras_lock_target *target)
{
    oras_context *context = oras_context_get(L);
    oras_error err = ORAS_ERROR_INIT;
    size_t size;
    const char *bytes = luaL_checklstring(L, 2, &size);
    write_box *box;

    lua_settop(L, 2);
    box = oras_box_new(L, WRITE, sizeof *box, 0);
    box->work.run = write_run;
    box->target = *target;
    box->bytes = bytes;
    box->size = size;
    box->umask = oras_pool_umask(context->pool);
    lua_toclose(L, 3);
    if (oras_layout_work_start(&box->work, context, &err))
        return oras_lua_fail(L, &err);
    ++*target->n_busy;
    return oras_lua_wait(L, &box->work.signal, (lua_KContext)box, written);
}

void oras_lua_open_lock_write(lua_State *L)
{
    oras_box_type(L, WRITE, NULL, write_close);
}
