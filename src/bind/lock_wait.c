/* SPDX-License-Identifier: MIT */
#include "bind/lock_wait.h"

#include "bind/lua_error.h"

#define DEFAULT_SECONDS 60.0
#define MAX_SECONDS     1e6
#define FIRST_POLL_MS   1
#define LAST_POLL_MS    50

lua_Number oras_lock_wait_seconds(lua_State *L, int idx)
{
    lua_Number seconds = luaL_optnumber(L, idx, DEFAULT_SECONDS);

    if (!(seconds >= 0 && seconds <= MAX_SECONDS))
        oras_lua_misuse(L, "cannot wait for %g seconds", (double)seconds);
    return seconds;
}

static bool is_over(oras_lock_wait *wait)
{
    oras_error *err = &wait->failure;

    if (wait->try_it(wait, err) || err->code)
        return true;
    if (oras_loop_now() >= wait->until)
        oras_fail(err, ORAS_C_IO, "%s is locked by another process", wait->what);
    return err->code;
}

static void poll_later(oras_lock_wait *wait)
{
    oras_loop_timer_start(wait->context->loop, &wait->timer, wait->poll_ms);
    wait->poll_ms = 2 * wait->poll_ms < LAST_POLL_MS ? 2 * wait->poll_ms : LAST_POLL_MS;
}

static void on_due(void *ud)
{
    oras_lock_wait *wait = ud;

    if (is_over(wait))
        oras_signal_set(wait->context, &wait->signal);
    else
        poll_later(wait);
}

int oras_lock_wait_for(lua_State *L, oras_lock_wait *wait, lua_Number seconds, lua_KFunction k)
{
    wait->context = oras_context_get(L);
    wait->timer = (oras_timer){.fn = on_due, .ud = wait};
    wait->until = oras_loop_now() + (int64_t)(seconds * 1000);
    wait->poll_ms = FIRST_POLL_MS;
    if (is_over(wait))
        return k(L, LUA_OK, (lua_KContext)wait);
    poll_later(wait);
    return oras_lua_wait_for_tasks(L, &wait->signal, (lua_KContext)wait, k);
}

void oras_lock_wait_end(oras_lock_wait *wait)
{
    if (wait->context && wait->context->loop)
        oras_loop_timer_stop(wait->context->loop, &wait->timer);
    wait->context = NULL;
}
