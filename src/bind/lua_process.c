/* SPDX-License-Identifier: MIT
 * oras.core.process: another's program, run for its answer while tasks go on. */
#include "bind/box.h"
#include "bind/lua_error.h"
#include "bind/tables.h"
#include "bind/wait.h"
#include "io/process.h"

#include <string.h>

#define PROCESS         "oras.process"
#define DEFAULT_SECONDS 30.0
#define MAX_SECONDS     1e6
#define DEFAULT_LIMIT   ((lua_Integer)64 * 1024)
#define LIST_MAX        ((size_t)1024 * 1024)

enum { ARGUMENT = 1, STRINGS, BOX }; /* places on the stack */

typedef struct process_box {
    oras_context *context; /* NULL: closed */
    oras_process *process;
    oras_fd_watch watch; /* fd -1: nothing is watched */
    oras_timer timer;
    oras_signal signal; /* over, or failed */
    oras_error failure;
    lua_Number seconds;
    const char *file; /* kept alive by STRINGS: options may be changed meanwhile */
} process_box;

static void stop_watching(process_box *box)
{
    if (box->watch.fd < 0)
        return;
    oras_loop_unwatch(box->context->loop, &box->watch);
    oras_loop_timer_stop(box->context->loop, &box->timer);
    box->watch.fd = -1;
}

static int process_close(lua_State *L)
{
    process_box *box = lua_touserdata(L, 1);

    if (!box->context)
        return 0;
    if (box->context->loop)
        stop_watching(box);
    oras_process_free(box->process);
    box->process = NULL;
    box->context = NULL;
    return 0;
}

static void on_ready(void *ud)
{
    process_box *box = ud;
    bool ended;

    oras_process_step(box->process, &ended, &box->failure);
    if (!ended)
        return;
    stop_watching(box);
    oras_signal_set(box->context, &box->signal);
}

static void on_due(void *ud)
{
    process_box *box = ud;

    oras_fail(&box->failure, ORAS_C_HELPER, "'%.100s' did not end within %g seconds", box->file,
              (double)box->seconds);
    stop_watching(box);
    oras_signal_set(box->context, &box->signal);
}

static void set_bytes(lua_State *L, const char *field, const oras_buf *bytes)
{
    lua_pushlstring(L, oras_buf_text(bytes), bytes->size);
    lua_setfield(L, -2, field);
}

static int give(lua_State *L, int status, lua_KContext ctx)
{
    const process_box *box = (const process_box *)ctx;
    oras_process_end end;

    (void)status;
    if (box->failure.code)
        return oras_lua_fail(L, &box->failure);
    oras_process_result(box->process, &end);
    lua_createtable(L, 0, 3);
    lua_pushinteger(L, end.signal ? end.signal : end.status);
    lua_setfield(L, -2, end.signal ? "signal" : "status");
    set_bytes(L, "output", end.output);
    set_bytes(L, "stderr", end.errors);
    return 1;
}

/* --- options -------------------------------------------------------------------------------- */

static void add_pointer(oras_buf *list, const char *text)
{
    oras_buf_append(list, &text, sizeof text);
}

/* Append the string on top to the list; STRINGS keeps it alive. [-1, +0] */
static void keep(lua_State *L, oras_buf *list)
{
    add_pointer(list, lua_tostring(L, -1));
    lua_rawseti(L, STRINGS, (lua_Integer)lua_rawlen(L, STRINGS) + 1);
}

/* Push the table in that field, or nil. [-0, +1] */
static bool push_table(lua_State *L, const char *field)
{
    int type = lua_getfield(L, ARGUMENT, field);

    if (type != LUA_TNIL && type != LUA_TTABLE)
        oras_lua_misuse(L, "option '%s' is a %s, expected a table", field, luaL_typename(L, -1));
    return type == LUA_TTABLE;
}

