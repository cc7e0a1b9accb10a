/* SPDX-License-Identifier: MIT
 * Making and ending a runtime, and the one place where it calls Lua. */
#include "host/runtime.h"
#include "base/alloc.h"
#include "bind/lua_error.h"
#include "bind/task.h"
#include "host/credentials.h"
#include "host/functions.h"
#include "host/stream.h"
#include "oci/json.h"

#include <string.h>

#define KEPT "; what was downloaded is kept, the same command goes on from there"

static const char runtime_key;

const char *oras_version(void)
{
    return ORAS_VERSION;
}

oras_code oras_global_init(const oras_allocator *alloc, oras_error *err)
{
    if (!oras_alloc_set(alloc))
        return oras_fail(err, ORAS_C_USAGE, "an allocator is already in use");
    if (alloc)
        oras_json_use_allocator();
    return ORAS_OK;
}

oras_runtime *oras_runtime_of(lua_State *L)
{
    oras_runtime *rt;

    lua_rawgetp(L, LUA_REGISTRYINDEX, &runtime_key);
    rt = lua_touserdata(L, -1);
    lua_pop(L, 1);
    return rt;
}

void oras_runtime_set(lua_State *L, oras_runtime *rt)
{
    if (rt)
        lua_pushlightuserdata(L, rt);
    else
        lua_pushnil(L);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &runtime_key);
}

static void *lua_resize(void *ud, void *ptr, size_t old_size, size_t size)
{
    void *moved;

    if (oras_credentials_wiped(ud))
        return oras_credentials_resize(ptr, old_size, size);
    if (size == 0) {
        oras_dealloc(ptr);
        return NULL;
    }
    moved = oras_realloc(ptr, size);
    /* Lua takes a refused shrink for the end of memory */
    return !moved && ptr && size <= old_size ? ptr : moved;
}

/* warn(): silent until "@on"; pieces come one by one and are put together in the registry. */
static void warn(void *ud, const char *piece, int goes_on)
{
    oras_runtime *rt = ud;

    if (!rt->warning_goes_on && !goes_on && *piece == '@') {
        rt->warnings = strcmp(piece, "@on") == 0 || (rt->warnings && strcmp(piece, "@off") != 0);
        return;
    }
    if (rt->warnings) {
        size_t room = sizeof rt->warning - 1 - rt->warning_size;
        size_t size = strnlen(piece, room);

        memcpy(rt->warning + rt->warning_size, piece, size);
        rt->warning_size += size;
        rt->warning[rt->warning_size] = '\0';
        if (!goes_on)
            oras_log_write(&rt->log, ORAS_LOG_WARN, "%s", rt->warning);
    }
    rt->warning_goes_on = goes_on != 0;
    if (!goes_on)
        rt->warning_size = 0;
}

/* What a caller of an older version did not know stays at its default. */
static oras_options read_options(const oras_options *given)
{
    oras_options opts = ORAS_OPTIONS_INIT;
    size_t size = sizeof opts;

    if (given) {
        if (given->size < size)
            size = given->size;
        memcpy(&opts, given, size);
    }
    return opts;
}

static bool copy_text(const char *text, char **out)
{
    return !text || (*out = oras_strdup(text)) != NULL;
}

/* What the host does in there must not take the ground from under whoever says something. */
static void tell_log(void *ud, oras_level level, const char *line)
{
    oras_runtime *rt = ud;

    rt->n_callbacks++;
    rt->log_line(rt->ud, level, line);
    rt->n_callbacks--;
}

static bool copy_options(oras_runtime *rt, const oras_options *opts)
{
    rt->log = (oras_log){opts->log_level, opts->log ? tell_log : NULL, rt};
    rt->log_line = opts->log;
    rt->progress = opts->progress;
    rt->credentials = opts->credentials;
    rt->ud = opts->ud;
    rt->never_block = opts->never_block != 0;
    return copy_text(opts->provider_path, &rt->provider_path) &&
           copy_text(opts->ca_file, &rt->ca_file) && copy_text(opts->user_agent, &rt->user_agent) &&
           copy_text(opts->sandbox, &rt->sandbox);
}

/* What the host is told; it may have had enough. */
static void tell_progress(void *ud, const oras_progress *progress)
{
    oras_runtime *rt = ud;
    int enough;

    rt->n_callbacks++;
    enough = rt->progress(rt->ud, progress);
    rt->n_callbacks--;
    if (enough)
        oras_interrupt(rt);
}

void oras_runtime_begin_progress(oras_runtime *rt)
{
    if (rt->progress)
        oras_reports_begin(&rt->reports);
}

void oras_runtime_set_context(oras_runtime *rt, oras_context *context)
{
    rt->context = context;
    context->log = &rt->log;
    context->ca_file = rt->ca_file;
    context->user_agent = rt->user_agent;
    context->never_block = rt->never_block;
    if (rt->progress) {
        rt->reports = (oras_reports){.tell = tell_progress, .ud = rt};
        context->reports = &rt->reports;
        oras_runtime_begin_progress(rt);
    }
}

static int open_state(lua_State *L)
{
    oras_runtime *rt = lua_touserdata(L, 1);

    oras_runtime_set(L, rt);
    oras_runtime_set_context(rt, oras_context_get(L));
    oras_modules_open(rt);
    oras_interrupt_watch(L, true);
    lua_gc(L, LUA_GCRESTART);
    lua_gc(L, LUA_GCGEN, 0, 0);
    return 0;
}

/* Is it a value of the script's own that can say what it is? */
static bool has_text(lua_State *L)
{
    bool ours;

    if (lua_type(L, 1) == LUA_TSTRING || !lua_getmetatable(L, 1))
        return false;
    oras_lua_push_error_metatable(L);
    ours = lua_rawequal(L, -1, -2);
    lua_getfield(L, -2, "__tostring");
    return !ours && !lua_isnil(L, -1);
}

