/* SPDX-License-Identifier: MIT
 * The sandbox's child: a program of its own, which liboras carries (bind/sandbox_program.c). It has
 * one socket, gives up everything else before it reads a byte, and runs lua/oras/sandbox/child.lua,
 * which runs the provider. What a provider must not reach is not in the process at all. */
#include "base/alloc.h"
#include "bind/body.h"
#include "bind/context.h"
#include "bind/lua_error.h"
#include "bind/tables.h"
#include "host/embedded.h"
#include "io/sandbox.h"
#include "io/sandbox_enter.h"
#include "oci/json.h"

#include <errno.h>
#include <lualib.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define MEMORY_MAX   ((size_t)32 * 1024 * 1024) /* of Lua: faults 4.9 */
#define COUNT        1000000                    /* instructions between two looks at the clock */
#define MILLISECONDS 1000

static size_t memory_used;
static int64_t cpu_due_ms = INT64_MAX;

/* --- memory and time ------------------------------------------------------------------------ */

static void *resize(void *ud, void *ptr, size_t old_size, size_t size)
{
    void *moved;

    (void)ud;
    if (!ptr)
        old_size = 0; /* then it is a type */
    if (size == 0) {
        oras_dealloc(ptr);
        memory_used -= old_size;
        return NULL;
    }
    if (size > old_size && size - old_size > MEMORY_MAX - memory_used)
        return NULL;
    moved = oras_realloc(ptr, size);
    if (!moved)
        return ptr && size <= old_size ? ptr : NULL;
    memory_used = memory_used - old_size + size;
    return moved;
}

static int64_t cpu_ms(void)
{
    struct timespec used;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
    return (int64_t)used.tv_sec * MILLISECONDS + used.tv_nsec / 1000000;
}

/* The parent looks, too; but a host may not step its loop. */
static void on_count(lua_State *L, lua_Debug *frame)
{
    (void)L;
    (void)frame;
    if (cpu_ms() > cpu_due_ms)
        _exit(ORAS_SANDBOX_OUT_OF_TIME);
}

/* budget(seconds): of processor time, for the call that begins */
static int budget(lua_State *L)
{
    cpu_due_ms = cpu_ms() + (int64_t)(luaL_checknumber(L, 1) * MILLISECONDS);
    return 0;
}

/* --- messages ------------------------------------------------------------------------------- */

static void write_all(const char *data, size_t size)
{
    while (size > 0) {
        ssize_t n = write(ORAS_SANDBOX_FD, data, size);

        if (n < 0 && errno != EINTR)
            _exit(0); /* nobody listens any more */
        data += n > 0 ? n : 0;
        size -= n > 0 ? (size_t)n : 0;
    }
}

static void read_all(char *data, size_t size)
{
    while (size > 0) {
        ssize_t n = read(ORAS_SANDBOX_FD, data, size);

        if (n == 0 || (n < 0 && errno != EINTR))
            _exit(0);
        data += n > 0 ? n : 0;
        size -= n > 0 ? (size_t)n : 0;
    }
}

static void put_size(char *at, size_t size)
{
    for (int i = 0; i < 4; i++)
        at[i] = (char)(size >> (8 * i) & 0xff);
}

static size_t get_size(const char *at)
{
    size_t size = 0;

    for (int i = 0; i < 4; i++)
        size |= (size_t)(unsigned char)at[i] << (8 * i);
    return size;
}

static void say(lua_State *L)
{
    char head[ORAS_SANDBOX_HEAD];
    size_t json_size, bytes_size;
    const char *json = luaL_checklstring(L, 1, &json_size);
    const char *bytes = luaL_optlstring(L, 2, "", &bytes_size);

    if (json_size > ORAS_SANDBOX_JSON_MAX || bytes_size > ORAS_SANDBOX_BYTES_MAX)
        luaL_error(L, "a message of %d and %d bytes is too big for the sandbox", (int)json_size,
                   (int)bytes_size);
    put_size(head, json_size);
    put_size(head + 4, bytes_size);
    write_all(head, sizeof head);
    write_all(json, json_size);
    write_all(bytes, bytes_size);
}

/* What a call has left behind is no use: Lua would collect it before it gave up, too. */
static bool has_room(lua_State *L, size_t size)
{
    if (size > MEMORY_MAX - memory_used)
        lua_gc(L, LUA_GCCOLLECT);
    return size <= MEMORY_MAX - memory_used;
}

/* Half of an answer cannot be left in the socket: without memory for it, this is the end. */
static void hear(lua_State *L, size_t size)
{
    char *data = has_room(L, size) ? oras_alloc(size + 1) : NULL;

    if (!data)
        _exit(ORAS_SANDBOX_OUT_OF_MEMORY);
    read_all(data, size);
    lua_pushlstring(L, data, size);
    oras_dealloc(data);
}

