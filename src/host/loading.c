/* SPDX-License-Identifier: MIT
 * Scripts are text: load, loadfile, dofile and require of our own state refuse bytecode, which
 * Lua does not check before it runs it. */
#include "base/error.h"
#include "host/runtime.h"

#include <errno.h>
#include <lualib.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define SCRIPT_MAX_BYTES ((size_t)32 * 1024 * 1024)

typedef struct source {
    FILE *file; /* NULL once closed; standard input is never closed */
} source;

static int source_close(lua_State *L)
{
    source *s = lua_touserdata(L, 1);

    if (s->file && s->file != stdin)
        fclose(s->file);
    s->file = NULL;
    return 0;
}

/* Push a closable box for an open file. [-0, +1] */
static source *source_new(lua_State *L)
{
    source *s = lua_newuserdatauv(L, sizeof *s, 0);

    s->file = NULL;
    if (luaL_newmetatable(L, "oras.host.source")) {
        lua_pushcfunction(L, source_close);
        lua_pushvalue(L, -1);
        lua_setfield(L, -3, "__gc");
        lua_setfield(L, -2, "__close");
    }
    lua_setmetatable(L, -2);
    lua_toclose(L, -1);
    return s;
}

static int fail(lua_State *L, const char *path, const char *what)
{
    lua_pushnil(L);
    lua_pushfstring(L, "cannot read script '%s': %s", path, what);
    return 2;
}

static int fail_errno(lua_State *L, const char *path, int number)
{
    char text[128];

    return fail(L, path, oras_errno_text(number, text, sizeof text));
}

static bool is_directory(FILE *file)
{
    struct stat st;

    return fstat(fileno(file), &st) == 0 && S_ISDIR(st.st_mode);
}

/* Push all bytes, or nothing if there are too many or reading failed. [-0, +0 or +1] */
static bool push_text(lua_State *L, FILE *file)
{
    luaL_Buffer text;
    size_t got, total = 0;

    luaL_buffinit(L, &text);
    do {
        got = fread(luaL_prepbuffer(&text), 1, LUAL_BUFFERSIZE, file);
        luaL_addsize(&text, got);
        total += got;
    } while (got > 0 && total <= SCRIPT_MAX_BYTES);
    luaL_pushresult(&text);
    if (total <= SCRIPT_MAX_BYTES && !ferror(file))
        return true;
    lua_pop(L, 1);
    return false;
}

/* Behind a byte order mark and a first line that begins with '#', whose newline stays. */
static const char *skip_preamble(const char *text, size_t *size)
{
    const char *end = text + *size;

    if (*size >= 3 && memcmp(text, "\xEF\xBB\xBF", 3) == 0)
        text += 3;
    if (text < end && *text == '#') {
        const char *newline = memchr(text, '\n', (size_t)(end - text));

        text = newline ? newline : end;
    }
    *size = (size_t)(end - text);
    return text;
}

/* Also behind a first line that is a comment, where Lua would run it as well. */
static bool is_bytecode(const char *text, size_t size)
{
    size_t start = size > 0 && text[0] == '\n';

    return size > start && text[start] == LUA_SIGNATURE[0];
}

/* Load the text on top of the stack. [-0, +1 or +2] */
static int load_text(lua_State *L, const char *path, const char *chunk)
{
    size_t size;
    const char *text = lua_tolstring(L, -1, &size);

    text = skip_preamble(text, &size);
    if (is_bytecode(text, size))
        return fail(L, path, "it is bytecode; a script is text");
    if (luaL_loadbufferx(L, text, size, chunk, "t") == LUA_OK)
        return 1;
    lua_pushnil(L);
    lua_insert(L, -2);
    return 2;
}

