/* SPDX-License-Identifier: MIT
 * oras.core.clock: monotonic, time, sleep. */
#include "bind/box.h"
#include "bind/lua_error.h"
#include "bind/tables.h"
#include "bind/wait.h"

#include <time.h>

#define SLEEP       "oras.sleep"
#define MAX_SECONDS 1e9

typedef struct sleep_box {
    oras_context *context;
    oras_timer timer;
    oras_signal signal;
} sleep_box;

static int push_clock(lua_State *L, clockid_t id)
{
    struct timespec now;

    clock_gettime(id, &now);
    lua_pushnumber(L, (lua_Number)now.tv_sec + (lua_Number)now.tv_nsec / 1e9);
    return 1;
}

/* monotonic() -> seconds of a clock that never jumps */
static int monotonic(lua_State *L)
{
    return push_clock(L, CLOCK_MONOTONIC);
}

/* time() -> seconds since 1970 */
static int wall(lua_State *L)
{
    return push_clock(L, CLOCK_REALTIME);
}

static void on_due(void *ud)
{
    sleep_box *box = ud;

    oras_signal_set(box->context, &box->signal);
}

static int sleep_close(lua_State *L)
{
    sleep_box *box = lua_touserdata(L, 1);

    if (box->context && box->context->loop)
        oras_loop_timer_stop(box->context->loop, &box->timer);
    box->context = NULL;
    return 0;
}

static int slept(lua_State *L, int status, lua_KContext ctx)
{
    (void)L;
    (void)status;
    (void)ctx;
    return 0;
}

/* sleep(seconds) */
static int sleep_for(lua_State *L)
{
    lua_Number seconds = luaL_checknumber(L, 1);
    sleep_box *box;

    if (!(seconds >= 0 && seconds <= MAX_SECONDS))
        oras_lua_misuse(L, "cannot sleep for %g seconds", (double)seconds);
    lua_settop(L, 1);
    box = oras_box_new(L, SLEEP, sizeof *box, 0);
    box->context = oras_context_get(L);
    box->timer = (oras_timer){.fn = on_due, .ud = box};
    lua_toclose(L, 2);
    oras_loop_timer_start(box->context->loop, &box->timer, (int64_t)(seconds * 1000 + 0.5));
    return oras_lua_wait(L, &box->signal, 0, slept);
}

void oras_lua_open_clock(lua_State *L)
{
    static const luaL_Reg functions[] = {
        {"monotonic", monotonic}, {"time", wall}, {"sleep", sleep_for}, {NULL, NULL}};

    oras_box_type(L, SLEEP, NULL, sleep_close);
    luaL_newlib(L, functions);
}