/* ask(json?, bytes?) -> json, bytes: says the one, if it is given, and waits for the other */
static int ask(lua_State *L)
{
    char head[ORAS_SANDBOX_HEAD];

    lua_settop(L, 2);
    luaL_checkstack(L, 4, "no room for an answer");
    if (!lua_isnil(L, 1))
        say(L);
    read_all(head, sizeof head);
    hear(L, get_size(head));
    hear(L, get_size(head + 4));
    return 2;
}

/* --- Lua ------------------------------------------------------------------------------------ */

/* In this program there are no bodies, and nothing is closed with a context. */
oras_body *oras_lua_test_body(lua_State *L, int idx)
{
    (void)L;
    (void)idx;
    return NULL;
}

oras_body *oras_lua_check_body(lua_State *L, int idx)
{
    luaL_typeerror(L, idx, "body");
    return NULL;
}

oras_buf *oras_body_bytes(oras_body *body)
{
    (void)body;
    return NULL;
}

void oras_context_note(lua_State *L)
{
    (void)L;
}

static int by_name(const void *name, const void *entry)
{
    return strcmp(name, ((const oras_embedded *)entry)->name);
}

/* module(name) -> the function that makes a module of ours, or nil */
static int module(lua_State *L)
{
    const char *name = luaL_checkstring(L, 1);
    const oras_embedded *found = bsearch(name, oras_embedded_modules, oras_embedded_modules_count,
                                         sizeof *oras_embedded_modules, by_name);

    if (!found)
        lua_pushnil(L);
    else if (luaL_loadbufferx(L, (const char *)found->code, found->size, found->name, "b") !=
             LUA_OK)
        return lua_error(L);
    return 1;
}

/* handle(metatable) -> a new userdata, which stands for something of the parent's */
static int handle(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TTABLE);
    lua_newuserdatauv(L, 0, 0);
    lua_pushvalue(L, 1);
    lua_setmetatable(L, -2);
    return 1;
}

static void open_libraries(lua_State *L)
{
    static const luaL_Reg libraries[] = {
        {LUA_GNAME, luaopen_base},       {LUA_COLIBNAME, luaopen_coroutine},
        {LUA_TABLIBNAME, luaopen_table}, {LUA_STRLIBNAME, luaopen_string},
        {LUA_MATHLIBNAME, luaopen_math}, {LUA_UTF8LIBNAME, luaopen_utf8},
        {LUA_DBLIBNAME, luaopen_debug},
    };

    for (size_t i = 0; i < sizeof libraries / sizeof *libraries; i++) {
        luaL_requiref(L, libraries[i].name, libraries[i].func, 1);
        lua_pop(L, 1);
    }
}

/* Lua: everything from here on. child.lua takes `debug` and the rest away from the provider. */
static int run(lua_State *L)
{
    static const luaL_Reg functions[] = {
        {"ask", ask}, {"budget", budget}, {"handle", handle}, {"module", module}, {NULL, NULL}};

    open_libraries(L);
    lua_pushcfunction(L, module);
    lua_pushliteral(L, "oras.sandbox.child");
    lua_call(L, 1, 1);
    luaL_newlib(L, functions);
    oras_lua_open_json(L);
    lua_setfield(L, -2, "json");
    oras_lua_push_error_metatable(L);
    lua_setfield(L, -2, "error");
    lua_pushliteral(L, ORAS_VERSION);
    lua_setfield(L, -2, "version");
    lua_call(L, 1, 0);
    return 0;
}

/* jansson reads the seed of its hashes from a file when it makes its first object. */
static void seed_hashes(void)
{
    json_t *object = NULL;

    if (oras_json_decode("{}", 2, 0, &object, NULL) == ORAS_OK)
        json_decref(object);
}

int main(void)
{
    lua_State *L;
    int refused;

    oras_sandbox_close_all();
    seed_hashes();
    refused = oras_sandbox_enter(ORAS_SANDBOX_ALL);
    if (refused)
        _exit(ORAS_SANDBOX_REFUSED + refused);
    L = lua_newstate(resize, NULL);
    if (!L)
        _exit(ORAS_SANDBOX_OUT_OF_MEMORY);
    lua_sethook(L, on_count, LUA_MASKCOUNT, COUNT);
    lua_pushcfunction(L, run);
    _exit(lua_pcall(L, 0, 0, 0) == LUA_ERRMEM ? ORAS_SANDBOX_OUT_OF_MEMORY : ORAS_SANDBOX_BROKEN);
}