static void read_args(lua_State *L, const char *file, oras_buf *list)
{
    add_pointer(list, file);
    if (push_table(L, "args")) {
        for (lua_Integer i = 1; lua_rawgeti(L, -1, i) != LUA_TNIL; i++) {
            oras_lua_check_text(L, -1, "argument");
            keep(L, list);
        }
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
    add_pointer(list, NULL);
}

/* A value on top, its name below: "NAME=value", or "NAME" for false. [-1, +0] */
static void read_variable(lua_State *L, oras_buf *list)
{
    const char *name;

    if (lua_type(L, -2) != LUA_TSTRING)
        oras_lua_misuse(L, "name of a variable is a %s, expected a string", luaL_typename(L, -2));
    name = oras_lua_check_text(L, -2, "name of a variable");
    if (*name == '\0' || strchr(name, '='))
        oras_lua_misuse(L, "'%s' is no name of a variable", name);
    if (lua_isboolean(L, -1) && !lua_toboolean(L, -1))
        lua_pushstring(L, name);
    else
        lua_pushfstring(L, "%s=%s", name, oras_lua_check_text(L, -1, name));
    keep(L, list);
    lua_pop(L, 1);
}

static void read_environment(lua_State *L, oras_buf *list)
{
    if (push_table(L, "environment")) {
        lua_pushnil(L);
        while (lua_next(L, -2))
            read_variable(L, list);
    }
    lua_pop(L, 1);
    add_pointer(list, NULL);
}

static void read_input(lua_State *L, oras_process_plan *plan)
{
    int type = lua_getfield(L, ARGUMENT, "input");

    if (type != LUA_TNIL && type != LUA_TSTRING)
        oras_lua_misuse(L, "option 'input' is a %s, expected a string", luaL_typename(L, -1));
    plan->input = lua_tolstring(L, -1, &plan->input_size);
    if (!plan->input)
        plan->input = "";
    lua_pop(L, 1); /* the options keep it */
}

static void read_plan(lua_State *L, oras_process_plan *plan, oras_buf *args, oras_buf *env)
{
    lua_Integer limit = oras_opt_integer(L, ARGUMENT, "limit", DEFAULT_LIMIT);
    oras_error err = ORAS_ERROR_INIT;

    if (limit < 0)
        oras_lua_misuse(L, "option 'limit' is negative");
    plan->limit = (size_t)limit;
    read_args(L, plan->file, args);
    read_environment(L, env);
    read_input(L, plan);
    if (oras_buf_check(args, "arguments", &err) || oras_buf_check(env, "environment", &err))
        oras_lua_raise(L, &err);
    plan->argv = (const char *const *)(const void *)args->data;
    plan->env = (const char *const *)(const void *)env->data;
}

/* --- run ------------------------------------------------------------------------------------ */

static oras_code begin(process_box *box, const oras_process_plan *plan, oras_error *err)
{
    oras_code code = oras_process_start(plan, &box->process, err);

    if (code)
        return code;
    box->watch.fd = oras_process_fd(box->process);
    code = oras_loop_watch(box->context->loop, &box->watch, err);
    if (code)
        box->watch.fd = -1;
    else
        oras_loop_timer_start(box->context->loop, &box->timer, (int64_t)(box->seconds * 1000));
    return code;
}

static process_box *new_box(lua_State *L, const char *file)
{
    oras_context *context = oras_context_get(L);
    process_box *box = oras_box_new(L, PROCESS, sizeof *box, 0);

    box->watch = (oras_fd_watch){.fn = on_ready, .ud = box, .fd = -1};
    box->timer = (oras_timer){.fn = on_due, .ud = box};
    box->context = context;
    box->file = file;
    lua_toclose(L, -1);
    return box;
}

/* run{file, args, input, timeout, limit, environment} -> {status or signal, output, stderr} */
static int process_run(lua_State *L)
{
    oras_process_plan plan = {0};
    oras_error err = ORAS_ERROR_INIT;
    process_box *box;

    luaL_checktype(L, ARGUMENT, LUA_TTABLE);
    lua_settop(L, ARGUMENT);
    plan.file = oras_opt_string(L, ARGUMENT, "file", NULL);
    if (!plan.file)
        oras_lua_misuse(L, "option 'file' is missing");
    lua_newtable(L); /* STRINGS */
    lua_pushstring(L, plan.file);
    plan.file = lua_tostring(L, -1);
    lua_rawseti(L, STRINGS, 1);
    box = new_box(L, plan.file);
    box->seconds = oras_opt_number(L, ARGUMENT, "timeout", DEFAULT_SECONDS);
    if (!(box->seconds > 0 && box->seconds <= MAX_SECONDS))
        oras_lua_misuse(L, "cannot wait for %g seconds", (double)box->seconds);
    read_plan(L, &plan, oras_box_buffer(L, LIST_MAX), oras_box_buffer(L, LIST_MAX));
    if (begin(box, &plan, &err))
        return oras_lua_fail(L, &err);
    return oras_lua_wait(L, &box->signal, (lua_KContext)box, give);
}

void oras_lua_open_process(lua_State *L)
{
    static const luaL_Reg functions[] = {{"run", process_run}, {NULL, NULL}};

    oras_box_type(L, PROCESS, NULL, process_close);
    luaL_newlib(L, functions);
}
