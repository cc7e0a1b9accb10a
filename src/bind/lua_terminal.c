/* SPDX-License-Identifier: MIT
 * oras.core.terminal: size, prompt. Waiting for an answer polls, so that requests of other tasks
 * go on and whoever ends the task, or interrupts, is heard. */
#include "io/terminal.h"

#include "bind/box.h"
#include "bind/lua_error.h"
#include "bind/tables.h"
#include "bind/wait.h"

#define PROMPT  "oras.prompt"
#define POLL_MS 20

typedef struct prompt_box {
    oras_context *context;
    oras_terminal *terminal;
    oras_timer timer;
    oras_signal signal;
    oras_terminal_step step;
    oras_error failure;
} prompt_box;

/* size(fd) -> columns, rows; nil: fd is no terminal */
static int size(lua_State *L)
{
    lua_Integer fd = luaL_checkinteger(L, 1);
    int columns, rows;

    if (fd < 0 || fd > 2)
        oras_lua_misuse(L, "the terminal is asked about at 0, 1 or 2");
    if (!oras_terminal_size((int)fd, &columns, &rows))
        return 0;
    lua_pushinteger(L, columns);
    lua_pushinteger(L, rows);
    return 2;
}

static void on_due(void *ud)
{
    prompt_box *box = ud;

    box->step = oras_terminal_poll(box->terminal, &box->failure);
    if (box->step == ORAS_TERMINAL_WAIT)
        oras_loop_timer_start(box->context->loop, &box->timer, POLL_MS);
    else
        oras_signal_set(box->context, &box->signal);
}

static int prompt_close(lua_State *L)
{
    prompt_box *box = lua_touserdata(L, 1);

    if (box->context && box->context->loop)
        oras_loop_timer_stop(box->context->loop, &box->timer);
    if (box->context && box->terminal)
        box->context->is_asking = false;
    oras_terminal_end(box->terminal);
    box->terminal = NULL;
    box->context = NULL;
    return 0;
}

/* ctx: the box, which is at 3 */
static int answered(lua_State *L, int status, lua_KContext ctx)
{
    const prompt_box *box = (const prompt_box *)ctx;
    const char *line;
    size_t length;

    (void)status;
    if (box->step == ORAS_TERMINAL_FAILED)
        return oras_lua_fail(L, &box->failure);
    line = oras_terminal_line(box->terminal, &length);
    lua_pushlstring(L, line, length);
    return 1;
}

/* prompt(text, {hidden}) -> line; one at a time, as the second would restore what the first hid */
static int prompt(lua_State *L)
{
    const char *text = oras_lua_check_text(L, 1, "prompt");
    bool hidden = lua_istable(L, 2) && oras_opt_boolean(L, 2, "hidden", 0);
    oras_context *context = oras_context_get(L);
    oras_error err = ORAS_ERROR_INIT;
    prompt_box *box;

    lua_settop(L, 2);
    box = oras_box_new(L, PROMPT, sizeof *box, 0);
    box->context = context;
    box->timer = (oras_timer){.fn = on_due, .ud = box};
    lua_toclose(L, 3);
    if (context->is_asking) {
        oras_fail(&err, ORAS_C_IO, "the terminal is asked something else already");
        return oras_lua_fail(L, &err);
    }
    if (oras_terminal_ask(text, hidden, &box->terminal, &err))
        return oras_lua_fail(L, &err);
    context->is_asking = true;
    on_due(box);
    return oras_lua_wait(L, &box->signal, (lua_KContext)box, answered);
}

void oras_lua_open_terminal(lua_State *L)
{
    static const luaL_Reg functions[] = {{"size", size}, {"prompt", prompt}, {NULL, NULL}};

    oras_box_type(L, PROMPT, NULL, prompt_close);
    luaL_newlib(L, functions);
}
