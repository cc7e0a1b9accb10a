/* SPDX-License-Identifier: MIT
 * layout:lock: the right to change the index. Waiting for it polls, as flock(2) has nothing to
 * wait for beside a loop; what is done under it runs on a worker, as a disk takes its time. */
#include "bind/box.h"
#include "bind/layout.h"
#include "bind/layout_work.h"
#include "bind/lua_error.h"

#include <unistd.h>

#define LOCK            "oras.layout_lock"
#define WRITE           "oras.layout_write"
#define DEFAULT_SECONDS 60.0
#define MAX_SECONDS     1e6
#define FIRST_POLL_MS   1
#define LAST_POLL_MS    50

enum { LOCK_LAYOUT = 1 }; /* user value */

typedef struct lock_box {
    oras_context *context;
    oras_layout_box *layout; /* kept alive by the user value */
    int fd;                  /* the lock; -1: not held */
    oras_timer timer;
    int64_t until, poll_ms;
    oras_signal signal; /* got, or failed */
    oras_error failure;
    bool kept; /* handed out: leaving the function does not end it */
} lock_box;

static int lock_close(lua_State *L)
{
    lock_box *box = lua_touserdata(L, 1);

    if (box->kept) {
        box->kept = false;
        return 0;
    }
    if (!box->context)
        return 0;
    oras_loop_timer_stop(box->context->loop, &box->timer);
    box->context = NULL;
    if (box->fd >= 0)
        close(box->fd);
    box->fd = -1;
    return 0;
}

/* One try; false: not yet. */
static bool try_lock(lock_box *box)
{
    oras_error *err = &box->failure;

    if (!box->layout->layout)
        oras_fail(err, ORAS_C_CANCELLED, "the layout was closed");
    else if (!oras_layout_try_lock(box->layout->layout, &box->fd, err) && box->fd < 0 &&
             oras_loop_now() >= box->until)
        oras_fail(err, ORAS_C_IO, "the layout is locked by another process");
    return box->fd >= 0 || err->code;
}

static void poll_later(lock_box *box)
{
    oras_loop_timer_start(box->context->loop, &box->timer, box->poll_ms);
    box->poll_ms = 2 * box->poll_ms < LAST_POLL_MS ? 2 * box->poll_ms : LAST_POLL_MS;
}

static void on_due(void *ud)
{
    lock_box *box = ud;

    if (try_lock(box))
        oras_signal_set(box->context, &box->signal);
    else
        poll_later(box);
}

static int give_lock(lua_State *L, int status, lua_KContext ctx)
{
    lock_box *box = (lock_box *)ctx;

    (void)status;
    lua_settop(L, 3);
    if (box->failure.code)
        return oras_lua_fail(L, &box->failure);
    box->kept = true;
    return 1;
}

/* layout:lock(seconds?) -> lock */
int oras_lua_layout_lock(lua_State *L)
{
    lua_Number seconds = luaL_optnumber(L, 2, DEFAULT_SECONDS);
    oras_context *context = oras_context_get(L);
    lock_box *box;

    oras_lua_check_layout(L, 1);
    if (!(seconds >= 0 && seconds <= MAX_SECONDS))
        oras_lua_misuse(L, "cannot wait for %g seconds", (double)seconds);
    lua_settop(L, 2);
    box = oras_box_new(L, LOCK, sizeof *box, 1);
    box->fd = -1;
    box->context = context;
    box->layout = lua_touserdata(L, 1);
    box->timer = (oras_timer){.fn = on_due, .ud = box};
    box->until = oras_loop_now() + (int64_t)(seconds * 1000);
    box->poll_ms = FIRST_POLL_MS;
    lua_pushvalue(L, 1);
    lua_setiuservalue(L, 3, LOCK_LAYOUT);
    lua_toclose(L, 3);
    if (try_lock(box))
        return give_lock(L, LUA_OK, (lua_KContext)box);
    poll_later(box);
    /* another task may hold it */
    return oras_lua_wait_for_tasks(L, &box->signal, (lua_KContext)box, give_lock);
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

/* --- the index ------------------------------------------------------------------------------ */

typedef struct write_box {
    oras_layout_work work;   /* first */
    oras_layout_box *layout; /* of the lock at 1; the bytes are at 2 */
    const char *bytes;
    size_t size;
    mode_t umask;
} write_box;

static oras_code write_run(oras_layout_work *work, oras_error *err)
{
    const write_box *box = (write_box *)work;

    return oras_layout_write_index(box->layout->layout, box->bytes, box->size, box->umask, err);
}

/* What was begun is brought to its end: it takes milliseconds, and the lock must outlast it. */
static int write_close(lua_State *L)
{
    write_box *box = lua_touserdata(L, 1);

    if (oras_layout_work_settle(&box->work))
        box->layout->n_busy--;
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

/* lock:write_index(bytes) -> true */
static int lock_write_index(lua_State *L)
{
    oras_layout_box *layout = check_lock(L);
    oras_context *context = oras_context_get(L);
    oras_error err = ORAS_ERROR_INIT;
    size_t size;
    const char *bytes = luaL_checklstring(L, 2, &size);
    write_box *box;

    lua_settop(L, 2);
    box = oras_box_new(L, WRITE, sizeof *box, 0);
    box->work.run = write_run;
    box->layout = layout;
    box->bytes = bytes;
    box->size = size;
    box->umask = oras_pool_umask(context->pool);
    lua_toclose(L, 3);
    if (oras_layout_work_start(&box->work, context, &err))
        return oras_lua_fail(L, &err);
    layout->n_busy++;
    return oras_lua_wait(L, &box->work.signal, (lua_KContext)box, written);
}

void oras_lua_layout_open_lock(lua_State *L)
{
    static const luaL_Reg methods[] = {{"remove", lock_remove},
                                       {"unlock", lock_close},
                                       {"write_index", lock_write_index},
                                       {NULL, NULL}};

    oras_box_type(L, LOCK, methods, lock_close);
    oras_box_type(L, WRITE, NULL, write_close);
}