static int convert_error(lua_State *L)
{
    if (has_text(L)) {
        luaL_tolstring(L, 1, NULL);
        lua_replace(L, 1);
    }
    oras_lua_to_error(L, 1, lua_touserdata(L, 2));
    return 0;
}

/* Its __tostring may raise in turn, and memory may be short for saying what it was. */
void oras_runtime_take_error(lua_State *L, int status, oras_error *err)
{
    int type = lua_type(L, -1);

    if (status != LUA_ERRMEM) {
        lua_pushcfunction(L, convert_error);
        lua_insert(L, -2);
        lua_pushlightuserdata(L, err);
        status = lua_pcall(L, 2, 0, 0);
        if (status == LUA_OK)
            return;
    }
    lua_pop(L, 1);
    if (status == LUA_ERRMEM)
        oras_fail_memory(err);
    else
        oras_fail(err, ORAS_C_SCRIPT, "(error object is a %s value)", lua_typename(L, type));
}

static oras_code make_state(oras_runtime *rt, oras_error *err)
{
    int status;

    rt->L = lua_newstate(lua_resize, rt);
    if (!rt->L)
        return oras_fail_memory(err);
    lua_setwarnf(rt->L, warn, rt);
    lua_gc(rt->L, LUA_GCSTOP);
    lua_pushcfunction(rt->L, open_state);
    lua_pushlightuserdata(rt->L, rt);
    status = lua_pcall(rt->L, 1, 0, 0);
    if (status == LUA_OK)
        return ORAS_OK;
    oras_runtime_take_error(rt->L, status, err);
    return err->code;
}

oras_runtime *oras_runtime_alloc(const oras_options *given, oras_error *err)
{
    const oras_options opts = read_options(given);
    oras_runtime *rt = oras_alloc_zero(1, sizeof *rt);

    if (rt && copy_options(rt, &opts))
        return rt;
    oras_fail_memory(err);
    oras_runtime_dispose(rt);
    return NULL;
}

oras_code oras_runtime_new(const oras_options *opts, oras_runtime **out, oras_error *err)
{
    oras_error unseen = ORAS_ERROR_INIT;
    oras_runtime *rt;
    oras_code code;

    err = err ? err : &unseen;
    rt = oras_runtime_alloc(opts, err);
    if (!rt)
        return err->code;
    code = make_state(rt, err);
    if (code) {
        oras_runtime_free(rt);
        return code;
    }
    *out = rt;
    return ORAS_OK;
}

void oras_runtime_dispose(oras_runtime *rt)
{
    if (!rt)
        return;
    oras_dealloc(rt->provider_path);
    oras_dealloc(rt->ca_file);
    oras_dealloc(rt->user_agent);
    oras_dealloc(rt->sandbox);
    oras_functions_free(rt);
    oras_dealloc(rt);
}

void oras_runtime_free(oras_runtime *rt)
{
    if (!rt)
        return;
    if (rt->attached) {
        oras_lua_detach(rt);
        return;
    }
    oras_calls_free(rt);
    oras_streams_end(rt);
    if (rt->L)
        lua_close(rt->L);
    oras_runtime_dispose(rt);
}

void oras_free(void *ptr)
{
    oras_dealloc(ptr);
}

static void enter(oras_runtime *rt)
{
    if (rt->depth == 0) {
        rt->owner = pthread_self();
        rt->exiting = false;
        rt->exit_status = 0;
        rt->context->n_kept = 0;
        if (!rt->calls) /* else what moves belongs to them, too */
            oras_runtime_begin_progress(rt);
    }
    rt->context->unwinds = true;
    __atomic_store_n(&rt->depth, rt->depth + 1, __ATOMIC_RELEASE);
}

/* Was it stopped? Then forget that, so that what comes next runs. */
static bool take_stop(oras_runtime *rt)
{
    if (atomic_exchange(&rt->context->interrupted, 0) == 0)
        return false;
    if (!rt->attached)
        oras_interrupt_watch(rt->L, rt->watched);
    oras_task_drop_all(rt->L, rt->context);
    return true;
}

static bool leave(oras_runtime *rt)
{
    bool stopped = false;

    if (rt->depth == 1 && take_stop(rt)) {
        stopped = true;
        oras_interrupt_part(rt);
        take_stop(rt);
        lua_gc(rt->L, LUA_GCCOLLECT); /* parts of downloads whose owner could not close them */
    }
    __atomic_store_n(&rt->depth, rt->depth - 1, __ATOMIC_RELEASE);
    rt->context->unwinds = rt->depth > 0;
    return stopped;
}

static void exited(const oras_runtime *rt, oras_error *err)
{
    if (rt->exit_status == 0)
        return;
    oras_fail(err, ORAS_C_SCRIPT, "the script exited with status %d", rt->exit_status);
    err->exit_status = rt->exit_status;
}

oras_code oras_runtime_pcall(oras_runtime *rt, int n_args, int n_results, oras_error *err)
{
    lua_State *L = rt->L;
    int function = lua_gettop(L) - n_args;
    oras_error failed = ORAS_ERROR_INIT;
    int status;
    bool stopped;

    enter(rt);
    status = lua_pcall(L, n_args, n_results, 0);
    stopped = leave(rt);
    if (status == LUA_OK)
        return ORAS_OK;
    if (stopped && rt->exiting)
        exited(rt, &failed);
    else if (stopped)
        oras_fail(&failed, ORAS_C_CANCELLED, "interrupted%s", rt->context->n_kept ? KEPT : "");
    else
        oras_runtime_take_error(L, status, &failed);
    lua_settop(L, function - 1);
    if (failed.code && err)
        *err = failed;
    return failed.code;
}