int oras_loading_file(lua_State *L, const char *path)
{
    bool standard = !path || strcmp(path, "-") == 0;
    const char *name = standard ? "standard input" : path;
    const char *chunk = standard ? "=stdin" : lua_pushfstring(L, "@%s", path);
    source *s = source_new(L);
    int box = lua_gettop(L), n_results;

    s->file = standard ? stdin : fopen(path, "rbe");
    if (!s->file)
        n_results = fail_errno(L, name, errno);
    else if (is_directory(s->file))
        n_results = fail(L, name, "it is a directory");
    else if (push_text(L, s->file))
        n_results = load_text(L, name, chunk);
    else if (ferror(s->file))
        n_results = fail_errno(L, name, errno);
    else
        n_results = fail(L, name, "it is larger than 32 MiB");
    lua_closeslot(L, box);
    return n_results;
}

/* loadfile([path [, mode [, env]]]) */
static int text_loadfile(lua_State *L)
{
    const char *path = luaL_optstring(L, 1, NULL);
    const char *mode = luaL_optstring(L, 2, "t");
    bool has_env = !lua_isnone(L, 3);
    int n;

    if (!strchr(mode, 't'))
        return luaL_argerror(L, 2, "only text chunks can be loaded: 't' expected");
    lua_settop(L, 3);
    n = oras_loading_file(L, path);
    if (n == 1 && has_env) {
        lua_pushvalue(L, 3);
        if (!lua_setupvalue(L, -2, 1))
            lua_pop(L, 1);
    }
    return n;
}

static int finish_dofile(lua_State *L, int status, lua_KContext base)
{
    (void)status;
    return lua_gettop(L) - (int)base;
}

static int text_dofile(lua_State *L)
{
    const char *path = luaL_optstring(L, 1, NULL);

    lua_settop(L, 1);
    if (oras_loading_file(L, path) != 1)
        return lua_error(L);
    lua_replace(L, 1);
    lua_settop(L, 1);
    lua_callk(L, 0, LUA_MULTRET, 0, finish_dofile);
    return finish_dofile(L, LUA_OK, 0);
}

/* load(chunk [, name [, mode [, env]]]): Lua's own, the first upvalue, with mode "t" */
static int text_load(lua_State *L)
{
    const char *mode = luaL_optstring(L, 3, "t");
    int n_args = lua_gettop(L);

    if (!strchr(mode, 't'))
        return luaL_argerror(L, 3, "only text chunks can be loaded: 't' expected");
    if (n_args < 3)
        lua_settop(L, n_args = 3);
    lua_pushliteral(L, "t");
    lua_replace(L, 3);
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_insert(L, 1);
    lua_call(L, n_args, LUA_MULTRET);
    return lua_gettop(L);
}

/* Push package.searchpath(name, package.path); gives whether there is such a file. [-0, +1] */
static bool push_module_path(lua_State *L, const char *name)
{
    lua_getglobal(L, LUA_LOADLIBNAME);
    lua_getfield(L, -1, "searchpath");
    lua_pushstring(L, name);
    if (lua_getfield(L, -3, "path") != LUA_TSTRING)
        luaL_error(L, "'package.path' must be a string");
    lua_remove(L, -4);
    lua_call(L, 2, 2);
    if (lua_isnil(L, -2)) {
        lua_remove(L, -2);
        return false;
    }
    lua_pop(L, 1);
    return true;
}

static int search_text(lua_State *L)
{
    const char *name = luaL_checkstring(L, 1);
    const char *path;

    if (!push_module_path(L, name))
        return 1;
    path = lua_tostring(L, -1);
    if (oras_loading_file(L, path) != 1)
        return luaL_error(L, "cannot load module '%s': %s", name, lua_tostring(L, -1));
    lua_pushstring(L, path);
    return 2;
}

void oras_loading_open(lua_State *L)
{
    lua_getglobal(L, "load");
    lua_pushcclosure(L, text_load, 1);
    lua_setglobal(L, "load");
    lua_register(L, "loadfile", text_loadfile);
    lua_register(L, "dofile", text_dofile);
    lua_getglobal(L, LUA_LOADLIBNAME);
    lua_getfield(L, -1, "searchers");
    lua_pushcfunction(L, search_text);
    lua_rawseti(L, -2, 2);
    lua_pop(L, 2);
}
