/* SPDX-License-Identifier: MIT
 * oras.core.sandbox: a child process for code that nobody trusts, asked and answered one message at
 * a time. What it may have done is decided in lua/oras/sandbox.lua. */
#include "bind/box.h"
#include "bind/lua_error.h"
#include "bind/sandbox_program.h"
#include "bind/tables.h"
#include "bind/wait.h"
#include "io/sandbox.h"

#define SANDBOX "oras.sandbox"
#define TICK_MS 50

typedef struct sandbox_box {
    oras_context *context; /* NULL: closed */
    oras_sandbox *sandbox;
    oras_fd_watch watch; /* fd -1: nothing is watched */
    oras_timer timer;
    oras_signal signal; /* answered, or failed */
    oras_sandbox_message answer;
    oras_error failure;
    int64_t wall_due_ms, cpu_due_ms; /* of the call */
    bool asking;
} sandbox_box;

static void stop_watching(sandbox_box *box)
{
    if (box->watch.fd < 0)
        return;
    oras_loop_unwatch(box->context->loop, &box->watch);
    oras_loop_timer_stop(box->context->loop, &box->timer);
    box->watch.fd = -1;
}

static int sandbox_close(lua_State *L)
{
    sandbox_box *box = lua_touserdata(L, 1);

    if (!box->context)
        return 0;
    if (box->context->loop)
        stop_watching(box);
    oras_sandbox_free(box->sandbox);
    box->sandbox = NULL;
    box->context = NULL;
    return 0;
}

static void finish(sandbox_box *box)
{
    stop_watching(box);
    oras_signal_set(box->context, &box->signal);
}

static void on_ready(void *ud)
{
    sandbox_box *box = ud;
    bool answered;
    oras_code code = oras_sandbox_step(box->sandbox, &answered, &box->answer, &box->failure);

    if (code || answered)
        finish(box);
}

static bool is_late(sandbox_box *box)
{
    if (oras_loop_now() >= box->wall_due_ms)
        oras_fail(&box->failure, ORAS_C_SANDBOX, "the provider was ended: it took too long");
    else if (oras_sandbox_cpu_ms(box->sandbox) >= box->cpu_due_ms)
        oras_fail(&box->failure, ORAS_C_SANDBOX,
                  "the provider was ended: it used too much processor time");
    return box->failure.code != ORAS_OK;
}

static void on_tick(void *ud)
{
    sandbox_box *box = ud;

    if (is_late(box))
        finish(box);
    else
        oras_loop_timer_start(box->context->loop, &box->timer, TICK_MS);
}

static sandbox_box *check_box(lua_State *L)
{
    sandbox_box *box = luaL_checkudata(L, 1, SANDBOX);

    if (!box->context)
        oras_lua_misuse(L, "the sandbox is closed");
    return box;
}

/* sandbox:begin(wall, cpu): a call begins, which may take so many seconds of time and of the
 * processor */
static int sandbox_begin(lua_State *L)
{
    sandbox_box *box = check_box(L);
    lua_Number wall = luaL_checknumber(L, 2), cpu = luaL_checknumber(L, 3);

    if (!box->sandbox)
        return oras_lua_fail(L, &box->failure);
    if (!(wall > 0 && wall <= 1e6 && cpu > 0 && cpu <= 1e6))
        oras_lua_misuse(L, "a call of %g seconds is expected to take more than none", (double)wall);
    box->wall_due_ms = oras_loop_now() + (int64_t)(wall * 1000);
    box->cpu_due_ms = oras_sandbox_cpu_ms(box->sandbox) + (int64_t)(cpu * 1000);
    oras_sandbox_limit_cpu(box->sandbox, box->cpu_due_ms);
    lua_pushboolean(L, 1);
    return 1;
}

/* A child that failed is not asked again: nothing is known of what it does. */
static int give(lua_State *L, int status, lua_KContext ctx)
{
    sandbox_box *box = (sandbox_box *)ctx;

    (void)status;
    box->asking = false;
    if (box->failure.code) {
        oras_sandbox_free(box->sandbox);
        box->sandbox = NULL;
        return oras_lua_fail(L, &box->failure);
    }
    lua_pushlstring(L, box->answer.json, box->answer.json_size);
    lua_pushlstring(L, box->answer.bytes, box->answer.bytes_size);
    return 2;
}

static oras_code ask(sandbox_box *box, const oras_sandbox_message *message)
{
    bool answered;
    oras_code code;

    box->signal = (oras_signal){0};
    if (is_late(box))
        return box->failure.code;
    code = oras_sandbox_send(box->sandbox, message, &box->failure);
    if (!code)
        code = oras_sandbox_step(box->sandbox, &answered, &box->answer, &box->failure);
    if (code)
        return code;
    box->watch.fd = oras_sandbox_fd(box->sandbox);
    code = oras_loop_watch(box->context->loop, &box->watch, &box->failure);
    if (code)
        box->watch.fd = -1;
    else
        oras_loop_timer_start(box->context->loop, &box->timer, TICK_MS);
    if (!code && answered)
        finish(box);
    return code;
}

/* sandbox:ask(json, bytes) -> json, bytes: waits */
static int sandbox_ask(lua_State *L)
{
    sandbox_box *box = check_box(L);
    oras_sandbox_message message;

    message.json = luaL_checklstring(L, 2, &message.json_size);
    message.bytes = luaL_optlstring(L, 3, "", &message.bytes_size);
    lua_settop(L, 3);
    if (!box->sandbox)
        return oras_lua_fail(L, &box->failure);
    if (box->asking)
        oras_lua_misuse(L, "the sandbox is busy with another call");
    box->asking = true;
    if (ask(box, &message) != ORAS_OK)
        return give(L, LUA_OK, (lua_KContext)box);
    return oras_lua_wait(L, &box->signal, (lua_KContext)box, give);
}

/* start() -> sandbox */
static int sandbox_start(lua_State *L)
{
    oras_context *context = oras_context_get(L);
    sandbox_box *box = oras_box_new(L, SANDBOX, sizeof *box, 0);
    oras_error err = ORAS_ERROR_INIT;

    box->watch = (oras_fd_watch){.fn = on_ready, .ud = box, .fd = -1};
    box->timer = (oras_timer){.fn = on_tick, .ud = box};
    box->context = context;
    if (oras_sandbox_start(oras_sandbox_program,
                           (size_t)(oras_sandbox_program_end - oras_sandbox_program), &box->sandbox,
                           &err))
        return oras_lua_fail(L, &err);
    return 1;
}

void oras_lua_open_sandbox(lua_State *L)
{
    static const luaL_Reg functions[] = {{"start", sandbox_start}, {NULL, NULL}};
    static const luaL_Reg methods[] = {
        {"ask", sandbox_ask}, {"begin", sandbox_begin}, {"close", sandbox_close}, {NULL, NULL}};

    oras_box_type(L, SANDBOX, methods, sandbox_close);
    luaL_newlib(L, functions);
}
